package redisbackend

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// maxCount bounds the work of the server for one page, during which it
// answers nobody else.
const maxCount = 1000

// A position is a cursor of List.
type position struct {
	Node int      `json:"node"`           // index in the sorted nodes
	Set  uint32   `json:"set"`            // identifies the set of nodes
	Scan uint64   `json:"scan"`           // cursor of SCAN on the node
	Rest [][]byte `json:"rest,omitempty"` // keys for which the page before had no room
	Done bool     `json:"done,omitempty"` // nothing is left but Rest
}

// List implements [backend.Lister] by SCAN, on a cluster over all masters in
// turn. Any page may be short or empty: one call looks at about limit keys of
// the store, at most 1000, whether they have the prefix or not. A key may be
// listed more than once.
//
// It returns an error, and the listing must be begun again, when the masters
// of a cluster have changed since the last page. What it cannot see is that
// slots moved between the same masters, or a failover of a single server: then
// records may be left out.
func (b *Backend) List(ctx context.Context, prefix, cursor string, limit int) (keys []string, next string, err error) {
	const op = "list"
	if limit < 1 {
		return nil, "", fail(ctx, op, "", fmt.Errorf("the limit is %d, not at least 1", limit))
	}
	var from position
	if cursor != "" {
		if json.Unmarshal([]byte(cursor), &from) != nil || from.Node < 0 {
			return nil, "", fail(ctx, op, "", errors.New("the cursor is not one of this backend"))
		}
	}
	to, err := do(ctx, b, func() (position, error) {
		if len(from.Rest) > 0 {
			return from, nil
		}
		return b.scan(ctx, prefix, cursor == "", from, limit)
	})
	if err != nil {
		return nil, "", fail(ctx, op, "", err)
	}
	n := min(limit, len(to.Rest))
	for _, key := range to.Rest[:n] {
		keys = append(keys, string(key))
	}
	to.Rest = to.Rest[n:]
	if to.Done && len(to.Rest) == 0 {
		return keys, "", nil
	}
	text, err := json.Marshal(to)
	return keys, string(text), fail(ctx, op, "", err)
}

// scan does one SCAN at a position and returns the next position with the
// keys found as its Rest. A SCAN may return more keys than it was asked for,
// and cannot be stopped in between.
func (b *Backend) scan(ctx context.Context, prefix string, first bool, at position, limit int) (position, error) {
	nodes, set, err := b.nodes(ctx)
	if err != nil {
		return at, err
	}
	if first {
		at.Set = set
	}
	if at.Set != set || at.Node >= len(nodes) {
		return at, errors.New("the nodes of the cluster have changed: begin the listing again")
	}
	keys, next, err := nodes[at.Node].Scan(ctx, at.Scan, pattern(prefix), int64(min(limit, maxCount))).Result()
	if err != nil {
		return at, err
	}
	for _, key := range keys {
		if !strings.HasPrefix(key, ownerPrefix) { // no record, if prefix lets it be listed
			at.Rest = append(at.Rest, []byte(key))
		}
	}
	at.Scan = next
	if next == 0 {
		at.Node++
		at.Done = at.Node == len(nodes)
	}
	return at, nil
}

// nodes returns the clients to scan, in the order of their addresses, and a
// number that identifies the set.
func (b *Backend) nodes(ctx context.Context) (clients []redis.Cmdable, set uint32, err error) {
	var mu sync.Mutex
	var found []*redis.Client
	add := func(_ context.Context, c *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		found = append(found, c)
		return nil
	}
	switch c := b.client.(type) {
	case *redis.ClusterClient:
		err = c.ForEachMaster(ctx, add)
	case *redis.Ring:
		err = c.ForEachShard(ctx, add)
	default:
		return []redis.Cmdable{b.client}, 0, nil
	}
	slices.SortFunc(found, func(x, y *redis.Client) int { return cmp.Compare(x.Options().Addr, y.Options().Addr) })
	sum := crc32.NewIEEE()
	for _, c := range found {
		clients = append(clients, c)
		_, _ = fmt.Fprintln(sum, c.Options().Addr)
	}
	return clients, sum.Sum32(), err
}

// pattern returns the glob pattern of SCAN for keys that begin with prefix.
func pattern(prefix string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(prefix) + "*"
}
