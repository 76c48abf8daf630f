package codec

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/go-session2/sessions/internal/redact"
)

// KeySize is the length of an encryption key, in bytes.
const KeySize = 32

// A sealed document is
//
//	 0  magic 0xC1, which begins no document of another codec
//	 1  format version, 1
//	 2  key ID, 8 bytes
//	10  salt, 32 random bytes
//	42  nonce, 12 random bytes
//	54  the document of the inner codec, encrypted
//	    tag, the last 16 bytes
//
// The cipher is AES-256-GCM (NIST SP 800-38D) from the standard library. 96
// random bits are enough of a nonce for 2^32 messages under one key, which a
// busy site reaches. So each document has a key of its own, derived from the
// ring's key and the salt by HKDF-SHA256 (RFC 5869): with 352 random bits a
// document, a ring's key need not be replaced for its use. The additional
// data are bytes 0 to 41 and the binding.
//
// The key ID is derived from the key as well, under another label, so that
// the right key is found at once and nothing is learned about it.
const (
	sealedMagic   = 0xC1
	sealedVersion = 1
	keyIDSize     = 8
	saltSize      = 32
	sealedHeader  = 2 + keyIDSize + saltSize
	sealedExtra   = 12 + 16 // nonce and tag
)

// The labels that keep what is derived from one key apart.
const (
	labelKeyID    = "go-session2/sessions codec.Encrypted 1: key ID"
	labelDocument = "go-session2/sessions codec.Encrypted 1: document"
)

var (
	errUnsealed = errors.New("codec: encrypted: a document is only written and read with its binding, by Seal and Open: is the Encrypted hidden in another Codec?")
	errForeign  = errors.New("codec: encrypted: this is no encrypted document")
	errNoKey    = errors.New("codec: encrypted: the key that it was encrypted with is not in the ring")
	errOpen     = errors.New("codec: encrypted: the document was altered, or belongs to another record")
)

// Encrypted is a Codec that encrypts the documents of another one, keys and
// values, with AES-256-GCM. It is a [Sealer]: a record that was altered,
// copied to another session or to another cookie name, or given another time
// of creation, cannot be read. Neither can plaintext, nor anything else that
// no key of its ring has encrypted; there is no fallback.
//
// It does not hide how long a session is, when it was created and when it
// expires. It does not keep somebody who can write to the store from deleting
// a session or from putting an older state of the same session back.
//
// Make one with [NewEncrypted]; the zero value cannot be used. Its methods
// may be called by any number of goroutines at once.
type Encrypted struct {
	redacted
	inner Codec
	ring  []ringKey
}

type redacted = redact.Opaque

type ringKey struct {
	id     [keyIDSize]byte
	secret []byte
}

var _ Sealer = (*Encrypted)(nil)

// NewEncrypted returns a Codec that encrypts the documents of inner.
//
// The first key encrypts, all keys decrypt. To rotate, add the new key as the
// last one, deploy, move it to the front, deploy, and remove the old one when
// the sessions that were last saved under it have expired; those that have
// not are lost to their visitors. Keys are exactly [KeySize] bytes from
// crypto/rand; they are copied. A passphrase, or the base64 or hexadecimal
// text of a key, is no key.
//
// The error says which key cannot be used and why, without any of it.
func NewEncrypted(inner Codec, keys ...[]byte) (*Encrypted, error) {
	if inner == nil {
		return nil, errors.New("codec: NewEncrypted needs a Codec to encrypt for; the usual one is codec.MessagePack{}")
	}
	if _, ok := inner.(Sealer); ok {
		return nil, errors.New("codec: NewEncrypted of a Codec that encrypts already")
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("codec: NewEncrypted needs a key; make one with %d bytes from crypto/rand", KeySize)
	}
	c := &Encrypted{inner: inner}
	for i, key := range keys {
		if len(key) != KeySize {
			return nil, fmt.Errorf("codec: encryption key %d has %d bytes; it must be exactly %d random bytes", i+1, len(key), KeySize)
		}
		if bytes.Count(key, key[:1]) == len(key) {
			return nil, fmt.Errorf("codec: encryption key %d is one byte repeated; it must be %d random bytes", i+1, KeySize)
		}
		k := ringKey{secret: bytes.Clone(key)}
		id, err := hkdf.Key(sha256.New, k.secret, nil, labelKeyID, keyIDSize)
		if err != nil {
			return nil, fmt.Errorf("codec: encryption key %d: %w", i+1, err)
		}
		copy(k.id[:], id)
		if c.find(k.id[:]) != nil {
			return nil, fmt.Errorf("codec: encryption key %d is in the ring twice", i+1)
		}
		c.ring = append(c.ring, k)
	}
	return c, nil
}

// Append is that of the inner codec: a single value is not encrypted.
func (c *Encrypted) Append(dst []byte, v any) ([]byte, error) { return c.inner.Append(dst, v) }

// Decode is that of the inner codec.
func (c *Encrypted) Decode(raw []byte) (any, error) { return c.inner.Decode(raw) }

// DecodeInto is that of the inner codec.
func (c *Encrypted) DecodeInto(raw []byte, p any) error { return c.inner.DecodeInto(raw, p) }

// Join returns an error: see [Sealer].
func (c *Encrypted) Join([]byte, []Entry) ([]byte, error) { return nil, errUnsealed }

// Split returns an error: see [Sealer].
func (c *Encrypted) Split([]byte, func(Entry) error) error { return errUnsealed }

// Seal appends the encrypted document with the given entries to dst. It is
// 70 bytes longer than that of the inner codec.
func (c *Encrypted) Seal(dst []byte, entries []Entry, binding []byte) ([]byte, error) {
	plain, err := c.inner.Join(nil, entries)
	if err != nil {
		return nil, err
	}
	key := &c.ring[0]
	header := make([]byte, sealedHeader, sealedHeader+len(binding))
	header[0], header[1] = sealedMagic, sealedVersion
	copy(header[2:], key.id[:])
	_, _ = rand.Read(header[2+keyIDSize:]) // ends the program rather than fail
	aead, err := key.cipher(header)
	if err != nil {
		return nil, err
	}
	dst = append(dst, header...)
	return aead.Seal(dst, nil, plain, append(header, binding...)), nil
}

// Open decrypts what Seal has made with the same binding and calls yield for
// each entry. Anything else is an error, whatever it holds.
func (c *Encrypted) Open(sealed, binding []byte, yield func(Entry) error) error {
	if len(sealed) < sealedHeader+sealedExtra || sealed[0] != sealedMagic || sealed[1] != sealedVersion {
		return errForeign
	}
	header, body := sealed[:sealedHeader], sealed[sealedHeader:]
	key := c.find(header[2 : 2+keyIDSize])
	if key == nil {
		return errNoKey
	}
	aead, err := key.cipher(header)
	if err != nil {
		return err
	}
	data := make([]byte, 0, len(header)+len(binding))
	data = append(append(data, header...), binding...)
	plain, err := aead.Open(nil, nil, body, data)
	if err != nil {
		return errOpen
	}
	return c.inner.Split(plain, yield)
}

func (c *Encrypted) find(id []byte) *ringKey {
	for i := range c.ring {
		if bytes.Equal(c.ring[i].id[:], id) {
			return &c.ring[i]
		}
	}
	return nil
}

// cipher returns the cipher for the document with a header. It puts a random
// nonce before what it encrypts.
func (k *ringKey) cipher(header []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, k.secret, header[2+keyIDSize:sealedHeader], labelDocument, KeySize)
	if err != nil {
		return nil, fmt.Errorf("codec: encrypted: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("codec: encrypted: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
