package sessions

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/go-session2/sessions/codec"
)

// The bytes stored for a session are a header and the codec's document (with
// FlaskCompatible, the document alone):
//
//	 0  magic 0xC1, which begins neither MessagePack nor JSON nor a pickle
//	 1  format version, 1
//	 2  creation time, Unix milliseconds, int64
//	10  write token, 8 random bytes
//	18  CRC-32C (RFC 9260, appendix A) of the store key, the bytes 0 to 17 and
//	    the document
//	22  the document
//
// Integers are big-endian. The token makes the bytes of every write unique,
// so a store that already holds them has seen this very write. The checksum
// covers the key, so a record that turns up under another key, by a copy in
// the store or by a reply that a confused client handed to the wrong caller,
// is refused. It is no protection from somebody who can write to the store;
// a codec.Sealer is, to which the key and the header are given as well.
const (
	recordMagic   = 0xC1
	recordVersion = 1
	recordHeader  = 22
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecordHeader appends a header whose checksum is still missing; the
// document comes next, then sealRecord.
func appendRecordHeader(dst []byte, created time.Time) []byte {
	dst = append(dst, recordMagic, recordVersion)
	dst = binary.BigEndian.AppendUint64(dst, uint64(created.UnixMilli()))
	var token [8]byte
	_, _ = rand.Read(token[:])
	dst = append(dst, token[:]...)
	return append(dst, 0, 0, 0, 0)
}

// sealRecord fills in the checksum of a record for a store key.
func sealRecord(key string, record []byte) {
	binary.BigEndian.PutUint32(record[18:], recordSum(key, record))
}

// openRecord checks a record loaded from a store key and returns its parts.
func openRecord(key string, record []byte) (created time.Time, document []byte, err error) {
	switch {
	case len(record) < recordHeader || record[0] != recordMagic:
		err = fmt.Errorf("%w: not written by this library, or truncated", ErrCorrupt)
	case record[1] != recordVersion:
		err = fmt.Errorf("%w: format version %d is unknown", ErrCorrupt, record[1])
	case binary.BigEndian.Uint32(record[18:]) != recordSum(key, record):
		err = fmt.Errorf("%w: checksum does not match: damaged, or another session's record", ErrCorrupt)
	}
	if err != nil {
		return time.Time{}, nil, err
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(record[2:]))), record[recordHeader:], nil
}

func recordSum(key string, record []byte) uint32 {
	sum := ^uint32(0)
	for i := range len(key) { // crc32.Update would have the key copied to the heap
		sum = castagnoli[byte(sum)^key[i]] ^ sum>>8
	}
	sum = crc32.Update(^sum, castagnoli, record[:18])
	return crc32.Update(sum, castagnoli, record[recordHeader:])
}

// join appends the document with the given entries to the header of the
// record that will be stored under a key.
func (m *Manager) join(key string, header []byte, entries []codec.Entry) ([]byte, error) {
	if s, ok := m.cfg.Codec.(codec.Sealer); ok {
		return s.Seal(header, entries, m.binding(key, header))
	}
	return m.cfg.Codec.Join(header, entries)
}

// split takes apart the document that openRecord has found behind a header.
func (m *Manager) split(key string, header, document []byte, yield func(codec.Entry) error) error {
	if s, ok := m.cfg.Codec.(codec.Sealer); ok {
		return s.Open(document, m.binding(key, header), yield)
	}
	return m.cfg.Codec.Split(document, yield)
}

// binding returns what a codec.Sealer binds a document to: the header of its
// record but for the checksum, the cookie's name and the store key. Each has
// a fixed length or begins with its length, so no two records have the same.
func (m *Manager) binding(key string, header []byte) []byte {
	b := make([]byte, 0, 18+2*4+len(m.cfg.Name)+len(key))
	b = append(b, header[:18]...)
	for _, s := range []string{m.cfg.Name, key} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}
