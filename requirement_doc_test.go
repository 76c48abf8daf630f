package sessions_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityDocument checks that docs/security.md names tests that exist,
// and has a row for every requirement that is tested.
func TestSecurityDocument(t *testing.T) {
	doc, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			var text []byte
			text, err = os.ReadFile(path)
			source.Write(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := source.String()
	for _, m := range regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]*)(?:/([A-Z]+-?[0-9]+))?`").FindAllStringSubmatch(string(doc), -1) {
		if !strings.Contains(tests, "func "+m[1]+"(") {
			t.Errorf("there is no test %s", m[1])
		}
		if id := m[2]; id != "" && !regexp.MustCompile(`["{ ]"`+id+`["/]|Gates\(\)`).MatchString(tests) {
			t.Errorf("there is no test %s/%s", m[1], id)
		}
	}
	for _, section := range sections {
		for _, r := range section {
			row := regexp.MustCompile(`(?m)^\| ` + r.id + ` \|.*` + "`TestRequirement/" + r.id + "`")
			if !row.Match(doc) {
				t.Errorf("docs/security.md has no row for TestRequirement/%s", r.id)
			}
		}
	}
	// The default is that a row without a test says why.
	for _, m := range regexp.MustCompile(`(?m)^\| ([A-Z]{2}-[0-9]+) \|(.*)\|([^|]*)\|$`).FindAllStringSubmatch(string(doc), -1) {
		if strings.TrimSpace(m[3]) == "–" && !regexp.MustCompile(`not offered|the application's`).MatchString(m[2]) {
			t.Errorf("%s has neither a test nor a reason", m[1])
		}
	}
}
