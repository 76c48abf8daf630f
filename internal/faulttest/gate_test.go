//go:build linux

package faulttest

import (
	"flag"
	"log"
	"os"
	"testing"

	"github.com/gin-gonic/gin"
)

// TestMain lets many tests wait at the same time: they do hardly anything else.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "32"); err != nil {
		log.Fatal(err)
	}
	gin.SetMode(gin.ReleaseMode)
	os.Exit(m.Run())
}

// TestGate checks two of the promises that no release may break:
//
//   - G5, an outage is not a logout: while the store cannot be reached a
//     visitor gets one clean 503 and keeps the cookie, and when the store is
//     back the cookie works, without a restart.
//   - G6, the cookie is never lost and never lies: what a response says was
//     saved was saved, once, also when the reply of the store was lost.
func TestGate(t *testing.T) {
	t.Run("G5", func(t *testing.T) {
		t.Run("goroutines", goroutines) // alone, as it counts
		for _, s := range stores {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				for _, f := range faults {
					t.Run(string(f), func(t *testing.T) { t.Parallel(); outage(t, s, f) })
				}
				for name, crash := range crashes[s.name] {
					t.Run(name, func(t *testing.T) { t.Parallel(); crash(t) })
				}
			})
		}
	})
	t.Run("G6", func(t *testing.T) {
		for _, s := range stores {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				for name, check := range map[string]func(*testing.T, store){
					"counter": counter, "first cookie": firstCookie, "regenerate": regenerate, "client gone": clientGone,
				} {
					t.Run(name, func(t *testing.T) { t.Parallel(); check(t, s) })
				}
				if s.env == "REDIS_ADDR" { // it is a matter of the frameworks: these are one of each
					t.Run("answers", func(t *testing.T) { t.Parallel(); answers(t, s) })
				}
			})
		}
	})
}
