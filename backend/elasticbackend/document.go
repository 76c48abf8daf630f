package elasticbackend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-session2/sessions/backend"
)

// A position is what Elasticsearch calls the state of a document.
type position struct {
	SeqNo *int64 `json:"_seq_no"`
	Term  *int64 `json:"_primary_term"`
}

// state returns the state of a document with this expiry.
func (p position) state(expires time.Time) (*state, error) {
	if p.SeqNo == nil || p.Term == nil {
		return nil, errAnswer
	}
	return &state{seqNo: *p.SeqNo, term: *p.Term, expires: expires}, nil
}

// conditions returns the parameters of a write that is to replace this state.
func (s *state) conditions() url.Values {
	return url.Values{
		"if_seq_no":       {strconv.FormatInt(s.seqNo, 10)},
		"if_primary_term": {strconv.FormatInt(s.term, 10)},
	}
}

// A reading is the answer to a read of a document.
type reading struct {
	position
	Source source `json:"_source"`
}

// reading returns one to decode an answer into.
func (b *Backend) reading() reading { return reading{Source: b.layout.source()} }

// state returns the state that was read, given the error of the request: what
// could not be decoded is the document, when the rest could.
func (r *reading) state(err error) (*state, error) {
	if err != nil && !errors.Is(err, errAnswer) {
		return nil, err
	}
	if r.Source == nil { // as it is a null
		return nil, errDocument
	}
	expires, ok := r.Source.expiry()
	s, bad := r.position.state(expires)
	switch {
	case bad != nil:
		return nil, bad
	case err != nil || !ok:
		return nil, errDocument
	}
	s.owner = ownerOf(r.Source)
	return s, nil
}

// record is state with the data.
func (r *reading) record(err error) (*record, error) {
	s, err := r.state(err)
	if err != nil {
		return nil, err
	}
	data, ok := r.Source.content()
	if !ok {
		return nil, errDocument
	}
	return &record{*s, data}, nil
}

// doc sends a request about the document under key. It returns ErrNotFound
// when there is none, and errConflict when a condition does not hold.
func (b *Backend) doc(ctx context.Context, key string, r request, reply any) error {
	if key == "" || len(key) > maxKeySize || !utf8.ValidString(key) {
		return fmt.Errorf("a key of %d bytes is not 1 to %d bytes of UTF-8", len(key), maxKeySize)
	}
	r.key = key
	err := b.do(ctx, r, reply)
	switch {
	case is(err, absent), is(err, noDocument), is(err, noIndex) && r.method != http.MethodPut:
		return backend.ErrNotFound
	case is(err, conflict):
		return errConflict
	}
	return err
}

// get returns the document under key, whether it has expired or not.
func (b *Backend) get(ctx context.Context, key string) (*record, error) {
	reply := b.reading()
	return reply.record(b.doc(ctx, key, request{method: http.MethodGet, endpoint: docEndpoint}, &reply))
}

// getPrimary is get from the primary shard, by an update that changes nothing.
// It may only be called when there is an index, as it could make one.
func (b *Backend) getPrimary(ctx context.Context, key string) (*record, error) {
	reply := struct{ Get reading }{b.reading()}
	return reply.Get.record(b.doc(ctx, key, request{
		method: http.MethodPost, endpoint: updateEndpoint,
		query: url.Values{"_source": {"true"}}, body: []byte(`{"doc": {}}`),
	}, &reply))
}

// getState returns the state of the document under key, without its data.
func (b *Backend) getState(ctx context.Context, key, owner string) (*state, error) {
	reply := b.reading()
	fields := b.layout.expires
	if owner != "" {
		fields += "," + ownerField
	}
	return reply.state(b.doc(ctx, key, request{
		method: http.MethodGet, endpoint: docEndpoint, query: url.Values{"_source": {fields}},
	}, &reply))
}

// live makes a record that has expired an ErrNotFound.
func (b *Backend) live(rec *record, err error) (*record, error) {
	if err == nil && rec.ended(b.now()) {
		return nil, backend.ErrNotFound
	}
	return rec, err
}

