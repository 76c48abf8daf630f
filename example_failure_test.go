package sessions_test

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/alicebob/miniredis/v2"
	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/ginsession"
)

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
