package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
)

// A lazy is a handler written by hand as well as it can be: the session is a
// flat buffer that is searched for one key and spliced, never decoded, and
// the Redis client puts the commands of concurrent requests into one
// pipeline. A field is the length of the key in one byte, the key, the length
// of the value in four bytes, and the value as text.
type lazy struct{ store blobStore }

var errFlat = errors.New("the flat session is damaged")

// find returns the value of a key and where its length begins.
func find(buf []byte, key string) (value []byte, at int, err error) {
	for i := 0; i < len(buf); {
		end := i + 1 + int(buf[i])
		if end+4 > len(buf) {
			return nil, 0, errFlat
		}
		n := int(binary.BigEndian.Uint32(buf[end:]))
		if end+4+n > len(buf) {
			return nil, 0, errFlat
		}
		if string(buf[i+1:end]) == key {
			return buf[end+4 : end+4+n], end, nil
		}
		i = end + 4 + n
	}
	return nil, -1, nil
}

func appendField(buf []byte, f field) []byte {
	var value string
	switch v := f.value.(type) {
	case string:
		value = v
	case int:
		value = strconv.Itoa(v)
	}
	buf = append(buf, byte(len(f.key)))
	buf = append(buf, f.key...)
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(value)))
	return append(buf, value...)
}

func (h lazy) load(r *http.Request) (id string, data []byte, err error) {
	id = rawCookie(r)
	if id == "" {
		return "", nil, nil
	}
	data, err = h.store.get(r.Context(), id)
	if data == nil {
		id = ""
	}
	return id, data, err
}

// fill replaces the whole session, which is all that the scenarios need.
func (h lazy) fill(w http.ResponseWriter, r *http.Request, fields []field) error {
	var buf []byte
	for _, f := range fields {
		buf = appendField(buf, f)
	}
	return h.store.set(r.Context(), rawID(w), buf)
}

func (h lazy) get(r *http.Request, key string) (string, error) {
	_, data, err := h.load(r)
	if err != nil {
		return "", err
	}
	value, _, err := find(data, key)
	return string(value), err
}

func (h lazy) count(w http.ResponseWriter, r *http.Request) (int, error) {
	id, data, err := h.load(r)
	if err != nil {
		return 0, err
	}
	value, at, err := find(data, "count")
	if err != nil {
		return 0, err
	}
	n, _ := strconv.Atoi(string(value))
	if at < 0 { // a new session, or one without the key
		if id == "" {
			id = rawID(w)
		}
		return 1, h.store.set(r.Context(), id, appendField(bytes.Clone(data), field{"count", 1}))
	}
	digits := strconv.Itoa(n + 1)
	out := make([]byte, 0, len(data)+1)
	out = append(out, data[:at]...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(digits)))
	out = append(out, digits...)
	out = append(out, data[at+4+len(value):]...)
	return n + 1, h.store.set(r.Context(), id, out)
}

func buildAutopipeGin(p place) (app, error) {
	store, done := rawBlobs(p)
	if p.redis != "" {
		client := newRedis(p)
		piped, err := client.AutoPipeline()
		if err != nil {
			return app{}, err
		}
		store, done = redisBlobs{piped, p.prefix}, func() { _ = piped.Close(); _ = client.Close() }
	}
	h := lazy{store}
	r := newGin()
	ginRoutes(r, operations[*gin.Context]{
		fill:  func(c *gin.Context, fields []field) error { return h.fill(c.Writer, c.Request, fields) },
		get:   func(c *gin.Context, key string) (string, error) { return h.get(c.Request, key) },
		count: func(c *gin.Context) (int, error) { return h.count(c.Writer, c.Request) },
	})
	return app{http: r, close: done}, nil
}
