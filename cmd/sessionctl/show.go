package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strconv"
)

func showFlags(t *tool, fs *flag.FlagSet) {
	fs.BoolVar(&t.reveal, "reveal", false, "show the values, not only their types")
}

// A value is what a session holds under a key.
type value struct {
	Key   string `json:"key"`
	Type  string `json:"type"`
	Value any    `json:"value,omitempty"`
}

func show(ctx context.Context, t *tool, args []string) error {
	i, err := t.m.Find(ctx, args[0])
	if err != nil {
		return err
	}
	e := newEntry(i, nil)
	rows := [][]string{
		{"handle", e.Handle},
		{"user", text(e.User)},
		{"created", when(e.Created)},
		{"signed in", when(e.SignedIn)},
		{"used", when(e.Used)},
		{"expires", when(e.Expires)},
		{"bytes", strconv.Itoa(e.Bytes)},
		{""},
	}
	values := []value{}
	for _, key := range i.Keys() {
		v := value{Key: key, Type: "?"}
		held := i.Get(key)
		if held != nil {
			v.Type = fmt.Sprintf("%T", held)
		}
		shown := redacted
		if t.reveal {
			v.Value, shown = reveal(held)
		}
		values = append(values, v)
		rows = append(rows, []string{text(key), v.Type, shown})
	}
	return t.write(struct {
		entry
		Values []value `json:"values"`
	}{e, values}, rows...)
}

// reveal returns a value for JSON and for a table. What JSON does not know,
// such as an infinite number, is a string.
func reveal(v any) (any, string) {
	b, err := json.Marshal(v)
	if err != nil {
		s := fmt.Sprint(v)
		return s, strconv.QuoteToASCII(s)
	}
	return v, string(b)
}

// redacted stands for a value that is not shown.
const redacted = "[redacted]"
