package leaktest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"cloud.google.com/go/datastore"
	"cloud.google.com/go/firestore"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/guregu/dynamo/v2"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	gormlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/datastorebackend"
	"github.com/go-session2/sessions/backend/dynamobackend"
	"github.com/go-session2/sessions/backend/elasticbackend"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/backend/firestorebackend"
	"github.com/go-session2/sessions/backend/gormbackend"
	"github.com/go-session2/sessions/backend/memcachedbackend"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/backend/mongobackend"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/backend/sqlbackend"
	"github.com/go-session2/sessions/codec"
	"github.com/go-session2/sessions/internal/redact"
)

// secret is what the values of the redaction test hold. It is a key of 32
// bytes, and fit for a password, a name and a URL.
const secret = "s3cret-0123456789-abcdefghijklmn"

// A sharer is an http.Handler's context for sessions.Default.
type sharer struct{ x *sessions.Exchange }

func (sharer) Param(string) string { return "" }
func (s sharer) Value(any) any     { return s.x }

// TestRequirementRedaction/LG-1: no value of this module that leads to a key,
// a password, an ID or the data of a session shows it, whatever a program
// does to log it. Fails when redact.Opaque is not embedded in one of the types
// (tried with each of those of the packages sessions, codec and backend, and
// with three backends), and when its Format leaves out a verb.
func TestRequirementRedaction(t *testing.T) {
	ctx := context.Background()
	mem := must(memorybackend.New(memorybackend.Config{}))(t)
	must(mem.Create(ctx, "session:"+secret, []byte(secret), time.Hour))(t)
	signer := must(sessions.NewSigner([]byte(secret)))(t)
	encrypted := must(codec.NewEncrypted(codec.JSON{}, []byte(secret)))(t)
	cfg := sessions.Config{Backend: mem, Signer: signer, Codec: encrypted, Name: secret, Prefix: secret}
	m := must(sessions.NewManager(cfg))(t)
	t.Cleanup(func() { m.Close() })
	x := &sessions.Exchange{}
	m.Begin(x, httptest.NewRequest("GET", "/", nil), http.Header{}, nil)
	s := sessions.Default(sharer{x})
	s.Set(secret, secret)
	settings := backend.NewSettings(map[string]any{"SECRET_KEY": secret, "SESSION_REDIS": "redis://:" + secret + "@localhost"})

	for name, v := range map[string]any{
		"Session":        s,
		"Exchange":       x,
		"Manager":        m,
		"Config":         cfg,
		"*Config":        &cfg,
		"Signer":         signer,
		"*Encrypted":     encrypted,
		"Encrypted":      *encrypted,
		"Entry":          codec.Entry{Key: []byte(secret), Raw: []byte(secret)},
		"Record":         backend.Record{Data: []byte(secret), Revision: backend.Revision(secret)},
		"*Record":        &backend.Record{Data: []byte(secret), Revision: backend.Revision(secret)},
		"Revision":       backend.Revision(secret),
		"*Settings":      settings,
		"memory":         mem,
		"file":           must(filebackend.New(filebackend.Config{Dir: filepath.Join(t.TempDir(), secret)}))(t),
		"redis":          redisbackend.New(redis.NewClient(&redis.Options{Addr: nowhere, Username: secret, Password: secret})),
		"redis/cluster":  redisbackend.New(redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{nowhere}, Password: secret})),
		"memcached":      memcachedbackend.New(memcacheClient(t, nowhere)),
		"mongodb":        mongobackend.New(must(mongo.Connect(options.Client().ApplyURI("mongodb://" + secret + ":" + secret + "@" + nowhere + "/")))(t).Database(secret).Collection(secret)),
		"sql":            sqlbackend.New(must(sql.Open("pgx", "postgres://"+secret+":"+secret+"@"+nowhere+"/db"))(t)),
		"gorm":           gormbackend.New(must(gorm.Open(gormlite.Open(filepath.Join(t.TempDir(), secret)), &gorm.Config{}))(t)),
		"dynamodb":       dynamobackend.New(dynamo.New(aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider(secret, secret, secret)})),
		"elasticsearch":  elasticbackend.New(must(elastictransport.New(elastictransport.Config{URLs: []*url.URL{{Scheme: "http", Host: nowhere}}, Username: secret, Password: secret, APIKey: secret}))(t)),
		"firestore":      firestorebackend.New(must(firestore.NewClient(ctx, secret, emulated(nowhere)...))(t)),
		"datastore":      datastorebackend.New(must(datastore.NewClient(ctx, secret, emulated(nowhere)...))(t)),
		"redis by value": redisbackend.New(byValue{password: secret}),
	} {
		t.Run("LG-1/"+name, func(t *testing.T) {
			shows(t, v)
			shows(t, struct{ Field any }{v})
			shows(t, []any{v})
			shows(t, map[string]any{"k": v})
			if text := fmt.Sprintf("%+v", v); text != redact.Text {
				t.Errorf("%%+v is %.200s", text)
			}
		})
	}
}

// byValue is a client that is no pointer, so package fmt looks into it.
type byValue struct {
	redis.UniversalClient
	password string
}

// shows checks all the ways to make text of a value. The one that cannot be
// kept from showing it is %w with what is no error, which go vet refuses.
func shows(t *testing.T, v any) {
	t.Helper()
	n := newNeedle("secret", []byte(secret))
	clean := func(how string, text []byte) {
		t.Helper()
		if n.in(text) {
			t.Errorf("%s: %.300s", how, text)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%t", "%e", "%c", "%U"} {
		clean(verb, fmt.Appendf(nil, verb, v))
	}
	clean("fmt.Errorf", []byte(fmt.Errorf("with %v", v).Error()))
	if text, err := json.Marshal(v); err != nil {
		t.Errorf("JSON: %v", err)
	} else {
		clean("JSON", text)
	}
	var buf bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		logger := slog.New(h).With("with", v)
		logger.Info("message", "value", v, slog.Group("group", "value", v))
	}
	clean("slog", buf.Bytes())
	if h, ok := v.(slog.LogValuer); ok {
		clean("LogValue", []byte(h.LogValue().String()))
	}
	if s, ok := v.(fmt.Stringer); ok {
		clean("String", []byte(s.String()))
	}
}
