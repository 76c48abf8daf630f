package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// A journal remembers what a copy has copied, in a file if it has a name, so
// that the copy can go on where it was interrupted, and so that sessions that
// have ended since are ended in the copy too. It is a line of JSON for each
// page, flushed to the disk before the next one is begun. Only the user can
// read the file, as the store keys of SESSION_PLAIN_IDS hold IDs.
type journal struct {
	file   *os.File
	seen   map[string]bool
	order  []string // the keys in seen
	cursor string   // of the page to go on with
	listed bool     // all is noted, and the second pass was interrupted
}

// A page is a line of the journal. The first has only the version and the
// prefix of the keys.
type page struct {
	Version int      `json:"version,omitempty"`
	Prefix  string   `json:"prefix,omitempty"`
	Keys    []string `json:"keys,omitempty"`
	Cursor  string   `json:"cursor,omitempty"`
	Listed  bool     `json:"listed,omitempty"`
	Done    bool     `json:"done,omitempty"`
}

const journalVersion = 1

// openJournal opens or makes the journal of a name. Without one it is kept in
// memory.
func openJournal(name, prefix string) (*journal, error) {
	j := &journal{seen: make(map[string]bool)}
	if name == "" {
		return j, nil
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j.file = f
	if err := j.read(prefix); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

func (j *journal) read(prefix string) error {
	data, err := io.ReadAll(j.file)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(data, '\n') + 1 // what follows was torn by a crash
	for i, line := range bytes.Split(data[:whole], []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var p page
		if err := json.Unmarshal(line, &p); err != nil {
			return fmt.Errorf("%w: line %d of the -state file is no line of a copy", errUsage, i+1)
		}
		if i == 0 && (p.Version != journalVersion || p.Prefix != prefix) {
			return fmt.Errorf("%w: the -state file is of another version or of a copy with another SESSION_KEY_PREFIX", errUsage)
		}
		j.note(p)
	}
	if err := j.file.Truncate(int64(whole)); err != nil {
		return err
	}
	if _, err := j.file.Seek(int64(whole), io.SeekStart); err != nil {
		return err
	}
	if whole == 0 {
		return j.add(page{Version: journalVersion, Prefix: prefix})
	}
	return nil
}

// add notes a page and writes it down.
func (j *journal) add(p page) error {
	p.Keys = slices.DeleteFunc(slices.Clone(p.Keys), func(key string) bool { return j.seen[key] })
	j.note(p)
	if j.file == nil {
		return nil
	}
	line, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

func (j *journal) note(p page) {
	for _, key := range p.Keys {
		if !j.seen[key] {
			j.seen[key] = true
			j.order = append(j.order, key)
		}
	}
	j.cursor = p.Cursor
	j.listed = p.Listed
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
