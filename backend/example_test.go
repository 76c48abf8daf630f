package backend_test

import (
	"fmt"
	"strings"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/nullbackend"
)

// A backend of your own gets a type name, so that SESSION_TYPE can choose it,
// and asks for its settings.
func ExampleRegister() {
	backend.Register("cellar", func(s *backend.Settings) (backend.Backend, error) { // in the init of its package
		shelf := s.String("SESSION_CELLAR_SHELF", "top")
		if err := s.Err(); err != nil {
			return nil, err
		}
		fmt.Println("opened shelf", shelf)
		return nullbackend.New(), nil
	})

	_, err := backend.Open("cellar", backend.NewSettings(map[string]any{"SESSION_CELLAR_SHELF": "bottom"}))
	fmt.Println(err)
	_, err = backend.Open("celar", backend.NewSettings(nil)) // lists the types there are
	fmt.Println(strings.Contains(err.Error(), "cellar"))
	// Output:
	// opened shelf bottom
	// <nil>
	// true
}
