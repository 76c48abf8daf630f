package sessions_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/codec"
	"github.com/go-session2/sessions/ginsession"
	"github.com/go-session2/sessions/sessionstest"
)

// A Manager is for what happens outside of requests, and for a program that
// wants to see the error of an invalid Config.
func ExampleNewManager() {
	mem, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := sessions.NewManager(sessions.Config{Backend: mem, Lifetime: 8 * time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	r := gin.New()
	r.Use(ginsession.New(m)) // in place of a Config
	r.GET("/healthz", func(c *gin.Context) {
		if m.Ping(c.Request.Context()) != nil {
			c.Status(http.StatusServiceUnavailable)
		}
	})
	removed, err := m.Sweep(context.Background())
	fmt.Println(m.Name(), removed, err)
	// Output: session 0 <nil>
}

// A Config that would not do what it says is an error that says what to
// change.
func ExampleNewManager_invalid() {
	_, err := sessions.NewManager(sessions.Config{Name: "__Host-session", Lifetime: time.Millisecond})
	fmt.Println(err)
	// Output:
	// sessions: invalid Config: the Lifetime 1ms must be between 1s and 87840h0m0s
	// a cookie name that begins with __Host- needs Secure: SecureAlways, or browsers drop the cookie
}

// A strict cookie, and sessions that end after half an hour without use and
// after eight hours in any case.
func ExampleConfig() {
	visitor := sessionstest.NewWithConfig(sessions.Config{
		Name:             "__Host-session",
		Secure:           sessions.SecureAlways,
		SameSite:         http.SameSiteStrictMode,
		Lifetime:         30 * time.Minute,
		AbsoluteLifetime: 8 * time.Hour,
	}, nil)
	visitor.Session().Set("user", "ada") // in a handler: sessions.Default(c).Set(...)
	c := visitor.Result().Cookie
	fmt.Println(c.Name, c.Path, c.MaxAge, c.Secure, c.HttpOnly, c.SameSite == http.SameSiteStrictMode)
	// Output: __Host-session / 1800 true true true
}

// The names of the settings are those of Flask-Session2.
func ExampleFromSettings() {
	cfg, err := sessions.FromSettings(map[string]any{
		"SESSION_TYPE":               "memory", // import its package, or backend/all
		"SESSION_COOKIE_NAME":        "shop",
		"PERMANENT_SESSION_LIFETIME": 2 * time.Hour,
	})
	fmt.Println(cfg.Name, cfg.Lifetime, err)

	_, err = sessions.FromSettings(map[string]any{"SESSION_COOKIE_SAMESITE": "Laxx"})
	fmt.Println(err)
	_, err = sessions.FromSettings(map[string]any{"SESSION_TIPE": "memory"})
	fmt.Println(err)
	// Output:
	// shop 2h0m0s <nil>
	// sessions: settings: SESSION_COOKIE_SAMESITE must be Lax, Strict or None (a string was given)
	// sessions: settings: SESSION_TIPE is not a setting; did you mean SESSION_TYPE?
}

func ExampleFromEnv() {
	for name, value := range map[string]string{ // most often the shell's business
		"SESSION_TYPE":               "memory",
		"PERMANENT_SESSION_LIFETIME": "3600", // seconds
	} {
		os.Setenv(name, value)
		defer os.Unsetenv(name)
	}
	cfg, err := sessions.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cfg.Lifetime, cfg.Backend != nil)
	// Output: 1h0m0s true
}

// With a Signer a forged cookie costs no store command. To rotate, put the
// new key first.
func ExampleNewSigner() {
	newKey, oldKey := make([]byte, 32), make([]byte, 32) // from where secrets are kept
	for _, key := range [][]byte{newKey, oldKey} {
		if _, err := rand.Read(key); err != nil {
			log.Fatal(err)
		}
	}
	before, err := sessions.NewSigner(oldKey)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := sessions.NewSigner(newKey, oldKey) // goes into Config.Signer
	if err != nil {
		log.Fatal(err)
	}
	id, ok := signer.Verify("session", before.Sign("session", "an-id"))
	fmt.Println(id, ok)
	_, ok = signer.Verify("session", "an-id.forged")
	fmt.Println(ok)
	// Output:
	// an-id true
	// false
}

// Sessions in the files of a Flask application with Flask-Session2: see
// docs/flask.md.
func ExampleFlaskCompatible() {
	dir, err := os.MkdirTemp("", "flask_session")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	files, err := filebackend.New(filebackend.Config{Dir: dir, Flask: backend.FlaskSession2})
	if err != nil {
		log.Fatal(err)
	}
	defer files.Close()
	signer, err := sessions.NewFlaskSigner([]byte("Flask's SECRET_KEY")) // with SESSION_USE_SIGNER only
	if err != nil {
		log.Fatal(err)
	}
	m, err := sessions.NewManager(sessions.FlaskCompatible(sessions.Config{Backend: files, Signer: signer}))
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	fmt.Println(m.Name())
	// Output: session
}

// What is in the store is encrypted, and bound to its session.
func ExampleConfig_encrypted() {
	key := make([]byte, codec.KeySize) // from where secrets are kept
	if _, err := rand.Read(key); err != nil {
		log.Fatal(err)
	}
	encrypted, err := codec.NewEncrypted(codec.MessagePack{}, key)
	if err != nil {
		log.Fatal(err)
	}
	visitor := sessionstest.NewWithConfig(sessions.Config{Codec: encrypted}, map[string]any{"iban": "GB33 BUKB 2020 1555 5555 55"})
	fmt.Println(visitor.Session().Get("iban")) // in a handler: sessions.Default(c).Get("iban")
	// Output: GB33 BUKB 2020 1555 5555 55
}

// Sweep is for a program that does not want the Manager to remove expired
// sessions in the background.
func ExampleManager_Sweep() {
	ctx, now := context.Background(), time.Now()
	store, err := memorybackend.New(memorybackend.Config{Now: func() time.Time { return now }})
	if err != nil {
		log.Fatal(err)
	}
	m, err := sessions.NewManager(sessions.Config{Backend: store, SweepInterval: -1})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	for _, key := range []string{"session:a", "session:b"} { // as requests do it
		if _, err := store.Create(ctx, key, nil, time.Hour); err != nil {
			log.Fatal(err)
		}
	}

	now = now.Add(2 * time.Hour)
	fmt.Println(m.Sweep(ctx))
	// Output: 2 <nil>
}
