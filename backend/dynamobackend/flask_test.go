package dynamobackend

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/guregu/dynamo/v2"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/backendtest"
)

var flaskLayouts = map[string]backend.FlaskLayout{"FlaskSession2": backend.FlaskSession2, "FlaskSession": backend.FlaskSession}

// onEachFlask runs a test on every server, in every layout of Flask.
func onEachFlask(t *testing.T, test func(t *testing.T, endpoint, table string, flask backend.FlaskLayout)) {
	for name, flask := range flaskLayouts {
		t.Run(name, func(t *testing.T) {
			onLocal(t, func(t *testing.T, endpoint, table string) { test(t, endpoint, table, flask) })
		})
	}
}

// onFlask returns a backend on a table in a layout of Flask.
func onFlask(t testing.TB, db *dynamo.DB, table string, flask backend.FlaskLayout) *Backend {
	t.Helper()
	b, err := NewWithConfig(db, Config{Table: table, Flask: flask})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// flaskWrites stores an item as the extension does: one puts a whole item, the
// other sets two attributes.
func flaskWrites(t testing.TB, db *dynamo.DB, table string, flask backend.FlaskLayout, key string, data []byte) {
	t.Helper()
	if flask == backend.FlaskSession2 {
		put(t, db, table, item{"SessionId": text(key), "Session": text(string(data))})
		return
	}
	_, err := db.Client().UpdateItem(context.Background(), &dynamodb.UpdateItemInput{
		TableName:        &table,
		Key:              item{"id": text(key)},
		UpdateExpression: aws.String("SET val = :value, expiration = :exp"),
		ExpressionAttributeValues: item{
			":value": binary(data),
			":exp":   number(fmt.Sprintf("%.6f", float64(time.Now().Add(time.Hour).UnixMicro())/1e6)),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFlaskConformance(t *testing.T) {
	onEachFlask(t, func(t *testing.T, endpoint, table string, flask backend.FlaskLayout) {
		open := func(t testing.TB) backend.Backend {
			b, err := NewWithConfig(connect(endpoint, nil), Config{Table: table, MaxSize: MaxDataSize, Flask: flask})
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		backendtest.Run(t, backendtest.Harness{
			Open:   open,
			Reopen: open,
			Overwrite: func(t testing.TB, key string, data []byte) {
				flaskWrites(t, connect(endpoint, nil), table, flask, key, data)
			},
			MaxSize: MaxDataSize,
			Flask:   true,
			JSON:    flask == backend.FlaskSession2,
		})
	})
}

// TestFlaskItem looks at the table as a Flask process does.
func TestFlaskItem(t *testing.T) {
	onEachFlask(t, func(t *testing.T, endpoint, table string, flask backend.FlaskLayout) {
		ctx, db := context.Background(), connect(endpoint, nil)
		b := onFlask(t, db, table, flask)
		now := time.Unix(2_000_000_000, 1)
		b.now = func() time.Time { return now }
		data := []byte(`{"_permanent": true, "v": "Zo\u00eb ü"}`)
		rev, err := b.Create(ctx, "session:1", data, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		check := func(data, expires string) {
			t.Helper()
			want := item{"SessionId": text("session:1"), "Session": text(data), "expires": number(expires)}
			key := item{"SessionId": text("session:1")}
			if flask == backend.FlaskSession {
				want = item{"id": text("session:1"), "val": binary([]byte(data)), "expiration": number(expires)}
				key = item{"id": text("session:1")}
			}
			out, err := db.Client().GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(plain(out.Item)); got != fmt.Sprint(plain(want)) {
				t.Errorf("the item is %s, want %v", got, plain(want))
			}
		}
		check(string(data), "2000003601")
		if err := b.Touch(ctx, "session:1", 2*time.Hour); err != nil {
			t.Fatal(err)
		}
		check(string(data), "2000007201")
		if _, err := b.Update(ctx, "session:1", []byte(`{}`), time.Hour, rev); err != nil {
			t.Fatal(err)
		}
		check(`{}`, "2000003601")

		attribute := b.layout.expires
		ttl, err := db.Client().DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		if d := ttl.TimeToLiveDescription; d.TimeToLiveStatus != types.TimeToLiveStatusEnabled || aws.ToString(d.AttributeName) != attribute {
			t.Errorf("the time to live is %s on %q", d.TimeToLiveStatus, aws.ToString(d.AttributeName))
		}
	})
}

// plain returns what can be compared of an item.
func plain(i item) map[string]any {
	m := make(map[string]any)
	for name, value := range i {
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			m[name] = "S " + v.Value
		case *types.AttributeValueMemberN:
			m[name] = "N " + v.Value
		case *types.AttributeValueMemberB:
			m[name] = "B " + string(v.Value)
		default:
			m[name] = value
		}
	}
	return m
}

// TestFlaskForever has an item that Flask-Session2 has stored: it has no
// expiry, and gets one from the first Update.
func TestFlaskForever(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		ctx, db := context.Background(), connect(endpoint, nil)
		b := onFlask(t, db, table, backend.FlaskSession2)
		if err := b.EnsureSchema(ctx); err != nil {
			t.Fatal(err)
		}
		flaskWrites(t, db, table, backend.FlaskSession2, "session:1", []byte(`{"a": 1}`))
		if err := b.Touch(ctx, "session:1", time.Hour); err != nil {
			t.Errorf("Touch: %v", err)
		}
		rec, err := b.Load(ctx, "session:1")
		if err != nil || string(rec.Data) != `{"a": 1}` || !rec.Expires.IsZero() {
			t.Fatalf("Load: %q until %v, %v", rec.Data, rec.Expires, err)
		}
		if _, err := b.Create(ctx, "session:1", rec.Data, time.Hour); !errors.Is(err, backend.ErrExists) {
			t.Errorf("Create: %v", err)
		}
		if keys, _, err := b.List(ctx, "session:", "", 10); err != nil || !slices.Equal(keys, []string{"session:1"}) {
			t.Errorf("List: %q, %v", keys, err)
		}
		if _, err := b.Update(ctx, "session:1", []byte(`{"a": 2}`), time.Hour, rec.Revision); err != nil {
			t.Errorf("Update: %v", err)
		}
		if rec, err := b.Load(ctx, "session:1"); err != nil || rec.Expires.IsZero() {
			t.Errorf("Load after Update: until %v, %v", rec.Expires, err)
		}
		flaskWrites(t, db, table, backend.FlaskSession2, "session:1", []byte(`{"a": 3}`))
		if rec, err := b.Load(ctx, "session:1"); err != nil || !rec.Expires.IsZero() {
			t.Errorf("Load after Flask: until %v, %v", rec.Expires, err)
		}
	})
}

// TestFlaskFraction has an expiry as Flask-Session writes it.
func TestFlaskFraction(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		ctx, db := context.Background(), connect(endpoint, nil)
		b := onFlask(t, db, table, backend.FlaskSession)
		if err := b.EnsureSchema(ctx); err != nil {
			t.Fatal(err)
		}
		flaskWrites(t, db, table, backend.FlaskSession, "session:1", []byte("\x80"))
		rec, err := b.Load(ctx, "session:1")
		left := time.Until(rec.Expires)
		if err != nil || string(rec.Data) != "\x80" || left < 59*time.Minute || left > time.Hour+time.Second {
			t.Errorf("Load: %q for %v, %v", rec.Data, left, err)
		}
	})
}

func TestFlaskText(t *testing.T) {
	b := onFlask(t, connect("http://localhost:1", nil), "", backend.FlaskSession2)
	_, creating := b.Create(context.Background(), "key", []byte("\xff"), time.Hour)
	_, updating := b.Update(context.Background(), "key", []byte("\xff"), time.Hour, revision(nil))
	if !errors.Is(creating, errText) || !errors.Is(updating, errText) {
		t.Errorf("Create: %v; Update: %v", creating, updating)
	}
}

func TestFlaskConfig(t *testing.T) {
	db := connect("http://localhost:1", nil)
	type layout struct {
		table  string
		flask  backend.FlaskLayout
		format backend.FlaskFormat
	}
	of := func(b *Backend) layout {
		flask, format := b.FlaskLayout()
		return layout{b.table, flask, format}
	}
	for want, cfg := range map[layout]Config{
		{"sessions", backend.NoFlask, ""}:                           {},
		{"sessions", backend.FlaskSession2, backend.FlaskJSON}:      {Flask: backend.FlaskSession2},
		{"Sessions", backend.FlaskSession, backend.FlaskMsgpack}:    {Flask: backend.FlaskSession},
		{"my-sessions", backend.FlaskSession, backend.FlaskMsgpack}: {Flask: backend.FlaskSession, Table: "my-sessions"},
		{"my-sessions2", backend.FlaskSession2, backend.FlaskJSON}:  {Flask: backend.FlaskSession2, Table: "my-sessions2"},
	} {
		b, err := NewWithConfig(db, cfg)
		if err != nil || of(b) != want {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	for _, flask := range []backend.FlaskLayout{-1, 3} {
		if _, err := NewWithConfig(db, Config{Flask: flask}); err == nil {
			t.Errorf("the layout %d was accepted", flask)
		}
	}
	shared := map[string]any{"SESSION_DYNAMODB": db, "SESSION_FLASK_COMPATIBLE": true}
	for want, more := range map[layout]map[string]any{
		{"sessions", backend.FlaskSession2, backend.FlaskJSON}:   {},
		{"Sessions", backend.FlaskSession, backend.FlaskMsgpack}: {"SESSION_SERIALIZATION_FORMAT": "msgpack"},
		{"table", backend.FlaskSession, backend.FlaskMsgpack}:    {"SESSION_SERIALIZATION_FORMAT": "json", "SESSION_DYNAMODB_TABLE": "table"},
	} {
		maps.Copy(more, shared)
		b, err := backend.Open("dynamodb", backend.NewSettings(more))
		if err != nil || of(b.(*Backend)) != want {
			t.Errorf("%v: %v", more, err)
		}
	}
}

func TestFlaskSchema(t *testing.T) {
	for flask, want := range map[backend.FlaskLayout]string{
		backend.FlaskSession2: "SessionId SessionId expires",
		backend.FlaskSession:  "id id expiration",
		backend.NoFlask:       "id id expires",
	} {
		create, expire := FlaskSchema(flask, "table")
		got := fmt.Sprint(*create.KeySchema[0].AttributeName, " ", *create.AttributeDefinitions[0].AttributeName, " ", *expire.TimeToLiveSpecification.AttributeName)
		if got != want || *create.TableName != "table" || *expire.TableName != "table" {
			t.Errorf("the schema of %d is %s, want %s", flask, got, want)
		}
	}
}
