package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-session2/sessions"
)

// A tool is what a command works with.
type tool struct {
	out, err io.Writer
	json     bool

	cfg     sessions.Config
	m       *sessions.Manager
	closers []io.Closer

	// Flags of single commands.
	user     string
	keys     bool
	reveal   bool
	state    string
	parallel int
}

// open opens the store that the environment describes.
func (t *tool) open() error {
	var err error
	t.cfg, t.m, err = t.manager()
	return err
}

// manager returns a Manager for the settings in the environment.
func (t *tool) manager() (sessions.Config, *sessions.Manager, error) {
	switch strings.ToLower(os.Getenv("SESSION_TYPE")) {
	case "", "null":
		return sessions.Config{}, nil, fmt.Errorf("%w: set SESSION_TYPE and what it needs, as for the application", errUsage)
	case "memory":
		return sessions.Config{}, nil, fmt.Errorf("%w: the sessions of SESSION_TYPE=memory are in the application's own process", errUsage)
	}
	cfg, err := sessions.FromEnv()
	if err != nil {
		return cfg, nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if c, ok := cfg.Backend.(io.Closer); ok {
		t.closers = append(t.closers, c)
	}
	cfg.SweepInterval = -1 // only the sweep command removes anything
	cfg.Logger = slog.New(slog.NewTextHandler(t.err, nil))
	m, err := sessions.NewManager(cfg)
	if err != nil {
		return cfg, nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return cfg, m, nil
}

func (t *tool) close() error {
	var errs []error
	for _, c := range t.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// write writes v as JSON, or else the rows of a table.
func (t *tool) write(v any, rows ...[]string) error {
	if t.json {
		e := json.NewEncoder(t.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	return table(t.out, rows...)
}

// say writes one line, or as JSON v.
func (t *tool) say(v any, format string, args ...any) error {
	return t.write(v, []string{fmt.Sprintf(format, args...)})
}

// printf writes to the user, who may have gone.
func printf(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

func table(w io.Writer, rows ...[]string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(tw, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return tw.Flush()
}

// text returns a string as it may be shown on a terminal: what was put into a
// session must not move the cursor.
func text(s string) string {
	if s == "" {
		return "-"
	}
	q := fmt.Sprintf("%+q", s)
	if q = q[1 : len(q)-1]; q != s {
		return fmt.Sprintf("%q", s)
	}
	return s
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}
