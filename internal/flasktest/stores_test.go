package flasktest

import (
	"slices"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	_ "github.com/go-session2/sessions/backend/all"
)

// A store is a store that a Flask extension can use, with one format.
type store struct {
	name  string
	stack stack
	env   string // of the server's address, "" without one
	typ   string // SESSION_TYPE
	// format is SESSION_SERIALIZATION_FORMAT, for Flask-Session.
	format   string
	settings settings
	quirks
}

// settings are the other settings, for Flask and for us. What they name is
// removed when the test ends.
type settings func(t testing.TB, addr string) (flask map[string]string, ours map[string]any)

// Quirks are what the originals do otherwise than they should, as
// docs/flask.md lists it.
type quirks struct {
	jsonOnly  bool // values are what JSON can hold
	endless   bool // Flask stores no expiry
	unchecked bool // Flask serves what has expired
	stale     bool // Flask fails when the session it has loaded was deleted meanwhile
	temporary fate // of sessions that end with the browser, in Flask
}

// A fate is what becomes of a session.
type fate int

const (
	kept    fate = iota
	never        // it is not stored
	dropped      // it is stored, and deleted by the next request
	broken       // it is stored, and every further request fails
	fixed        // it is kept, but none can be made permanent or temporary
)

var stores = []store{
	{name: "redis", stack: flaskSession2, env: "REDIS_ADDR", typ: "redis", settings: redisURL, quirks: quirks{temporary: never}},
	{name: "memcached", stack: flaskSession2, env: "MEMCACHED_ADDR", typ: "memcached", settings: address("SESSION_MEMCACHED"), quirks: quirks{endless: true}},
	{name: "filesystem", stack: flaskSession2, typ: "filesystem", settings: directory("SESSION_FILE_DIR")},
	{name: "mongodb", stack: flaskSession2, env: "MONGODB_URI", typ: "mongodb", settings: mongodb, quirks: quirks{temporary: broken}},
	{name: "sqlalchemy sqlite", stack: flaskSession2, typ: "sqlalchemy", settings: sqlAlchemy(sqlite), quirks: quirks{temporary: dropped}},
	{name: "sqlalchemy postgresql", stack: flaskSession2, env: "POSTGRES_DSN", typ: "sqlalchemy", settings: sqlAlchemy(postgres), quirks: quirks{temporary: dropped}},
	{name: "sqlalchemy mariadb", stack: flaskSession2, env: "MYSQL_DSN", typ: "sqlalchemy", settings: sqlAlchemy(mariadb), quirks: quirks{temporary: dropped, stale: true}},
	{name: "peewee sqlite", stack: flaskSession2, typ: "peewee", settings: peewee(sqlite), quirks: quirks{temporary: fixed}},
	{name: "peewee postgresql", stack: flaskSession2, env: "POSTGRES_DSN", typ: "peewee", settings: peewee(postgres), quirks: quirks{temporary: fixed}},
	{name: "peewee mariadb", stack: flaskSession2, env: "MYSQL_DSN", typ: "peewee", settings: peewee(mariadb), quirks: quirks{temporary: fixed}},
	{name: "elasticsearch", stack: flaskSession2, env: "ELASTICSEARCH_URL", typ: "elasticsearch", settings: elasticsearch, quirks: quirks{jsonOnly: true, temporary: broken}},
	{name: "datastore", stack: flaskSession2, env: "DATASTORE_EMULATOR_HOST", typ: "datastore", settings: datastore, quirks: quirks{temporary: broken}},
	{name: "firestore", stack: flaskSession2, env: "FIRESTORE_EMULATOR_HOST", typ: "firestore", settings: firestore, quirks: quirks{temporary: broken}},
	{name: "dynamodb", stack: flaskSession2, env: "DYNAMODB_ENDPOINT", typ: "dynamodb", settings: dynamodb, quirks: quirks{jsonOnly: true, endless: true, unchecked: true}},

	{name: "redis", stack: flaskSession, env: "REDIS_ADDR", typ: "redis", format: "msgpack", settings: redisURL},
	{name: "redis json", stack: flaskSession, env: "REDIS_ADDR", typ: "redis", format: "json", settings: redisURL},
	{name: "memcached", stack: flaskSession, env: "MEMCACHED_ADDR", typ: "memcached", format: "msgpack", settings: address("SESSION_MEMCACHED")},
	{name: "filesystem", stack: flaskSession, typ: "filesystem", format: "msgpack", settings: directory("SESSION_FILE_DIR")},
	{name: "cachelib", stack: flaskSession, typ: "cachelib", format: "json", settings: directory("SESSION_CACHELIB")},
	{name: "mongodb", stack: flaskSession, env: "MONGODB_URI", typ: "mongodb", format: "msgpack", settings: mongodb, quirks: quirks{unchecked: true}},
	{name: "sqlalchemy sqlite", stack: flaskSession, typ: "sqlalchemy", format: "msgpack", settings: sqlAlchemy(sqlite)},
	{name: "sqlalchemy postgresql", stack: flaskSession, env: "POSTGRES_DSN", typ: "sqlalchemy", format: "json", settings: sqlAlchemy(postgres)},
	{name: "sqlalchemy mariadb", stack: flaskSession, env: "MYSQL_DSN", typ: "sqlalchemy", format: "msgpack", settings: sqlAlchemy(mariadb)},
	{name: "dynamodb", stack: flaskSession, env: "DYNAMODB_ENDPOINT", typ: "dynamodb", format: "msgpack", settings: dynamoResource, quirks: quirks{unchecked: true}},
}

func (s store) title() string {
	if s.stack == flaskSession2 {
		return "Flask-Session2/" + s.name
	}
	return "Flask-Session/" + s.name
}

// pick returns the stores with these names, of one of the extensions.
func pick(s stack, names ...string) []store {
	var out []store
	for _, store := range stores {
		if store.stack == s && slices.Contains(names, store.name) {
			out = append(out, store)
		}
	}
	return out
}
