package flasktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

// prefix begins the keys of this run, in the stores that are shared.
var prefix = unique() + ":"

// shortLife is the lifetime of sessions that are to expire.
const shortLife = 2 * time.Second

// A group is the applications that share one store.
type group struct {
	store
	flask  *app
	ours   []*app // one on each framework
	all    []*app
	hasty  *app // ours, whose sessions live for shortLife
	cfg    sessions.Config
	errors *errorLog
}

// An option changes the settings of both sides.
type option func(settings map[string]any)

func signed(settings map[string]any) {
	settings["SESSION_USE_SIGNER"], settings["SECRET_KEY"] = true, "not so secret"
}

func temporary(settings map[string]any) { settings["SESSION_PERMANENT"] = false }

// open starts the applications on a store.
func (s store) open(t *testing.T, options ...option) *group {
	t.Helper()
	testenv.Need(t, string(s.stack))
	addr := ""
	if s.env != "" {
		addr = testenv.Need(t, s.env)
	}
	flask, ours := s.settings(t, addr)
	common := map[string]any{"SESSION_TYPE": s.typ, "SESSION_KEY_PREFIX": prefix, "SECRET_KEY": "for flash messages"}
	if s.format != "" {
		common["SESSION_SERIALIZATION_FORMAT"] = s.format
	}
	for _, o := range options {
		if o != nil {
			o(common)
		}
	}
	settings := map[string]any{"SESSION_FLASK_COMPATIBLE": true}
	maps.Copy(settings, common)
	maps.Copy(settings, ours)
	for name, value := range common {
		switch v := value.(type) {
		case string:
			flask[name] = v
		default:
			flask[name] = fmt.Sprint(v)
		}
	}
	g := &group{store: s, errors: new(errorLog)}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("we reported:\n%v", errors.Join(g.errors.all()...))
		}
	})
	var err error
	if g.cfg, err = sessions.FromSettings(settings); err != nil {
		t.Fatal(err)
	}
	if c, ok := g.cfg.Backend.(io.Closer); ok {
		t.Cleanup(func() { c.Close() })
	}
	g.cfg.Logger, g.cfg.OnError = slog.New(slog.DiscardHandler), g.errors.add
	// Flask-Session2 makes no table in DynamoDB; we do.
	if _, err := g.cfg.Backend.Load(t.Context(), prefix+"nothing"); !errors.Is(err, backend.ErrNotFound) {
		t.Fatalf("the store: %v", err)
	}
	g.flask = startFlask(t, s.stack, flask)
	for name := range frameworks {
		g.ours = append(g.ours, startSite(t, name, g.manager(t, g.cfg)))
	}
	g.all = append([]*app{g.flask}, g.ours...)
	hasty := g.cfg
	hasty.Lifetime = shortLife
	g.hasty = startSite(t, "Gin", g.manager(t, hasty))
	return g
}

func (g *group) manager(t *testing.T, cfg sessions.Config) *sessions.Manager {
	m, err := sessions.NewManager(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// stored tells whether the store has a session with the ID of a cookie.
func (g *group) stored(t *testing.T, cookie string) bool {
	t.Helper()
	id := cookie
	if dot := strings.IndexByte(cookie, '.'); dot >= 0 {
		id = cookie[:dot]
	}
	_, err := g.cfg.Backend.Load(context.Background(), prefix+id)
	if err != nil && !errors.Is(err, backend.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// An errorLog collects what is reported to Config.OnError.
type errorLog struct {
	mu   sync.Mutex
	errs []error
}

func (l *errorLog) add(_ *http.Request, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errs = append(l.errs, err)
}

func (l *errorLog) all() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.errs)
}
