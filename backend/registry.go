package backend

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// An Opener opens a backend as its settings say. It must not do I/O that
// fails when the store is down: a program may start before its store.
type Opener func(*Settings) (Backend, error)

var registry = struct {
	sync.Mutex
	openers map[string]Opener
}{openers: make(map[string]Opener)}

// Register makes a backend available to Open under a type name, in lower
// case. The packages of the backends call it when they are imported, as
// drivers of database/sql do. It panics when the name is taken.
func Register(typ string, open Opener) {
	registry.Lock()
	defer registry.Unlock()
	if _, ok := registry.openers[typ]; ok {
		panic("backend: Register called twice for type " + typ)
	}
	registry.openers[typ] = open
}

// Open opens the backend registered under a type name. The error for an
// unknown name lists the valid ones. It may be called by many goroutines.
func Open(typ string, s *Settings) (Backend, error) {
	registry.Lock()
	open := registry.openers[typ]
	registry.Unlock()
	if open == nil {
		return nil, fmt.Errorf("session type %q is unknown; the types compiled in are %s (import a backend's package, or backend/all, to add it)",
			typ, strings.Join(Types(), ", "))
	}
	b, err := open(s)
	if err == nil {
		err = s.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("session type %q: %w", typ, err)
	}
	return b, nil
}

// Types returns the names that Open knows, sorted.
func Types() []string {
	registry.Lock()
	defer registry.Unlock()
	var names []string
	for name := range registry.openers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
