package sessions_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/gob"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/ginsession"
)

// bringOver moves a visitor's session from the Redis store of
// gin-contrib/sessions to this library's, once, when the cookie is still the
// old one. Mount it behind the session middleware, whose Config.Name is the
// old cookie's name, so that the new cookie takes the place of the old.
func bringOver(client redis.UniversalClient, name string, secret []byte) gin.HandlerFunc {
	gob.Register([]any{}) // flashes; and here every type that the old program registers
	return func(c *gin.Context) {
		cookie, err := c.Request.Cookie(name)
		if err != nil {
			return
		}
		id, ok := oldID(cookie, secret)
		if !ok { // it is a new one, or forged
			return
		}
		s := sessions.Default(c)
		if !s.IsNew() {
			return
		}
		// Taken, not only read: an old cookie works once, so that signing out stays final.
		data, err := client.GetDel(c.Request.Context(), "session_"+id).Bytes()
		if errors.Is(err, redis.Nil) { // expired, or moved already
			return
		}
		var old map[any]any
		if err == nil {
			err = gob.NewDecoder(bytes.NewReader(data)).Decode(&old)
		}
		if err != nil { // the visitor signs in again
			slog.WarnContext(c.Request.Context(), "an old session could not be moved", "error", err)
			return
		}
		for key, value := range old {
			key, isString := key.(string)
			flashes, isList := value.([]any)
			switch {
			case isString && strings.HasPrefix(key, "_flash") && isList:
				for _, f := range flashes {
					s.AddFlash(f)
				}
			case isString:
				s.Set(key, value)
			}
		}
	}
}

// oldID returns the session ID in a cookie of gorilla/securecookie, which is
// base64(date|base64(gob(ID))|HMAC-SHA256 of name|date|base64(gob(ID))).
func oldID(cookie *http.Cookie, secret []byte) (id string, ok bool) {
	signed, err := base64.URLEncoding.DecodeString(cookie.Value)
	end := len(signed) - sha256.Size - 1
	if err != nil || end < 0 {
		return "", false
	}
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s|%s", cookie.Name, signed[:end])
	if !hmac.Equal(mac.Sum(nil), signed[end+1:]) {
		return "", false
	}
	_, value, _ := bytes.Cut(signed[:end], []byte("|"))
	value, err = base64.URLEncoding.DecodeString(string(value))
	if err != nil {
		return "", false
	}
	err = gob.NewDecoder(bytes.NewReader(value)).Decode(&id)
	return id, err == nil
}

// What gin-contrib/sessions 1.0.4 has written with the key below.
const (
	oldSecret = "0123456789abcdef0123456789abcdef"
	oldCookie = "MTc5NTYzNjYyOXxOd3dBTkUwMlEwTktXVFpSUTA1WE5VZzBOVnBIVGtsV1dFaENObGxQTWpOR1FrODFVVUpXVlU5WE5ESkpWRVpRVkVKYVJWWlBXVkU9fLzqYhpm_x3DWloit7-tmaUk9p__aUJWNasNG1hWQGbC"
	oldKey    = "session_M6CCJY6QCNW5H45ZGNIVXHB6YO23FBO5QBVUOW42ITFPTBZEVOYQ"
	oldRecord = "DX8EAQL/gAABEAEQAABa/4AABANpbnQEAgAOBnN0cmluZwwZABdhIGtleSB0aGF0IGlzIG5vIHN0cmluZwZzdHJpbmcMCAAGX2ZsYXNoDltdaW50ZXJmYWNlIHt9/4ECAQL/ggABEAAAU/+CGgABBnN0cmluZwwPAA1XZWxjb21lIGJhY2suBnN0cmluZwwGAAR1c2VyBnN0cmluZwwFAANhZGEGc3RyaW5nDAgABnZpc2l0cwNpbnQEAgBS"
)

func TestBringOver(t *testing.T) {
	client, done := redisServer()
	defer done()
	record, err := base64.StdEncoding.DecodeString(oldRecord)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Set(context.Background(), oldKey, record, 0).Err(); err != nil {
		t.Fatal(err)
	}
	shop := gin.New()
	shop.Use(ginsession.New(sessions.Config{Backend: redisbackend.New(client), Name: "shop"}))
	shop.Use(bringOver(client, "shop", []byte(oldSecret)))
	shop.GET("/", func(c *gin.Context) {
		s := sessions.Default(c)
		c.String(http.StatusOK, "%v %v %d", s.Get("user"), s.Get("visits"), len(s.Flashes()))
	})
	shop.GET("/sign-out", func(c *gin.Context) {
		if err := sessions.Default(c).Destroy(); err != nil {
			t.Error(err)
		}
	})

	with := func(value string) *browser {
		return &browser{cookies: map[string]*http.Cookie{"shop": {Name: "shop", Value: value}}}
	}
	const stranger = "200 <nil> <nil> 0"
	expect := func(what string, b *browser, want string) {
		t.Helper()
		if got := b.visit(shop, "GET", "/", ""); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	forged := []byte(oldCookie)
	forged[len(forged)-3] ^= 1
	expect("forged", with(string(forged)), stranger)
	expect("no base64", with("%"), stranger)
	expect("short", with("YWJj"), stranger)

	ada := with(oldCookie)
	expect("first", ada, "200 ada 41 1")
	if ada.cookies["shop"].Value == oldCookie {
		t.Fatal("the browser has its old cookie still")
	}
	expect("second", ada, "200 ada 41 0")
	expect("old cookie again", with(oldCookie), stranger)
	ada.visit(shop, "GET", "/sign-out", "")
	expect("signed out", ada, stranger)
}
