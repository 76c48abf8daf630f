package sessions_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A guide shows code as <!-- in FILE --> and a block of go or of diff.
var shown = regexp.MustCompile("(?ms)(?:^<!-- in ([^ ;]+)[^\n]*-->\n)?^```(go|diff)\n(.*?)^```")

// TestGuides checks that the Go code in the guides is code that is compiled
// and tested, in the file that the guide names. Of a diff it is what is left
// after it.
func TestGuides(t *testing.T) {
	for _, guide := range []string{"docs/migrating.md", "docs/writing-a-backend.md", "docs/getting-started.md"} {
		text, err := os.ReadFile(guide)
		if err != nil {
			t.Fatal(err)
		}
		blocks := shown.FindAllStringSubmatch(string(text), -1)
		if len(blocks) == 0 || len(blocks) != strings.Count(string(text), "```go\n")+strings.Count(string(text), "```diff\n") {
			t.Errorf("%s: %d blocks of code are recognized", guide, len(blocks))
		}
		for _, block := range blocks {
			file, code := block[1], block[3]
			first, _, _ := strings.Cut(code, "\n")
			if file == "" {
				t.Errorf("%s does not say in which file this is: %s", guide, first)
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if block[2] == "diff" {
				code = regexp.MustCompile(`(?m)^-.*\n`).ReplaceAllString(code, "")
				code = regexp.MustCompile(`(?m)^[ +]`).ReplaceAllString(code, "")
			}
			if !strings.Contains(unindented(string(source)), unindented(code)) {
				t.Errorf("%s: this is not in %s: %s", guide, file, first)
			}
		}
	}
}

// unindented returns code whatever it is indented by, since a guide shows the
// body of a function as well as a function.
func unindented(code string) string {
	return "\n" + regexp.MustCompile(`(?m)^[\t ]+`).ReplaceAllString(code, "")
}
