package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// What is the same for every contender.
const (
	lifetime   = 24 * time.Hour
	poolSize   = 64
	cookieName = "session"
	maxSession = 4 << 20 // every size limit is lifted to this
)

// signingKey is for the libraries that sign their cookies.
var signingKey = []byte("0123456789abcdef0123456789abcdef")

// A place says where a contender keeps its sessions: in a Redis server under
// a prefix of its own, or in the memory of the process.
type place struct {
	redis  string // host:port; "" is the library's store in memory
	prefix string
}

// An app is a contender at work: one of the two handlers, and what ends it.
type app struct {
	http  http.Handler
	fast  fasthttp.RequestHandler
	close func()
}

// A contender is a library, a handler that is written by hand, or a framework
// alone, with the routes of all scenarios.
type contender struct {
	name      string
	reference string // the contender it is compared with, run in turn with it
	floor     bool   // has no sessions, and only the untouched scenarios
	build     func(place) (app, error)
}

// The names that the targets speak of.
const (
	oursGin, oursEcho = "sessions-gin", "sessions-echo"
	rawGin, rawEcho   = "raw-gin", "raw-echo"
	floorGin          = "floor-gin"
	ginContrib        = "gin-contrib"
	scsGin            = "scs-gin"
	echoContrib       = "echo-contrib"
	scsEcho           = "scs-echo"
)

// contenders is in the order of the tables.
var contenders = []contender{
	{name: oursGin, reference: rawGin, build: buildOursGin},
	{name: ginContrib, reference: rawGin, build: buildGinContrib},
	{name: scsGin, reference: rawGin, build: buildSCSGin},
	{name: "fiber", reference: rawGin, build: buildFiber},
	{name: "raw-gin-autopipe", reference: rawGin, build: buildAutopipeGin},
	{name: floorGin, reference: rawGin, floor: true, build: buildFloorGin},
	{name: "floor-fiber", reference: rawGin, floor: true, build: buildFloorFiber},
	{name: rawGin, build: buildRawGin},
	{name: oursEcho, reference: rawEcho, build: buildOursEcho},
	{name: echoContrib, reference: rawEcho, build: buildEchoContrib},
	{name: scsEcho, reference: rawEcho, build: buildSCSEcho},
	{name: "floor-echo", reference: rawEcho, floor: true, build: buildFloorEcho},
	{name: rawEcho, build: buildRawEcho},
}

func contenderNamed(name string) (contender, error) {
	for _, c := range contenders {
		if c.name == name {
			return c, nil
		}
	}
	return contender{}, fmt.Errorf("no contender is named %q", name)
}

// A scenario is one kind of request.
type scenario struct {
	name   string
	path   string
	cookie cookieKind
}

type cookieKind int

const (
	noCookie cookieKind = iota
	smallCookie
	bigCookie
)

// The scenarios, by their place in the table.
const (
	untouched = iota
	untouchedCookie
	readOne
	increment
	create
	readBig
)

var scenarios = []scenario{
	untouched:       {"untouched", "/untouched", noCookie},
	untouchedCookie: {"untouched, cookie", "/untouched", smallCookie},
	readOne:         {"read", "/read", smallCookie},
	increment:       {"write", "/write", smallCookie},
	create:          {"create", "/create", noCookie},
	readBig:         {"big read", "/read", bigCookie},
}

// runs reports whether a contender has a scenario.
func (c contender) runs(scenario int) bool { return !c.floor || scenario <= untouchedCookie }

// A field is a key and a value of a session.
type field struct {
	key   string
	value any // a string or an int
}

// readKey and readValue are what the read scenarios ask for.
const (
	readKey   = "key5"
	readValue = "the fifth of ten values, which is forty-eight..."
)

// tenKeys is a session of ten keys and about 500 bytes, in which "count" is
// the number that the write scenario increments.
var tenKeys = func() []field {
	fields := []field{{"user_id", 4711}}
	for i := range 8 {
		fields = append(fields, field{fmt.Sprint("key", i), strings.Repeat(string(rune('a'+i)), len(readValue))})
	}
	fields[6].value = readValue
	return append(fields, field{"count", 0})
}()

// bigKeys is tenKeys after a value of 64 KiB.
var bigKeys = append([]field{{"blob", strings.Repeat("b", 64<<10)}}, tenKeys...)

// twoKeys is what the create scenario stores.
var twoKeys = []field{{"user_id", 4711}, {"csrf", "5f2c9a7be0d14b6c8a3e"}}

// operations are what the handlers of a contender do with a session. C is the
// framework's context.
type operations[C any] struct {
	fill  func(C, []field) error
	get   func(C, string) (string, error)
	count func(C) (int, error) // increments "count" and returns it
}
