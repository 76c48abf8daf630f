package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/nullbackend"
	"github.com/go-session2/sessions/codec"
)

// The defaults of Config. Lifetime, name and prefix are Flask's.
const (
	DefaultName     = "session"
	DefaultPrefix   = "session:"
	DefaultLifetime = 31 * 24 * time.Hour
	DefaultTimeout  = 5 * time.Second
	DefaultMaxSize  = 1 << 20
)

// Special values of Config.RefreshInterval.
const (
	// RefreshAlways extends the session, and sends its cookie again, with
	// every request that uses it.
	RefreshAlways time.Duration = -1
	// RefreshNever extends the session only when it is changed.
	RefreshNever time.Duration = -2
)

// maxCookieAge is how long browsers keep a cookie at most (RFC 6265bis, 5.5).
const maxCookieAge = 400 * 24 * time.Hour

// The most bytes of a cookie's name and value together, and of one of its
// attributes, that browsers take (RFC 6265bis, section 5.6).
const (
	maxCookie    = 4096
	maxAttribute = 1024
)

// Config says how sessions are kept. The zero value is valid: it is Flask's
// null session, which reads as empty and cannot be changed. A Config is
// checked once, by [NewManager] or by the New and Use functions of the
// adapters, and may be changed or used again afterwards. Formatted, logged or
// encoded it shows nothing, as it leads to keys and passwords.
type Config struct {
	redacted

	// Backend is the store. The default is none: reads find nothing, and a
	// change is an ErrNotConfigured.
	Backend backend.Backend

	// Codec encodes the session's values. The default is
	// codec.MessagePack{}; codec.NewEncrypted makes one that encrypts. See
	// also FlaskCompatible.
	Codec codec.Codec

	// Name is the cookie's name, and the name that [Named] looks for. The
	// default is "session".
	Name string

	// Prefix begins every key in the store. The default is "session:".
	Prefix string

	// PlainIDs uses Prefix + ID as the store key, as Flask does. By default
	// the ID is hashed with the cookie's name, so that a leaked store holds
	// nothing that works as a cookie, and the sessions of one name are
	// worth nothing under another.
	PlainIDs bool

	// Lifetime is how long a session lives after its last use. It is
	// extended in steps, see RefreshInterval. The default is 31 days; less
	// than a second is an error, and so is more than 400 days, the most
	// that browsers keep a cookie, unless NonPermanent is set.
	Lifetime time.Duration

	// AbsoluteLifetime is how long a session lives in all, however often it
	// is used or regenerated. The default, 0, sets no such limit.
	AbsoluteLifetime time.Duration

	// RefreshInterval is how far the expiry of a session in use may lag
	// behind before it is moved, with one touch of the store and, for a
	// permanent session, one cookie. The default is a tenth of the time
	// that the session has left, which is also the most that it can be. See
	// also RefreshAlways and RefreshNever.
	RefreshInterval time.Duration

	// NonPermanent makes new sessions end with the browser: their cookie
	// has no expiry. [Session.SetPermanent] changes it for one session.
	NonPermanent bool

	// Path and Domain of the cookie. The defaults are "/" and none, which
	// means the very host that set it.
	Path, Domain string

	// Secure says when the cookie gets the Secure attribute. The default is
	// SecureAuto.
	Secure SecurePolicy

	// SameSite of the cookie. The default is http.SameSiteLaxMode;
	// http.SameSiteNoneMode needs SecureAlways.
	SameSite http.SameSite

	// ScriptAccess omits the HttpOnly attribute, so that scripts in the
	// page can read the cookie.
	ScriptAccess bool

	// Partitioned keeps the cookie in a jar of its own for each top-level
	// site (CHIPS). It needs SecureAlways.
	Partitioned bool

	// Signer signs the cookie's value, so that a forged one costs no store
	// command. The default is none: the ID is unguessable by itself.
	Signer Signer

	// MaxSize is the most bytes that an encoded session may have. The
	// default is 1 MiB; a store may hold less.
	MaxSize int

	// MaxPerPrincipal is how many sessions a principal has at most:
	// [Session.Login] ends those above it that were signed in first. It
	// needs a store with an index, which all have but memcached. The
	// default, 0, sets no limit.
	MaxPerPrincipal int

	// Timeout bounds what one request waits for the store at a time: to
	// load, to save, to regenerate. The default is 5 seconds.
	Timeout time.Duration

	// SweepInterval is how often expired sessions are removed from a store
	// that does not remove them by itself, give or take a tenth. The
	// default is 10 minutes; a negative value leaves it to
	// [Manager.Sweep].
	SweepInterval time.Duration

	// ErrorHandler writes the response when the session could not be loaded
	// or saved. The default is a bare 503. It must not use the session. The
	// error is for logs, not for clients.
	ErrorHandler func(w http.ResponseWriter, r *http.Request, err error)

	// FailOpen keeps the handler's response when the session could not be
	// loaded or saved: the handler sees an empty session, changes are lost,
	// and no cookie is sent. The error is reported all the same.
	FailOpen bool

	// OnError is told of every failure, also of those that no response can
	// tell any more. It may be called by many goroutines.
	OnError func(r *http.Request, err error)

	// OnEvent is told what happens to sessions and in the store: see
	// [Event]. It is called by the goroutine that it happens in, with the
	// context of the request, before that goes on: so it must be quick,
	// must not use the session, and may be called by many goroutines at
	// once. The default, nil, costs nothing.
	OnEvent func(ctx context.Context, e Event)

	// Logger gets every failure as well. The default is slog.Default(); use
	// slog.New(slog.DiscardHandler) for none.
	Logger *slog.Logger

	flask bool // set by FlaskCompatible
}

