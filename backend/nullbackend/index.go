package nullbackend

import (
	"fmt"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Indexer = (*Backend)(nil)

var errIndex = fmt.Errorf("%w: %w", backend.ErrNoIndex, errWrite)

// Indexed returns an ErrNoIndex that is also an ErrNotConfigured.
func (*Backend) Indexed(string) (backend.Index, error) { return nil, errIndex }
