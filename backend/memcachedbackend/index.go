package memcachedbackend

import (
	"fmt"

	"github.com/go-session2/sessions/backend"
)

var _ backend.Indexer = (*Backend)(nil)

// errIndex: a list of keys in a value of its own could be evicted while the
// records are not, and then sessions would outlive their revocation.
var errIndex = fmt.Errorf("%w: memcached can neither list nor query what it holds, and may evict a list kept beside it", backend.ErrNoIndex)

// Indexed returns an ErrNoIndex.
func (*Backend) Indexed(string) (backend.Index, error) { return nil, errIndex }
