package sessions_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/backend/redisbackend"
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

// outage returns a store whose server does not answer.
func outage() backend.Backend {
	srv := miniredis.NewMiniRedis()
	if err := srv.Start(); err != nil {
		log.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: srv.Addr(), MaxRetries: -1})
	srv.Close()
	return redisbackend.New(client)
}

// When the store fails the visitor gets the response of the ErrorHandler, and
// not a byte of the handler's.
func ExampleConfig_errorHandler() {
	r := gin.New()
	r.Use(ginsession.New(sessions.Config{
		Backend: outage(),
		Logger:  slog.New(slog.DiscardHandler),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			w.Header().Set("Retry-After", "10")
			http.Error(w, "We are back in a moment.", http.StatusServiceUnavailable)
		},
	}))
	r.GET("/", func(c *gin.Context) {
		sessions.Default(c).Set("user", "ada")
		c.String(http.StatusOK, "You are signed in.")
	})

	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Print(w.Code, " ", w.Body)
	fmt.Println(w.Header().Get("Retry-After"), w.Result().Cookies())
	// Output:
	// 503 We are back in a moment.
	// 10 []
}

// OnError is told of every failure, for instance to count them.
func ExampleConfig_onError() {
	r := gin.New()
	r.Use(ginsession.New(sessions.Config{
		Backend: outage(),
		Logger:  slog.New(slog.DiscardHandler),
		OnError: func(r *http.Request, err error) {
			fmt.Println(r.URL.Path, errors.Is(err, sessions.ErrUnavailable))
		},
	}))
	r.GET("/cart", func(c *gin.Context) { sessions.Default(c).Set("tea", 1) })

	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/cart", nil))
	// Output: /cart true
}

// With FailOpen the handler's response stands although the session is lost:
// for pages that are worth more than their session.
func ExampleConfig_failOpen() {
	r := gin.New()
	r.Use(ginsession.New(sessions.Config{
		Backend:  outage(),
		Logger:   slog.New(slog.DiscardHandler),
		FailOpen: true,
	}))
	r.GET("/news", func(c *gin.Context) {
		sessions.Update(sessions.Default(c), "read", func(n int) int { return n + 1 })
		c.String(http.StatusOK, "the news")
	})

	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/news", nil))
	fmt.Println(w.Code, w.Body, w.Result().Cookies())
	// Output: 200 the news []
}

// A handler that asks Err about a session that could not be loaded answers for
// itself, as long as it changes nothing.
func ExampleSession_Err() {
	r := gin.New()
	r.Use(ginsession.New(sessions.Config{Backend: outage(), Logger: slog.New(slog.DiscardHandler)}))
	r.GET("/", func(c *gin.Context) {
		s := sessions.Default(c)
		user := s.Get("user")
		if err := s.Err(); errors.Is(err, sessions.ErrUnavailable) {
			c.String(http.StatusOK, "We cannot tell who you are just now.")
			return
		}
		c.String(http.StatusOK, "Hello, %v!", user)
	})

	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Set("Cookie", "session=iLpmCSKB_HTxiZTSo4WyfkEEBPVOcIDIQ0FrTWgqaLw")
	w := httptest.NewRecorder()
	r.ServeHTTP(w, request)
	fmt.Println(w.Code, w.Body)
	// Output: 200 We cannot tell who you are just now.
}
