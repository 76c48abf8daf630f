package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
)

func ping(ctx context.Context, t *tool, _ []string) error {
	if err := t.m.Ping(ctx); err != nil {
		return err
	}
	return t.say(map[string]bool{"ok": true}, "ok")
}

func revoke(ctx context.Context, t *tool, args []string) error {
	var failed error
	revoked := []string{}
	for _, name := range args {
		i, err := t.m.Find(ctx, name)
		if err == nil || errors.Is(err, sessions.ErrCorrupt) {
			err = i.Revoke(ctx)
		}
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		revoked = append(revoked, i.Handle)
	}
	rows := make([][]string, len(revoked))
	for i, h := range revoked {
		rows[i] = []string{"revoked " + h}
	}
	return errors.Join(t.write(map[string][]string{"revoked": revoked}, rows...), failed)
}

func revokeUser(ctx context.Context, t *tool, args []string) error {
	n, err := t.m.RevokeAll(ctx, args[0])
	return errors.Join(t.say(map[string]int{"revoked": n}, "revoked %d sessions", n), err)
}

func sweep(ctx context.Context, t *tool, _ []string) error {
	if _, ok := t.cfg.Backend.(backend.Sweeper); !ok {
		return t.say(map[string]int{"removed": 0}, "nothing to do: the store removes expired sessions by itself")
	}
	n, err := t.m.Sweep(ctx)
	if err != nil {
		return fmt.Errorf("after %d sessions: %w", n, err)
	}
	return t.say(map[string]int{"removed": n}, "removed %d expired sessions", n)
}
