package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/go-session2/sessions"
)

// pageSize is how many keys are listed, copied and noted at a time.
const pageSize = 500

func copyFlags(t *tool, fs *flag.FlagSet) {
	fs.StringVar(&t.state, "state", "", "the `file` that remembers what was copied: to go on after an interruption, and to copy again later")
	fs.IntVar(&t.parallel, "parallel", 8, "how many sessions are copied at once")
}

// A copier copies one store into another.
type copier struct {
	*tool
	to      *sessions.Manager
	journal *journal

	mu       sync.Mutex
	outcomes map[sessions.Copied]int
	failed   int
}

func copyAll(ctx context.Context, t *tool, _ []string) (err error) {
	if t.parallel < 1 {
		return fmt.Errorf("%w: -parallel must be at least 1", errUsage)
	}
	if !overlay("TO_") {
		return fmt.Errorf("%w: describe the other store by TO_SESSION_TYPE and the settings that it needs, each with TO_ before its name", errUsage)
	}
	cfg, to, err := t.manager() //nolint:contextcheck // it sweeps nothing
	if err != nil {
		return err
	}
	c := &copier{tool: t, to: to, outcomes: make(map[sessions.Copied]int)}
	if c.journal, err = openJournal(t.state, cfg.Prefix); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.journal.close()) }()
	if err := c.first(ctx); err != nil {
		return err
	}
	if err := c.second(ctx); err != nil {
		return err
	}
	if err := c.journal.add(page{Done: true}); err != nil {
		return err
	}
	return c.summary()
}

// overlay gives the settings whose names begin with a prefix in place of those
// without it, and tells whether it includes a type.
func overlay(prefix string) bool {
	found := false
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if name, ok := strings.CutPrefix(name, prefix); ok && name != "" && os.Setenv(name, value) == nil {
			found = found || name == "SESSION_TYPE"
		}
	}
	return found
}

// first copies what the store lists, from where the journal has left off.
func (c *copier) first(ctx context.Context) error {
	cursor := c.journal.cursor
	if c.journal.listed {
		return nil
	}
	if cursor != "" {
		c.progress("going on after %d sessions", len(c.journal.order))
	}
	for {
		keys, next, err := c.m.KeyPage(ctx, cursor, pageSize)
		if err != nil {
			return err
		}
		// Noted before it is done: what was copied and not noted could not be
		// ended any more.
		if err := c.journal.add(page{Keys: keys, Cursor: cursor}); err != nil {
			return err
		}
		if err := c.copy(ctx, keys, true); err != nil {
			return err
		}
		if cursor = next; cursor == "" {
			return c.journal.add(page{Listed: true})
		}
		c.progress("%d sessions", len(c.journal.order))
	}
}

// second looks at all again that was ever copied: what has changed meanwhile
// is copied anew, and what has ended is ended in the copy.
func (c *copier) second(ctx context.Context) error {
	keys := c.journal.order
	c.progress("%d sessions, looking again", len(keys))
	for len(keys) > 0 {
		n := min(pageSize, len(keys))
		if err := c.copy(ctx, keys[:n], false); err != nil {
			return err
		}
		keys = keys[n:]
		c.progress("%d left", len(keys))
	}
	return nil
}

// copy copies some sessions. It counts what was done, in a second pass only
// what has ended since.
func (c *copier) copy(ctx context.Context, keys []string, first bool) error {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan string)
	for range min(c.parallel, len(keys)) {
		wg.Go(func() {
			for key := range work {
				done, err := c.m.CopyTo(ctx, c.to, key)
				if err = c.count(done, err, first); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, key := range keys {
		select {
		case work <- key:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}

// count notes the outcome of a copy. It returns the errors that end the whole.
func (c *copier) count(done sessions.Copied, err error, first bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil && (first || done == sessions.CopyEnded):
		c.outcomes[done]++
	case err == nil:
	case errors.Is(err, sessions.ErrCorrupt), errors.Is(err, sessions.ErrTooLarge):
		if first {
			c.failed++
			printf(c.err, "sessionctl: not copied: %v\n", err)
		}
	default:
		return err
	}
	return nil
}

func (c *copier) progress(format string, args ...any) {
	printf(c.err, "copy: "+format+"\n", args...)
}

func (c *copier) summary() error {
	v := map[string]int{"failed": c.failed}
	var rows [][]string
	for _, o := range []sessions.Copied{sessions.CopyCreated, sessions.CopyUpdated, sessions.CopySame, sessions.CopyNewer, sessions.CopyEnded} {
		v[string(o)] = c.outcomes[o]
		rows = append(rows, []string{string(o), strconv.Itoa(c.outcomes[o])})
	}
	rows = append(rows, []string{"failed", strconv.Itoa(c.failed)})
	if err := c.write(v, rows...); err != nil {
		return err
	}
	if c.failed > 0 {
		return fmt.Errorf("%d sessions could not be copied", c.failed)
	}
	return nil
}
