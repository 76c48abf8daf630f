package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"

	"github.com/go-session2/sessions"
)

// An entry is a session as JSON has it.
type entry struct {
	Handle   string     `json:"handle"`
	Key      string     `json:"key,omitempty"`
	User     string     `json:"user,omitempty"`
	Created  *time.Time `json:"created,omitempty"`
	SignedIn *time.Time `json:"signed_in,omitempty"`
	Used     *time.Time `json:"used,omitempty"`
	Expires  *time.Time `json:"expires,omitempty"`
	Bytes    int        `json:"bytes"`
	Error    string     `json:"error,omitempty"`
}

func newEntry(i sessions.Info, err error) entry {
	e := entry{
		Handle: i.Handle, User: i.Principal(), Bytes: i.Size(),
		Created: stamp(i.Created), SignedIn: stamp(i.SignedIn), Used: stamp(i.Used), Expires: stamp(i.Expires),
	}
	if err != nil {
		e.Error = "unreadable"
	}
	return e
}

func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func listFlags(t *tool, fs *flag.FlagSet) {
	fs.StringVar(&t.user, "user", "", "list only the sessions of this `principal`, by the store's index")
	fs.BoolVar(&t.keys, "keys", false, "show the store keys as well")
}

func list(ctx context.Context, t *tool, _ []string) error {
	if t.keys && (t.cfg.PlainIDs || t.user != "") {
		return fmt.Errorf("%w: -keys goes neither with SESSION_PLAIN_IDS, as the keys hold IDs then, nor with -user", errUsage)
	}
	entries := []entry{} // JSON: an empty list, not null
	err := t.each(ctx, func(key string, i sessions.Info, err error) {
		e := newEntry(i, err)
		e.Key = key
		entries = append(entries, e)
	})
	if err != nil {
		return err
	}
	rows := [][]string{{"HANDLE", "USER", "CREATED", "EXPIRES", "BYTES"}}
	if t.keys {
		rows[0] = append(rows[0], "KEY")
	}
	for i, e := range entries {
		user := text(e.User)
		if e.Error != "" {
			user = "(unreadable)"
		}
		row := []string{e.Handle, user, when(e.Created), when(e.Expires), strconv.Itoa(e.Bytes)}
		if t.keys {
			row = append(row, text(entries[i].Key))
		}
		rows = append(rows, row)
	}
	return t.write(entries, rows...)
}

func when(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return moment(*t)
}

// each calls f with the sessions that list shows, and with their store keys
// if these are asked for. The error that f gets is an ErrCorrupt.
func (t *tool) each(ctx context.Context, f func(key string, i sessions.Info, err error)) error {
	if t.user != "" {
		infos, err := t.m.Sessions(ctx, t.user)
		for _, i := range infos {
			f("", i, nil)
		}
		return err
	}
	if !t.keys {
		for i, err := range t.m.All(ctx) {
			if err != nil && !errors.Is(err, sessions.ErrCorrupt) {
				return err
			}
			f("", i, err)
		}
		return nil
	}
	for cursor := ""; ; {
		keys, next, err := t.m.KeyPage(ctx, cursor, pageSize)
		if err != nil {
			return err
		}
		for _, key := range keys {
			i, err := t.m.Find(ctx, key)
			switch {
			case err == nil, errors.Is(err, sessions.ErrCorrupt):
				f(key, i, err)
			case !errors.Is(err, sessions.ErrGone):
				return err
			}
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}
