package dynamobackend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestDeadServer has servers that do not answer.
func TestDeadServer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts, nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", "1000")
		w.Write([]byte("{"))
		w.(http.Flusher).Flush()
		<-r.Context().Done() // in the middle of the reply
	}))
	defer slow.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for name, addr := range map[string]string{"silent": silent.Addr().String(), "slow": slow.Listener.Addr().String(), "closed": closed.Addr().String()} {
		for _, skip := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/SkipSchema=%t", name, skip), func(t *testing.T) {
				b, err := NewWithConfig(connect("http://"+addr, nil), Config{SkipSchema: skip})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
				defer cancel()
				for op, call := range calls(ctx, b, "key") {
					ended := make(chan error, 1)
					go func() { ended <- call() }()
					select {
					case err := <-ended:
						// A closed port is an error at once, several times.
						if err == nil || name != "closed" && !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("%s: %v", op, err)
						}
					case <-time.After(time.Minute):
						t.Fatalf("%s does not return", op)
					}
				}
			})
		}
	}
}

// TestErrorText has a server whose messages quote what it was sent.
func TestErrorText(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"__type":"com.amazon.coral.validate#ValidationException","message":"the key session:secret is bad"}`)
	}))
	defer server.Close()
	b, err := NewWithConfig(connect(server.URL, nil), Config{SkipSchema: true})
	if err != nil {
		t.Fatal(err)
	}
	for op, call := range calls(context.Background(), b, "session:secret") {
		err := call()
		if err == nil || !strings.HasPrefix(err.Error(), "dynamodb: "+op+": ") {
			t.Errorf("%s: %v", op, err)
		} else if op != "list" && op != "ping" && op != "ensure schema" && (strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "ValidationException")) {
			t.Errorf("%s: %v", op, err)
		}
	}
	inner := &types.ResourceNotFoundException{}
	var found *types.ResourceNotFoundException
	if err := quiet(fmt.Errorf("of session:secret: %w", inner), "session:secret"); !errors.As(err, &found) || err.Error() != "of ..." {
		t.Errorf("a quoting error became %v", err)
	}
}
