package walk

import (
	"crypto/rand"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/go-session2/sessions/internal/exampleapp"
	"github.com/go-session2/sessions/internal/testenv"
)

// stores are the settings for every type of store, as somebody would write
// them into the environment. dir is a directory of the test's own.
var stores = map[string]func(t *testing.T, dir string) []string{
	"filesystem": func(_ *testing.T, dir string) []string {
		return []string{"SESSION_FILE_DIR=" + filepath.Join(dir, "files")}
	},
	"redis": func(t *testing.T, _ string) []string {
		return []string{"SESSION_REDIS=redis://" + testenv.Need(t, "REDIS_ADDR")}
	},
	"memcached": func(t *testing.T, _ string) []string {
		return []string{"SESSION_MEMCACHED=" + testenv.Need(t, "MEMCACHED_ADDR")}
	},
	"mongodb": func(t *testing.T, _ string) []string {
		return []string{"SESSION_MONGODB=" + testenv.Need(t, "MONGODB_URI")}
	},
	"elasticsearch": func(t *testing.T, _ string) []string {
		return []string{"SESSION_ELASTICSEARCH_HOST=" + testenv.Need(t, "ELASTICSEARCH_URL")}
	},
	"dynamodb": func(t *testing.T, _ string) []string {
		return []string{"SESSION_DYNAMODB_ENDPOINT=" + testenv.Need(t, "DYNAMODB_ENDPOINT"), "SESSION_DYNAMODB_REGION=us-east-1",
			"SESSION_DYNAMODB_KEY_ID=test", "SESSION_DYNAMODB_SECRET=test"}
	},
	"firestore": func(t *testing.T, _ string) []string {
		return []string{"FIRESTORE_EMULATOR_HOST=" + testenv.Need(t, "FIRESTORE_EMULATOR_HOST"), "GCLOUD_APP_PROJECT_ID=test"}
	},
	"datastore": func(t *testing.T, _ string) []string {
		return []string{"DATASTORE_EMULATOR_HOST=" + testenv.Need(t, "DATASTORE_EMULATOR_HOST"), "GCLOUD_APP_PROJECT_ID=test"}
	},
	"sql": func(t *testing.T, _ string) []string {
		return []string{"SESSION_DB=" + testenv.Need(t, "POSTGRES_DSN")}
	},
	"gorm": func(t *testing.T, _ string) []string {
		return []string{"SESSION_SQLALCHEMY=" + testenv.Need(t, "POSTGRES_DSN")}
	},
}

// Stores builds two programs and lets a visitor go back and forth between
// them, on every type of store. Both packages are named as go build takes
// them.
func Stores(t *testing.T, one, other string) {
	exes := []string{build(t, one), build(t, other)}
	for _, exe := range exes { // the types that two programs cannot share
		memory := start(t, exe, t.TempDir(), "SESSION_TYPE=memory")
		memory.expect(memory.get("/"), "your first visit")
		memory.expect(memory.get("/"), "<b>2 times</b>")
		null := start(t, exe, t.TempDir(), "SESSION_TYPE=null")
		null.expect(null.get("/session"), "Nothing is stored about you")
		r, err := null.client.Get(null.base.String() + "/") // counts visits, which it cannot
		null.expect(null.page(r, err, http.StatusServiceUnavailable), "Back in a moment")
	}
	for typ, settings := range stores {
		t.Run(typ, func(t *testing.T) {
			dir := t.TempDir()
			env := append(settings(t, dir), "SESSION_TYPE="+typ, "SESSION_KEY_PREFIX=test-"+rand.Text()+":")
			first, second := start(t, exes[0], dir, env...), start(t, exes[1], dir, env...)
			second.client.Jar = first.client.Jar // both are on 127.0.0.1

			first.expect(first.get("/"), "your first visit")
			second.expect(second.get("/"), "<b>2 times</b>")
			second.expect(second.post("/cart/add", "tea", "sencha"), "Sencha Asatsuyu is in your cart.")
			first.expect(first.get("/cart"), "Sencha Asatsuyu", `<b class="count">1</b>`)
			before := first.cookie()
			first.expect(first.post("/sign-in", "name", "Ada", "password", exampleapp.DemoPassword), "Welcome, Ada.")
			if first.cookie() == before {
				t.Error("the ID did not change")
			}
			second.expectDead(before)
			second.expect(second.get("/"), "Good to see you, Ada", `<b class="count">1</b>`)
			after := second.cookie()
			second.expect(second.post("/sign-out"), "You are signed out")
			first.expectDead(after)
			first.expect(first.get("/"), "your first visit")
		})
	}
}
