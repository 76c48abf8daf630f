package dynamobackend

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/guregu/dynamo/v2"

	"github.com/go-session2/sessions/internal/testenv"
)

// onLocal runs a test on DynamoDB Local, with a table of its own that is not
// created.
func onLocal(t *testing.T, test func(t *testing.T, endpoint, table string)) {
	t.Parallel()
	endpoint := testenv.Need(t, "DYNAMODB_ENDPOINT")
	test(t, endpoint, newTable(t, endpoint))
}

// newTable returns the name of a table that is dropped after the test.
func newTable(t testing.TB, endpoint string) string {
	table := "test-" + rand.Text()
	t.Cleanup(func() {
		_, err := connect(endpoint, nil).Client().DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &table})
		var missing *types.ResourceNotFoundException
		if err != nil && !errors.As(err, &missing) {
			t.Error(err)
		}
	})
	return table
}

// awsConfig returns what the SDK needs for a server of the tests.
func awsConfig(endpoint string) aws.Config {
	return aws.Config{
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		BaseEndpoint: aws.String(endpoint),
	}
}

// connect returns a client whose requests go through a wire, if there is one.
func connect(endpoint string, w *wire) *dynamo.DB {
	cfg := awsConfig(endpoint)
	if w != nil {
		cfg.HTTPClient = &http.Client{Transport: w}
	}
	return dynamo.New(cfg)
}

// on returns a backend on a table.
func on(t testing.TB, db *dynamo.DB, table string) *Backend {
	t.Helper()
	b, err := NewWithConfig(db, Config{Table: table})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A wire is the connection to a server. It notes what is sent.
type wire struct {
	mu   sync.Mutex
	sent []request
	lose bool                                 // the reply to the next request, which the server has done
	edit func(operation, reply string) string // what the client sees of a reply
}

type request struct{ operation, body string }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	lose, edit := w.lose, w.edit
	w.lose = false
	w.sent = append(w.sent, request{operation, string(body)})
	w.mu.Unlock()

	out := r.Clone(r.Context())
	out.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err == nil && lose {
		resp.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	if err == nil && edit != nil {
		reply, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		resp.Body.Close()
		text := edit(operation, string(reply))
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		resp.Header.Del("X-Amz-Crc32")
	}
	return resp, err
}

// take returns the requests since the last call.
func (w *wire) take() []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := w.sent
	w.sent = nil
	return sent
}

// operations returns the names of the requests since the last call.
func (w *wire) operations() (names []string) {
	for _, r := range w.take() {
		names = append(names, r.operation)
	}
	return names
}

// count returns how many of the requests since the last call were of a kind.
func (w *wire) count(operation string) int {
	return len(slices.DeleteFunc(w.operations(), func(name string) bool { return name != operation }))
}

// put stores an item as a foreign program does.
func put(t testing.TB, db *dynamo.DB, table string, stored item) {
	t.Helper()
	_, err := db.Client().PutItem(context.Background(), &dynamodb.PutItemInput{TableName: &table, Item: stored})
	if err != nil {
		t.Fatal(err)
	}
}

// stored returns an item as a foreign program sees it.
func stored(t testing.TB, db *dynamo.DB, table, key string) item {
	t.Helper()
	out, err := db.Client().GetItem(context.Background(), &dynamodb.GetItemInput{
		TableName: &table, Key: native.itemKey(key), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}
