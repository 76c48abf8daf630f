package elasticbackend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-session2/sessions/internal/redact"
)

// errConflict: the document is not in the state that a condition asks for.
var errConflict = errors.New("version conflict")

// The kinds of answers that mean something here: the types that Elasticsearch
// gives to its errors, and absent for a document that is not there.
const (
	absent      = "absent"
	noDocument  = "document_missing_exception"
	noIndex     = "index_not_found_exception"
	indexExists = "resource_already_exists_exception"
	conflict    = "version_conflict_engine_exception"
	otherFields = "illegal_argument_exception" // of a mapping, as is the next
	otherObject = "mapper_exception"
)

// A statusError is an answer that is no success. Its text has the type of the
// error only, as the reasons that Elasticsearch gives quote the _id.
type statusError struct {
	status int
	kind   string // "" when the answer does not say
}

// newStatusError reads the kind from the answer. The status alone is not
// enough: a proxy that is badly set up answers 404, and that must end nobody's
// session.
func newStatusError(status int, body []byte) error {
	var reply struct {
		Found  *bool
		Result string
		Error  struct{ Type string }
	}
	// What is not from Elasticsearch may be anything, and has no kind.
	_ = json.Unmarshal(body, &reply)
	e := &statusError{status: status}
	switch {
	case isName(reply.Error.Type):
		e.kind = reply.Error.Type
	case status == http.StatusNotFound && (reply.Found != nil && !*reply.Found || reply.Result == "not_found"):
		e.kind = absent
	}
	return e
}

// isName reports whether the type of an error is but a name.
func isName(s string) bool {
	return s != "" && len(s) < 100 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.status, http.StatusText(e.status))
	if e.kind != "" {
		text += " (" + e.kind + ")"
	}
	return text
}

// is reports whether err is an answer of a kind.
func is(err error, kind string) bool {
	var e *statusError
	return errors.As(err, &e) && e.kind == kind
}

// isStatus reports whether err is an answer with a status.
func isStatus(err error, status int) bool {
	var e *statusError
	return errors.As(err, &e) && e.status == status
}

// fail wraps what went wrong with the operation. A nil error stays nil.
func fail(ctx context.Context, op, key string, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return fmt.Errorf("elasticsearch: %s: %w", op, quiet(err, key))
}

// quiet returns err with a text that does not hold the key, which is in the
// URL that an http.Client quotes.
func quiet(err error, key string) error {
	text := err.Error()
	short := text
	var failed *url.Error
	if errors.As(err, &failed) {
		short, _, _ = strings.Cut(short, failed.URL)
	}
	if key != "" {
		short, _, _ = strings.Cut(short, key)
		short, _, _ = strings.Cut(short, escape(key))
	}
	if short == text {
		return err
	}
	return redact.Error(short+"...", err)
}
