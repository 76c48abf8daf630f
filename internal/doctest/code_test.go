package doctest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// imports are what the code on the pages uses, by the packages' names.
var imports = map[string]string{
	"atomic": "sync/atomic", "context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "log": "log", "maps": "maps", "time": "time",
	"echo": "github.com/labstack/echo/v4", "gin": "github.com/gin-gonic/gin",
	"config": "github.com/aws/aws-sdk-go-v2/config", "dynamo": "github.com/guregu/dynamo/v2", "memcache": "github.com/bradfitz/gomemcache/memcache",
	"mongo": "go.mongodb.org/mongo-driver/v2/mongo", "redis": "github.com/redis/go-redis/v9",
	"sessions": module, "backend": module + "/backend", "codec": module + "/codec", "ginsession": module + "/ginsession", "echosession": module + "/echosession",
	"dynamobackend": module + "/backend/dynamobackend", "filebackend": module + "/backend/filebackend", "memcachedbackend": module + "/backend/memcachedbackend",
	"mongobackend": module + "/backend/mongobackend", "redisbackend": module + "/backend/redisbackend",
}

const module = "github.com/go-session2/sessions"

// names are what the code takes for granted.
const names = `
var (
	r *gin.Engine
	e *echo.Echo
	store backend.Backend
	signer sessions.Signer
	encrypted codec.Codec
	key []byte
	ctx context.Context
	failures atomic.Int64
	events chan string
	makeReport func(user string)
	upgrade func(http.ResponseWriter, *http.Request, http.Header)
)
`

// clients are the types of client, which is another thing on some pages.
var clients = map[string]string{"docs/backends.md": "*mongo.Client"}

// TestCode checks that the Go on the pages compiles.
func TestCode(t *testing.T) {
	fset := token.NewFileSet()
	check := types.Config{Importer: importer.ForCompiler(fset, "gc", exportData(t))}
	for _, page := range pages {
		for i, block := range fenced(readPage(t, page), "go") {
			t.Run(fmt.Sprintf("%s %d", page, i+1), func(t *testing.T) {
				file, err := parser.ParseFile(fset, page, program(page, block), parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				check := check
				check.Error = func(err error) {
					if e := err.(types.Error); !e.Soft && !strings.HasSuffix(e.Msg, "is not used") { // a part may end before that
						t.Error(err)
					}
				}
				_, _ = check.Check("main", fset, []*ast.File{file}, nil) // its error is among those above
			})
		}
	}
}

// program makes a program of what is on a page.
func program(page, block string) string {
	if strings.HasPrefix(block, "package ") {
		return block
	}
	var b strings.Builder
	b.WriteString("package main\n")
	for name, path := range imports {
		fmt.Fprintf(&b, "import %s %q\n", name, path)
	}
	client := clients[page]
	if client == "" {
		client = "*redis.Client"
	}
	fmt.Fprintf(&b, "%s\nvar client %s\nfunc main() {\n//line %s:1\n%s}\n", names, client, page, block)
	return b.String()
}

// exportData has the go command compile what the code imports.
func exportData(t *testing.T) func(path string) (io.ReadCloser, error) {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	for _, path := range imports {
		args = append(args, path)
	}
	cmd := exec.Command("go", args...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = root, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	files := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}
