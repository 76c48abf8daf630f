package sessions

import (
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	inCode      = regexp.MustCompile("`([^`]+)`")
	settingName = regexp.MustCompile(`\b(SESSION_[A-Z0-9_]*[A-Z0-9]|PERMANENT_SESSION_LIFETIME|SECRET_KEY|SECRET_KEY_FALLBACKS|APPLICATION_ROOT|GCLOUD_APP_PROJECT_ID)\b`)
)

// TestConfigurationDoc checks that docs/configuration.md has every field of
// Config with its default, and every setting, with docs/backends.md for those
// of the stores, and no setting that does not exist.
func TestConfigurationDoc(t *testing.T) {
	page := readDoc(t, "configuration")
	defaults := make(map[string]string)
	for line := range strings.Lines(page) {
		cells := strings.Split(line, "|") // the first is empty
		if len(cells) < 5 {
			continue
		}
		for _, name := range inCode.FindAllStringSubmatch(cells[1], -1) {
			defaults[name[1]] = strings.TrimSpace(cells[3])
		}
	}

	complete, err := Config{}.complete()
	if err != nil {
		t.Fatal(err)
	}
	values := reflect.ValueOf(complete)
	for i := range values.NumField() {
		field := values.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		cell, ok := defaults[field.Name]
		if !ok {
			t.Errorf("docs/configuration.md has no row for Config.%s", field.Name)
			continue
		}
		if want := written(values.Field(i).Interface()); cell == "" || !strings.Contains(cell, want) {
			t.Errorf("docs/configuration.md: the default of Config.%s is %q, want %q", field.Name, cell, want)
		}
	}

	pages := page + readDoc(t, "backends")
	listed := settingName.FindAllString(pages, -1)
	for _, name := range knownSettings {
		if !slices.Contains(listed, name) {
			t.Errorf("neither docs/configuration.md nor docs/backends.md has %s", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(knownSettings, name) {
			t.Errorf("the docs speak of %s, which is not a setting", name)
		}
	}
}

// written returns how the page writes a default, or "" for what has none that
// could be written.
func written(v any) string {
	switch v := v.(type) {
	case string:
		if v != "" {
			return "`" + v + "`"
		}
	case bool:
		return fmt.Sprint(v)
	case int:
		if v == 0 {
			return ""
		}
		return fmt.Sprintf("%d MiB", v>>20)
	case http.SameSite:
		return map[http.SameSite]string{http.SameSiteLaxMode: "`Lax`"}[v]
	case time.Duration:
		switch {
		case v == 0:
			return ""
		case v >= 24*time.Hour:
			return fmt.Sprintf("%d days", v/(24*time.Hour))
		case v >= time.Minute:
			return fmt.Sprintf("%d min", v/time.Minute)
		}
		return fmt.Sprintf("%d s", v/time.Second)
	}
	return ""
}

func readDoc(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile("docs/" + name + ".md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}
