package doctest

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/ginsession"
)

// A visit is one request to a site whose store may be in trouble.
type visit struct {
	t       *testing.T
	store   *filebackend.Backend
	url     string
	cookies []*http.Cookie

	mu       sync.Mutex
	reported error
}

// newVisit opens a site, with a store or without. Its pages change the session
// ("set"), end it ("end"), and read it ("get"); a test adds others.
func newVisit(t *testing.T, stored bool, pages func(*gin.Engine, *visit)) *visit {
	t.Helper()
	v := &visit{t: t}
	var err error
	if v.store, err = filebackend.New(filebackend.Config{Dir: t.TempDir(), NoSync: true}); err != nil {
		t.Fatal(err)
	}
	cfg := sessions.Config{Logger: slog.New(slog.DiscardHandler)}
	if stored {
		cfg.Backend = v.store
	}
	cfg.OnError = func(_ *http.Request, err error) {
		v.mu.Lock()
		v.reported = errors.Join(v.reported, err)
		v.mu.Unlock()
	}
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(ginsession.New(cfg))
	r.GET("/set", func(c *gin.Context) { sessions.Default(c).Set("user", "ada"); c.String(200, "page") })
	r.GET("/end", func(c *gin.Context) { _ = sessions.Default(c).Destroy(); c.String(200, "page") })
	r.GET("/get", func(c *gin.Context) { _ = sessions.Default(c).Get("user"); c.String(200, "page") })
	if pages != nil {
		pages(r, v)
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

// get asks for a page, and keeps no cookie.
func (v *visit) get(path string) (status int, body string, cookies []*http.Cookie) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.url+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range v.cookies {
		r.AddCookie(c)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer.StatusCode, string(text), answer.Cookies()
}

// begin begins a session and keeps its cookie, with those that are there.
func (v *visit) begin() {
	v.t.Helper()
	kept := v.cookies
	v.cookies = nil
	_, _, set := v.get("/set")
	v.cookies = append(kept, set...)
}

// damage writes into every stored session.
func (v *visit) damage() {
	v.t.Helper()
	ctx := v.t.Context()
	keys, _, err := v.store.List(ctx, "", "", 10)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, key := range keys {
		record, err := v.store.Load(ctx, key)
		if err == nil {
			_, err = v.store.Update(ctx, key, []byte("damaged"), backend.MaxTTL, record.Revision)
		}
		if err != nil {
			v.t.Fatal(err)
		}
	}
}

// TestErrors plays the table of errors of docs/sessions.md: which error is
// reported, and what the visitor sees.
func TestErrors(t *testing.T) {
	page := readPage(t, "docs/sessions.md")
	for _, test := range []struct {
		name, sees string // as in the table
		err        error
		storeless  bool
		pages      func(*gin.Engine, *visit)
		before     func(*visit)
		path       string
		status     int
		cookie     bool // a new one is set
	}{
		{name: "ErrUnavailable", sees: "503", err: sessions.ErrUnavailable, path: "/get", status: 503,
			before: func(v *visit) { v.begin(); v.store.Close() }},
		{name: "ErrGone", sees: "the handler's response, without a cookie", err: sessions.ErrGone, path: "/slow", status: 200,
			before: (*visit).begin, pages: func(r *gin.Engine, v *visit) {
				r.GET("/slow", func(c *gin.Context) {
					s := sessions.Default(c)
					s.Set("slow", s.Get("user"))
					v.get("/end") // in another request
					c.String(200, "page")
				})
			}},
		{name: "ErrCommitted", sees: "the handler's response; the change is lost", err: sessions.ErrCommitted, path: "/late", status: 200,
			pages: func(r *gin.Engine, _ *visit) {
				r.GET("/late", func(c *gin.Context) { c.String(200, "page"); sessions.Default(c).Set("late", true) })
			}},
		{name: "ErrCorrupt", sees: "a fresh session, under a new ID", err: sessions.ErrCorrupt, path: "/set", status: 200, cookie: true,
			before: func(v *visit) { v.begin(); v.damage() }},
		{name: "ErrAmbiguous", sees: "503; signing out ends all of them", err: sessions.ErrAmbiguous, path: "/get", status: 503,
			before: func(v *visit) { v.begin(); v.begin() }},
		{name: "ErrTooLarge", sees: "503; what is stored is as before", err: sessions.ErrTooLarge, path: "/big", status: 503,
			pages: func(r *gin.Engine, _ *visit) {
				r.GET("/big", func(c *gin.Context) { sessions.Default(c).Set("big", make([]byte, 2<<20)); c.String(200, "page") })
			}},
		{name: "ErrValue", sees: "503 when it was to be saved", err: sessions.ErrValue, path: "/func", status: 503,
			pages: func(r *gin.Engine, _ *visit) {
				r.GET("/func", func(c *gin.Context) { sessions.Default(c).Set("func", func() {}); c.String(200, "page") })
			}},
		{name: "ErrNotConfigured", sees: "503", err: sessions.ErrNotConfigured, path: "/set", status: 503, storeless: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			row := "\n| `" + test.name + "` | "
			at := strings.Index(page, row)
			if line, _, _ := strings.Cut(page[at+1:], "\n"); at < 0 || !strings.HasSuffix(line, " | "+test.sees+" |") {
				t.Errorf("docs/sessions.md says something else: %s", line)
			}
			v := newVisit(t, !test.storeless, test.pages)
			if test.before != nil {
				test.before(v)
			}
			status, body, cookies := v.get(test.path)
			if status != test.status || (body == "page") != (status == 200) || (len(cookies) > 0) != test.cookie {
				t.Errorf("the visitor gets status %d, %q and the cookies %v", status, body, cookies)
			}
			v.mu.Lock()
			defer v.mu.Unlock()
			if !errors.Is(v.reported, test.err) {
				t.Errorf("reported is %v", v.reported)
			}
		})
	}
}
