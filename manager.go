package sessions

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/codec"
)

// A Manager keeps the sessions of one cookie name in one store. Make it with
// [NewManager]; its methods may be called by any number of goroutines at
// once. Adapters make one from a Config, so most programs never need to.
type Manager struct {
	redacted
	cfg   Config          // its Backend is observed if there is an OnEvent
	plain backend.Backend // as configured, for what it can do besides
	blank *document       // of a new session
	now   func() time.Time

	// Requests of one session that got into a conflict take turns to merge:
	// each holds the turn that its key hashes to. Without that, 200 of them
	// would run 200 rounds in which all but one lose.
	turns [64]chan struct{}
	seed  maphash.Seed

	ended   ended
	sweeper *sweeper

	indexer  backend.Indexer // nil when the store has no index of owners
	indexErr error           // why not
}

// A Source is what an adapter can make its middleware from: a [Config], for
// which it makes a Manager of its own, or a [*Manager].
type Source interface {
	Manager() (*Manager, error)
}

// Manager returns a new Manager for the Config, as [NewManager] does.
func (c Config) Manager() (*Manager, error) { return NewManager(c) }

// Manager returns m itself.
func (m *Manager) Manager() (*Manager, error) { return m, nil }

// NewManager checks a Config and returns a Manager for it. It does not ask
// the store for anything, so a program may start before its store. Close the
// Manager to end the background sweeping of a store that needs it.
func NewManager(cfg Config) (*Manager, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg, plain: cfg.Backend, blank: &document{}, now: time.Now, seed: maphash.MakeSeed()}
	if !cfg.NonPermanent {
		raw, err := cfg.Codec.Append(nil, true)
		if err != nil {
			return nil, fmt.Errorf("sessions: the Codec cannot encode a bool: %w", err)
		}
		m.blank.entries = []codec.Entry{{Key: []byte(keyPermanent), Raw: raw}}
	}
	for i := range m.turns {
		m.turns[i] = make(chan struct{}, 1)
	}
	m.openIndex()
	if cfg.MaxPerPrincipal > 0 && m.indexErr != nil {
		return nil, fmt.Errorf("sessions: MaxPerPrincipal cannot be kept: %w", m.indexErr)
	}
	if cfg.OnEvent != nil {
		m.cfg.Backend = observed{cfg.Backend, m}
	}
	if _, ok := cfg.Backend.(backend.Sweeper); ok && cfg.SweepInterval > 0 {
		m.sweeper = startSweeper(m)
	}
	return m, nil
}

// Name returns the cookie's name.
func (m *Manager) Name() string { return m.cfg.Name }

// Ping asks the store whether it answers. It returns nil for a backend that
// cannot tell, and an ErrUnavailable otherwise.
func (m *Manager) Ping(ctx context.Context) error {
	p, ok := m.plain.(backend.Pinger)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
	defer cancel()
	start := time.Now()
	err := p.Ping(ctx)
	m.observe(ctx, "ping", "", start, err)
	return storeError("ping", err)
}

// Close ends the background sweeping. It does not close the backend, which
// others may use. It may be called more than once; sessions can still be used
// afterwards.
func (m *Manager) Close() error {
	if m.sweeper != nil {
		m.sweeper.stop()
	}
	return nil
}

// takeTurn waits until it is the caller's turn to merge changes into the
// session under a store key. The caller must call done.
func (m *Manager) takeTurn(ctx context.Context, key string) (done func(), err error) {
	turn := m.turns[maphash.String(m.seed, key)%uint64(len(m.turns))]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// report tells the operator about a failure. key is the store key, or empty.
func (m *Manager) report(r *http.Request, key string, err error) {
	m.log(r.Context(), "session failure", key, err)
	if m.cfg.OnError != nil {
		m.cfg.OnError(r, err)
	}
}

// log writes a failure into the log, with the handle of the session under a
// store key unless that is empty.
func (m *Manager) log(ctx context.Context, text, key string, err error) {
	attrs := []slog.Attr{slog.String("name", m.cfg.Name), slog.Any("error", err)}
	if key != "" {
		attrs = append(attrs, slog.String("handle", m.handle(key)))
	}
	m.cfg.Logger.LogAttrs(ctx, slog.LevelError, text, attrs...)
}

// storeError says of an error of the backend which operation failed, and that
// the store is unavailable unless the error says something else.
func storeError(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, backend.ErrTooLarge), errors.Is(err, backend.ErrFull), errors.Is(err, backend.ErrCorrupt),
		errors.Is(err, backend.ErrNotConfigured), errors.Is(err, ErrValue):
		return fmt.Errorf("sessions: %s: %w", op, err)
	}
	return fmt.Errorf("sessions: %s: %w: %w", op, ErrUnavailable, err)
}