// why returns the error of a write whose base is not the state that was read.
// With ErrConflict comes the record that is there instead, unless it is
// corrupt.
func (b *Backend) why(rec *record, err error) (*record, error) {
	rec, err = b.live(rec, err)
	if err == nil || errors.Is(err, backend.ErrCorrupt) {
		err = backend.ErrConflict
	}
	return rec, err
}

// A draft is a document that is to be stored.
type draft struct {
	source  []byte
	expires time.Time
	owner   string
}

// draft returns the document for data. Then there is an index to store it in:
// without one, Elasticsearch would make one of its own kind.
func (b *Backend) draft(ctx context.Context, owner, key string, data []byte, ttl time.Duration) (*draft, error) {
	if len(data) > b.maxSize {
		return nil, backend.TooLarge(len(data), b.maxSize)
	}
	expires := roundUp(b.now().Add(ttl))
	var source []byte
	var err error
	if owner == "" {
		source, err = b.layout.encode(key, data, expires)
	} else {
		source, err = encodeOwned(key, data, expires, owner)
	}
	if err != nil {
		return nil, err
	}
	return &draft{source, expires, owner}, b.prepare(ctx)
}

// put stores a document in place of the one in the state base, or as a new
// one when base is nil. Otherwise it returns errConflict.
func (b *Backend) put(ctx context.Context, key string, d *draft, base *state) (backend.Revision, error) {
	r := request{method: http.MethodPut, endpoint: createEndpoint, body: d.source, single: b.flask != backend.NoFlask}
	if base != nil {
		r.endpoint, r.query = docEndpoint, base.conditions()
	}
	var reply position
	err := b.doc(ctx, key, r, &reply)
	if isStatus(err, http.StatusRequestEntityTooLarge) {
		err = fmt.Errorf("%w: %d bytes, more than the server's http.max_content_length", backend.ErrTooLarge, len(d.source))
	}
	if err != nil {
		return nil, err
	}
	s, err := reply.state(d.expires)
	if err != nil {
		return nil, err
	}
	s.owner = d.owner
	return s.revision(), nil
}

// extend gives the document in the state base a later expiry.
func (b *Backend) extend(ctx context.Context, key string, expires time.Time, base *state, owner string) error {
	if b.flask != backend.NoFlask {
		return b.extendWhole(ctx, key, expires, base)
	}
	part, err := encodeExpiry(roundUp(expires), owner)
	if err != nil {
		return err
	}
	return b.write(ctx, key, request{
		method: http.MethodPost, endpoint: updateEndpoint,
		query: base.conditions(), body: fmt.Appendf(nil, `{"doc": %s}`, part),
	})
}

// extendWhole is extend by a get and an index request, as a partial update
// would spell the numbers of a JSON object anew.
func (b *Backend) extendWhole(ctx context.Context, key string, expires time.Time, base *state) error {
	rec, err := b.get(ctx, key)
	if err == nil && (rec.seqNo != base.seqNo || rec.term != base.term) {
		err = errConflict
	}
	if err != nil {
		return err
	}
	doc, err := b.layout.encode(key, rec.data, roundUp(expires))
	if err != nil {
		return err
	}
	return b.write(ctx, key, request{method: http.MethodPut, endpoint: docEndpoint, query: base.conditions(), body: doc})
}

// remove deletes the document under key, if it is in the state base where
// that is not nil.
func (b *Backend) remove(ctx context.Context, key string, base *state) error {
	r := request{method: http.MethodDelete, endpoint: docEndpoint, single: b.flask != backend.NoFlask}
	if base != nil {
		r.query = base.conditions()
	}
	return b.write(ctx, key, r)
}

// write is doc for a write of which only the success is of interest.
func (b *Backend) write(ctx context.Context, key string, r request) error {
	var reply position
	if err := b.doc(ctx, key, r, &reply); err != nil {
		return err
	}
	_, err := reply.state(time.Time{})
	return err
}
