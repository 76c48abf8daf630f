package memcachedbackend

import (
	"fmt"
	"strings"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/redact"
)

// fail wraps what went wrong with the operation. A nil error stays nil.
func fail(op, key string, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	// The server's own limit may be lower than MaxSize.
	if strings.Contains(text, "object too large for cache") {
		err = fmt.Errorf("%w: more than the item size limit of the server (1 MiB, or its option -I)", backend.ErrTooLarge)
	}
	return fmt.Errorf("memcached: %s: %w", op, quiet(err, key))
}

// quiet returns err with a text that holds neither key nor data: gomemcache
// quotes a reply that it does not understand, and replies name the key.
func quiet(err error, key string) error {
	text := err.Error()
	short, _, _ := strings.Cut(text, `: "VALUE`)
	if key != "" {
		short, _, _ = strings.Cut(short, key)
	}
	if short == text {
		return err
	}
	return redact.Error(short+"...", err)
}