// SecurePolicy says when the session cookie gets the Secure attribute.
type SecurePolicy int

const (
	// SecureAuto sets it when the request came over TLS, or says so in
	// X-Forwarded-Proto or Forwarded (RFC 7239). A client that forges these
	// only makes its own cookie stricter.
	SecureAuto SecurePolicy = iota
	// SecureAlways sets it on every cookie.
	SecureAlways
	// SecureNever never sets it.
	SecureNever
)

// complete returns the Config with its defaults filled in, or an error that
// says what to change.
func (c Config) complete() (Config, error) {
	if c.Backend == nil {
		c.Backend = nullbackend.New()
	}
	if c.Name == "" {
		c.Name = DefaultName
	}
	if c.Prefix == "" {
		c.Prefix = DefaultPrefix
	}
	if c.Lifetime == 0 {
		c.Lifetime = DefaultLifetime
	}
	if c.Path == "" {
		c.Path = "/"
	}
	if c.SameSite == 0 {
		c.SameSite = http.SameSiteLaxMode
	}
	if c.MaxSize == 0 {
		c.MaxSize = DefaultMaxSize
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.SweepInterval == 0 {
		c.SweepInterval = 10 * time.Minute
	}
	if c.ErrorHandler == nil {
		c.ErrorHandler = serviceUnavailable
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	flask := c.completeFlask()
	if c.Codec == nil {
		c.Codec = codec.MessagePack{}
	}
	if err := errors.Join(c.checkLifetimes(), c.checkCookie(), flask); err != nil {
		return Config{}, fmt.Errorf("sessions: invalid Config: %w", err)
	}
	return c, nil
}

func (c *Config) checkLifetimes() error {
	var errs []error
	if c.Lifetime < time.Second || c.Lifetime > backend.MaxTTL {
		errs = append(errs, fmt.Errorf("the Lifetime %v must be between 1s and %v", c.Lifetime, backend.MaxTTL))
	} else if c.Lifetime > maxCookieAge && !c.NonPermanent {
		errs = append(errs, fmt.Errorf("the Lifetime %v exceeds 400 days, the most that browsers keep a cookie; shorten it or set NonPermanent", c.Lifetime))
	}
	if c.AbsoluteLifetime != 0 && c.AbsoluteLifetime < time.Second {
		errs = append(errs, fmt.Errorf("the AbsoluteLifetime %v must be at least 1s, or 0 for no limit", c.AbsoluteLifetime))
	}
	if c.RefreshInterval < RefreshNever {
		errs = append(errs, fmt.Errorf("the RefreshInterval %v must not be negative, except for RefreshAlways and RefreshNever", c.RefreshInterval))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("the Timeout %v must be positive", c.Timeout))
	}
	if c.MaxPerPrincipal < 0 {
		errs = append(errs, fmt.Errorf("MaxPerPrincipal %d must be positive, or 0 for no limit", c.MaxPerPrincipal))
	}
	if c.MaxSize < 0 {
		errs = append(errs, fmt.Errorf("MaxSize %d must be positive", c.MaxSize))
	}
	return errors.Join(errs...)
}

func (c *Config) checkCookie() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	probe := http.Cookie{Name: c.Name, Value: "x", Path: c.Path, Domain: c.Domain, SameSite: c.SameSite}
	if err := probe.Valid(); err != nil {
		fail("the cookie is invalid: %w; check Name, Path and Domain", err)
	}
	if c.Path[0] != '/' {
		fail("Path must begin with /, or browsers ignore it")
	}
	if len(c.Path) > maxAttribute || len(c.Domain) > maxAttribute {
		fail("Path and Domain may have %d bytes each, or browsers ignore them", maxAttribute)
	}
	value := strings.Repeat("A", idChars)
	if c.Signer != nil {
		id := value
		value = c.Signer.Sign(c.Name, id)
		if back, ok := c.Signer.Verify(c.Name, value); !ok || back != id {
			fail("the Signer does not verify what it has signed")
		}
	}
	if strings.ContainsFunc(value, notCookieOctet) {
		fail("the Signer's values have characters that a cookie cannot have (RFC 6265bis, section 4.1.1)")
	}
	if len(c.Name)+len(value) > maxCookie {
		fail("the cookie's name and value have more than %d bytes, and browsers drop the cookie; shorten Name", maxCookie)
	}
	switch c.SameSite {
	case http.SameSiteLaxMode, http.SameSiteStrictMode:
	case http.SameSiteNoneMode:
		if c.Secure != SecureAlways {
			fail("SameSite=None needs Secure: SecureAlways, or browsers drop the cookie")
		}
	default:
		fail("SameSite must be Lax, Strict or None")
	}
	if c.Secure < SecureAuto || c.Secure > SecureNever {
		fail("Secure must be SecureAuto, SecureAlways or SecureNever")
	}
	if c.Partitioned && c.Secure != SecureAlways {
		fail("Partitioned needs Secure: SecureAlways, or browsers drop the cookie")
	}
	// RFC 6265bis, 4.1.3. Browsers match the prefixes without regard to
	// case and drop a cookie that breaks their rules.
	for _, prefix := range []string{"__Host-", "__Secure-"} {
		if len(c.Name) < len(prefix) || !strings.EqualFold(c.Name[:len(prefix)], prefix) {
			continue
		}
		if !strings.HasPrefix(c.Name, prefix) {
			fail("the cookie name's prefix must be written %s exactly", prefix)
		}
		if c.Secure != SecureAlways {
			fail("a cookie name that begins with %s needs Secure: SecureAlways, or browsers drop the cookie", prefix)
		}
		if prefix == "__Host-" && (c.Domain != "" || c.Path != "/") {
			fail(`a cookie name that begins with __Host- needs Path "/" and no Domain, or browsers drop the cookie`)
		}
	}
	return errors.Join(errs...)
}

// notCookieOctet tells whether a character may not be in a cookie's value.
func notCookieOctet(r rune) bool {
	return r <= ' ' || r >= 0x7F || strings.ContainsRune(`",;\`, r)
}

// serviceUnavailable is the default ErrorHandler.
func serviceUnavailable(w http.ResponseWriter, _ *http.Request, _ error) {
	http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
}
