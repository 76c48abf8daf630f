package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-session2/sessions"
)

// damage overwrites what is stored for a cookie.
func damage(t *testing.T, b *box, cookie string) {
	t.Helper()
	var handle string
	b.visit(cookie, func(s *sessions.Session) { handle = s.Handle() })
	keys, _, err := b.m.KeyPage(t.Context(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		i, err := b.m.Find(t.Context(), key)
		if err != nil || i.Handle != handle {
			continue
		}
		if err := b.cfg.Backend.Delete(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := b.cfg.Backend.Create(t.Context(), key, []byte("damaged"), time.Hour); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("no such session")
}

func TestJSON(t *testing.T) {
	b := places[0].open(t, newPrefix())
	_, handle := b.login("ada", "n", 1)
	out, errs, code := b.ctl(nil, "list", "-json", "-keys")
	var entries []entry
	if err := json.Unmarshal([]byte(out), &entries); err != nil || code != 0 {
		t.Fatalf("exit %d, %v, %s", code, err, errs)
	}
	if len(entries) != 1 || entries[0].Handle != handle || entries[0].User != "ada" || !strings.HasPrefix(entries[0].Key, b.env["SESSION_KEY_PREFIX"]) || entries[0].Expires == nil {
		t.Errorf("list: %s", out)
	}
	// A store key names a session as well.
	out, _, _ = b.ctl(nil, "show", "-json", "-reveal", entries[0].Key)
	var shown struct {
		Handle string
		Values []struct {
			Key, Type string
			Value     any
		}
	}
	if err := json.Unmarshal([]byte(out), &shown); err != nil || shown.Handle != handle || len(shown.Values) != 1 || shown.Values[0].Value != 1.0 {
		t.Errorf("show: %v, %s", err, out)
	}
	for command, want := range map[string]string{
		"ping": `{"ok":true}`, "sweep": `{"removed":0}`, "revoke-user": `{"revoked":1}`, "list": `[]`, "revoke": `{"revoked":[]}`,
	} {
		args := []string{command, "-json"}
		switch command {
		case "revoke-user":
			continue
		case "revoke":
			args = append(args, "none")
		case "list":
			args = append(args, "-user", "nobody")
		}
		out, _, _ := b.ctl(nil, args...)
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(out)); err != nil || strings.TrimSpace(compact.String()) != want {
			t.Errorf("%s: %s, want %s", command, out, want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	b := places[0].open(t, newPrefix())
	cookie, handle := b.login("", "n", 1)
	bad, _ := b.login("", "n", 1)
	damage(t, b, bad)
	none := &box{t: t, env: map[string]string{}}
	memory := &box{t: t, env: map[string]string{"SESSION_TYPE": "memory"}}
	misspelt := &box{t: t, env: map[string]string{"SESSION_TYPE": "rediss"}}
	down := &box{t: t, env: map[string]string{"SESSION_TYPE": "redis", "SESSION_REDIS": "redis://127.0.0.1:1/0", "SESSION_TIMEOUT": "1"}}
	cached := &box{t: t, env: map[string]string{"SESSION_TYPE": "memcached", "SESSION_MEMCACHED": "127.0.0.1:1"}}
	plain := &box{t: t, env: map[string]string{"SESSION_TYPE": "filesystem", "SESSION_FILE_DIR": b.env["SESSION_FILE_DIR"], "SESSION_PLAIN_IDS": "true"}}
	for _, test := range []struct {
		box  *box
		args string
		code int
		text string // in the output or the errors
	}{
		{b, "help", 0, "revoke-user PRINCIPAL"},
		{b, "", exitUsage, "usage"},
		{b, "lisst", exitUsage, "unknown command"},
		{b, "list -h", 0, "-user principal"},
		{b, "list -x", exitUsage, "not defined"},
		{b, "list more", exitUsage, "usage: sessionctl list"},
		{b, "show", exitUsage, "usage: sessionctl show [FLAGS] HANDLE"},
		{b, "show nothing", exitNotFound, "ended"},
		{b, "revoke nothing " + handle, exitNotFound, "revoked " + handle},
		{b, "revoke " + handle, exitNotFound, "ended"},
		{b, "copy -parallel 0", exitUsage, "-parallel"},
		{none, "list", exitUsage, "SESSION_TYPE"},
		{memory, "list", exitUsage, "own process"},
		{misspelt, "list", exitUsage, "redis"},
		{down, "ping", exitFailed, "unavailable"},
		{down, "list", exitFailed, "unavailable"},
		{cached, "list", exitFailed, "cannot list"},
		{plain, "list -keys", exitUsage, "IDs"},
	} {
		out, errs, code := test.box.ctl(nil, strings.Fields(test.args)...)
		if code != test.code || !strings.Contains(out+errs, test.text) {
			t.Errorf("%s: exit %d, want %d\n%s%s", test.args, code, test.code, out, errs)
		}
	}
	if b.alive(cookie) {
		t.Error("the session was revoked and lives")
	}
	// A damaged one can be seen and ended.
	out, _, _ := b.ctl(nil, "list")
	h := strings.Fields(strings.Split(out, "\n")[1])[0]
	if out, errs, code := b.ctl(nil, "revoke", h); code != 0 || out != "revoked "+h+"\n" {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
	if out, _, _ := b.ctl(nil, "stats", "-json"); !strings.Contains(out, `"sessions": 0`) {
		t.Errorf("stats: %s", out)
	}
}

// No command shows an ID, and what a visitor has put into a session does not
// reach the terminal as it is.
func TestShowsNoSecret(t *testing.T) {
	b := places[0].open(t, newPrefix())
	cookie, handle := b.login("ada\x1b[2J", "hostile\x1b[2J", "hidden\x1b[2J", "inf", []byte("x"))
	_, id, _ := strings.Cut(cookie, "=")
	for _, args := range []string{"list", "list -keys", "list -json", "show " + handle, "show -json " + handle, "show -reveal " + handle, "stats", "revoke " + handle} {
		out, errs, code := b.ctl(nil, strings.Fields(args)...)
		if code != 0 {
			t.Errorf("%s: exit %d, %s", args, code, errs)
		}
		if strings.Contains(out+errs, id) || strings.Contains(out+errs, "\x1b") {
			t.Errorf("%s: %s", args, out)
		}
		if strings.Contains(out, "hidden") != strings.Contains(args, "reveal") {
			t.Errorf("%s: %s", args, out)
		}
	}
}
