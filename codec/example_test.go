package codec_test

import (
	"crypto/rand"
	"fmt"
	"log"
	"time"

	"github.com/go-session2/sessions/codec"
)

func ExampleMessagePack() {
	var c codec.MessagePack

	var entries []codec.Entry
	for _, value := range []struct {
		key string
		v   any
	}{
		{"user", int64(42)},
		{"roles", []string{"admin", "editor"}},
		{"since", time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)},
	} {
		raw, err := c.Append(nil, value.v)
		if err != nil {
			log.Fatal(err)
		}
		entries = append(entries, codec.Entry{Key: []byte(value.key), Raw: raw})
	}
	doc, err := c.Join(nil, entries)
	if err != nil {
		log.Fatal(err)
	}

	err = c.Split(doc, func(e codec.Entry) error {
		v, err := c.Decode(e.Raw)
		fmt.Printf("%s: %T %v\n", e.Key, v, v)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// user: int64 42
	// roles: []string [admin editor]
	// since: time.Time 2024-01-02 03:04:05 +0000 UTC
}

func ExampleMessagePack_DecodeInto() {
	type Cart struct {
		Items  map[string]int
		Coupon string `session:"coupon,omitempty"`
	}
	var c codec.MessagePack

	raw, err := c.Append(nil, Cart{Items: map[string]int{"tea": 2}})
	if err != nil {
		log.Fatal(err)
	}
	var cart Cart
	if err := c.DecodeInto(raw, &cart); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%+v\n", cart)

	var n int
	fmt.Println(c.DecodeInto(raw, &n))
	// Output:
	// {Items:map[tea:2] Coupon:}
	// codec: messagepack: decode: a map does not fit int without loss
}

func ExampleJSON() {
	var c codec.JSON

	err := c.Split([]byte(`{"user": 42, "roles": ["admin"], "ratio": 0.5}`), func(e codec.Entry) error {
		v, err := c.Decode(e.Raw)
		fmt.Printf("%s: %T %v\n", e.Key, v, v)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// user: int 42
	// roles: []interface {} [admin]
	// ratio: float64 0.5
}

func ExampleNewEncrypted() {
	key := make([]byte, codec.KeySize) // once, and then from where secrets are kept
	if _, err := rand.Read(key); err != nil {
		log.Fatal(err)
	}
	c, err := codec.NewEncrypted(codec.MessagePack{}, key)
	if err != nil {
		log.Fatal(err)
	}
	// What remains is sessions.Config{Codec: c}.
	fmt.Println(c)

	_, err = codec.NewEncrypted(codec.MessagePack{}, []byte("my secret"))
	fmt.Println(err)
	// Output:
	// [redacted]
	// codec: encryption key 1 has 9 bytes; it must be exactly 32 random bytes
}

func ExampleReads() {
	old, err := codec.Pickle{}.Append(nil, codec.Tuple{"message", "Saved."})
	if err != nil {
		log.Fatal(err)
	}
	stored, err := codec.Pickle{}.Join(nil, []codec.Entry{{Key: []byte("flash"), Raw: old}})
	if err != nil {
		log.Fatal(err)
	}

	c := codec.Reads(codec.FlaskJSON{}, codec.Pickle{})
	var entries []codec.Entry
	if err := c.Split(stored, func(e codec.Entry) error {
		entries = append(entries, e)
		return nil
	}); err != nil {
		log.Fatal(err)
	}
	doc, err := c.Join(nil, entries)
	fmt.Println(string(doc), err)
	// Output: {"flash":["message","Saved."]} <nil>
}

func ExamplePickle() {
	// What Python has pickled of {"at": datetime.date(2024, 2, 29)}.
	stored := []byte("\x80\x04}\x8c\x02at\x8c\x08datetime\x8c\x04date\x93C\x04\x07\xe8\x02\x1d\x85Rs.")
	err := codec.Pickle{}.Split(stored, func(e codec.Entry) error {
		v, err := codec.Pickle{}.Decode(e.Raw)
		fmt.Printf("%s: %T %v\n", e.Key, v, v)
		return err
	})
	fmt.Println(err)
	// Output:
	// at: codec.Date 2024-02-29
	// <nil>
}

// To rotate, put the new key first, deploy, and remove the old one when the
// sessions that it has encrypted have expired.
func ExampleNewEncrypted_rotation() {
	oldKey, newKey := make([]byte, codec.KeySize), make([]byte, codec.KeySize)
	for _, key := range [][]byte{oldKey, newKey} {
		if _, err := rand.Read(key); err != nil {
			log.Fatal(err)
		}
	}
	before, err := codec.NewEncrypted(codec.MessagePack{}, oldKey)
	if err != nil {
		log.Fatal(err)
	}
	after, err := codec.NewEncrypted(codec.MessagePack{}, newKey, oldKey)
	if err != nil {
		log.Fatal(err)
	}

	raw, err := before.Append(nil, "ada")
	if err != nil {
		log.Fatal(err)
	}
	stored, err := before.Seal(nil, []codec.Entry{{Key: []byte("user"), Raw: raw}}, []byte("store key"))
	if err != nil {
		log.Fatal(err)
	}
	show := func(e codec.Entry) error {
		v, err := after.Decode(e.Raw)
		fmt.Printf("%s: %v\n", e.Key, v)
		return err
	}
	fmt.Println(after.Open(stored, []byte("store key"), show))
	fmt.Println(after.Open(stored, []byte("another key"), show) != nil) // moved to another session
	// Output:
	// user: ada
	// <nil>
	// true
}

// What Flask-Session 0.8 stores by default.
func ExampleFlaskMessagePack() {
	stored := []byte("\x82\xa4user\xa3ada\xaa_permanent\xc3")
	var c codec.FlaskMessagePack
	err := c.Split(stored, func(e codec.Entry) error {
		v, err := c.Decode(e.Raw)
		fmt.Printf("%s: %v\n", e.Key, v)
		return err
	})
	fmt.Println(err)
	// Output:
	// user: ada
	// _permanent: true
	// <nil>
}
