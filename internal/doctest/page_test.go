package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the directory of the module.
const root = "../.."

// pages are those that are checked here.
var pages = []string{
	"README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/backends.md", "docs/benchmarks.md", "docs/configuration.md",
	"docs/flask.md", "docs/security.md", "docs/sessions.md",
}

func readPage(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// fenced returns the blocks of a page that are in a language.
func fenced(page, language string) (blocks []string) {
	for _, m := range fence.FindAllStringSubmatch(page, -1) {
		if m[1] == language {
			blocks = append(blocks, m[2])
		}
	}
	return blocks
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	inName  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinks checks the links to other pages and to their headings, in these
// pages and in all others.
func TestLinks(t *testing.T) {
	others, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append([]string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"}, others...) {
		page := strings.TrimPrefix(file, root+"/")
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(readPage(t, page), ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: the link %s leads nowhere", page, m[1])
			} else if anchor != "" && strings.HasSuffix(target, ".md") && !hasHeading(readPage(t, target), anchor) {
				t.Errorf("%s: %s has no such heading: %s", page, target, anchor)
			}
		}
	}
}

// hasHeading tells whether a page has a heading with an anchor, as GitHub
// makes them.
func hasHeading(page, anchor string) bool {
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		name := inName.ReplaceAllString(strings.ToLower(strings.ReplaceAll(m[1], "`", "")), "")
		if strings.ReplaceAll(name, " ", "-") == anchor {
			return true
		}
	}
	return false
}
