package elasticbackend

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-session2/sessions/backend"
)

// flaskProperties is the mapping of the fields of Flask-Session2. The
// sub-field of the id has the name that it has where Elasticsearch guesses.
// What is in a session is not indexed.
const flaskProperties = `{"id": {"type": "text", "index": false, "fields": {"keyword": {"type": "keyword", "ignore_above": 512}}},` +
	` "val": {"type": "object", "enabled": false}, "expiration": {"type": "date"}}`

var (
	_ backend.FlaskStore = (*Backend)(nil)

	errNoFlask = errors.New("only Flask-Session2 stores sessions in Elasticsearch, Flask-Session does not: Flask must be FlaskSession2, and SESSION_SERIALIZATION_FORMAT pickle or absent")
	errObject  = errors.New("the data is no JSON object, which Flask-Session2 stores in Elasticsearch")
)

// FlaskLayout implements [backend.FlaskStore]. The format is JSON.
func (b *Backend) FlaskLayout() (backend.FlaskLayout, backend.FlaskFormat) {
	if b.flask == backend.NoFlask {
		return backend.NoFlask, ""
	}
	return b.flask, backend.FlaskJSON
}

// FlaskSchema is [Schema] for an index that Flask-Session2 shares. Where
// Flask-Session2 has made the index, Elasticsearch has guessed a mapping at
// the first write, which cannot be changed: it indexes what is in the
// sessions, and refuses a session that has a value of another type than an
// earlier one under the same name. So it should be made before.
func FlaskSchema() string {
	return body(flaskProperties)
}

// A flaskDocument is what Flask-Session2 stores of a record.
type flaskDocument struct {
	Val        json.RawMessage `json:"val"`
	Expiration json.RawMessage `json:"expiration"`
}

// flaskTime has the fraction without which Flask-Session2 cannot read it.
const flaskTime = "2006-01-02T15:04:05.000000-07:00"

func encodeFlask(key string, data []byte, expires time.Time) ([]byte, error) {
	if !json.Valid(data) || !isObject(data) {
		return nil, errObject
	}
	id, err := json.Marshal(key)
	if err != nil {
		return nil, err
	}
	// Package json would change the spelling of the data.
	doc := append([]byte(`{"id":`), id...)
	doc = append(append(doc, `,"val":`...), data...)
	doc = append(doc, `,"expiration":"`...)
	return append(expires.UTC().AppendFormat(doc, flaskTime), `"}`...), nil
}

// isObject reports whether a JSON text is an object.
func isObject(text []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) }

// expiry implements source. A session that is not permanent has a null.
func (d *flaskDocument) expiry() (expires time.Time, ok bool) {
	if d.Expiration == nil || string(d.Expiration) == "null" {
		return time.Time{}, true
	}
	if json.Unmarshal(d.Expiration, &expires) != nil {
		return time.Time{}, false
	}
	return roundUp(expires), true
}

// content implements source.
func (d *flaskDocument) content() (data []byte, ok bool) { return d.Val, isObject(d.Val) }
