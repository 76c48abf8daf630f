package backendtest

import (
	"bytes"
	"context"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions/backend"
)

// The rules that are watched in every case.
const (
	secretRule   = "An error's text holds no key and no data, as it ends up in logs."
	inputRule    = "A backend does not change the data that it is given."
	revisionRule = "The revision of a stored record is not nil, as nil stands for no revision."
)

// A watched backend is one whose every call is checked for the rules above.
type watched struct {
	backend.Backend
	t testing.TB
}

func (w *watched) Load(ctx context.Context, key string) (backend.Record, error) {
	w.t.Helper()
	rec, err := w.Backend.Load(ctx, key)
	w.secret("Load", err, key, nil)
	w.revision("Load", rec.Revision, err)
	return rec, err
}

func (w *watched) Create(ctx context.Context, key string, data []byte, ttl time.Duration) (backend.Revision, error) {
	w.t.Helper()
	was := bytes.Clone(data)
	rev, err := w.Backend.Create(ctx, key, data, ttl)
	w.secret("Create", err, key, data)
	w.revision("Create", rev, err)
	w.input("Create", was, data)
	return rev, err
}

func (w *watched) Update(ctx context.Context, key string, data []byte, ttl time.Duration, base backend.Revision) (backend.Revision, error) {
	w.t.Helper()
	was := bytes.Clone(data)
	rev, err := w.Backend.Update(ctx, key, data, ttl, base)
	w.secret("Update", err, key, data)
	w.revision("Update", rev, err)
	w.input("Update", was, data)
	return rev, err
}

func (w *watched) Touch(ctx context.Context, key string, ttl time.Duration) error {
	w.t.Helper()
	err := w.Backend.Touch(ctx, key, ttl)
	w.secret("Touch", err, key, nil)
	return err
}

func (w *watched) Delete(ctx context.Context, key string, base backend.Revision) error {
	w.t.Helper()
	err := w.Backend.Delete(ctx, key, base)
	w.secret("Delete", err, key, base)
	return err
}

// secret looks for the key and the beginning of the data in an error's text,
// as they are and in hexadecimal.
func (w *watched) secret(op string, err error, key string, data []byte) {
	w.t.Helper()
	if err == nil {
		return
	}
	text := strings.ToLower(err.Error())
	has := func(secret []byte) bool {
		return strings.Contains(text, strings.ToLower(string(secret))) || strings.Contains(text, hex.EncodeToString(secret))
	}
	if has([]byte(key)) {
		report(w.t, secretRule, "the error of %s holds the key", op)
	}
	if len(data) >= 16 && has(data[:16]) {
		report(w.t, secretRule, "the error of %s holds data", op)
	}
}

func (w *watched) revision(op string, rev backend.Revision, err error) {
	w.t.Helper()
	if err == nil && rev == nil {
		report(w.t, revisionRule, "%s returned nil", op)
	}
}

func (w *watched) input(op string, was, is []byte) {
	w.t.Helper()
	if !bytes.Equal(was, is) {
		report(w.t, inputRule, "%s changed it", op)
	}
}
