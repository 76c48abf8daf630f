package all

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
)

func TestTypes(t *testing.T) {
	want := []string{"datastore", "dynamodb", "elasticsearch", "filesystem", "firestore", "gorm", "memcached", "memory", "mongodb",
		"null", "peewee", "redis", "sql", "sqlalchemy"}
	if got := backend.Types(); !slices.Equal(got, want) {
		t.Errorf("types %v, want %v", got, want)
	}
}

// Every setting that a backend reads must be known to the check for misspelt
// ones, which also has to work in programs without that backend, and be told
// in the documentation.
func TestSettingsAreKnown(t *testing.T) {
	docs, err := os.ReadFile("../../docs/backends.md")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`"(SESSION_[A-Z_]+|GCLOUD_[A-Z_]+)"`)
	seen := 0
	err = fs.WalkDir(os.DirFS(".."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || !strings.Contains(path, "backend/") {
			return err
		}
		source, err := os.ReadFile("../" + path)
		if err != nil {
			return err
		}
		for _, match := range name.FindAllStringSubmatch(string(source), -1) {
			seen++
			if _, err := sessions.FromSettings(map[string]any{match[1]: nil}); err != nil {
				t.Errorf("%s reads a setting that is not known: %v", path, err)
			}
			if suffix := match[1][strings.LastIndex(match[1], "_"):]; !strings.Contains(string(docs), match[1]) && !strings.Contains(string(docs), "`"+suffix+"`") {
				t.Errorf("%s reads %s, which docs/backends.md does not tell", path, match[1])
			}
		}
		return nil
	})
	if err != nil || seen < 20 {
		t.Errorf("%d settings, %v", seen, err)
	}
}
