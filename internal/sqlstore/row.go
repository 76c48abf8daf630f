package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-session2/sessions/backend"
)

// A row is what a SELECT finds under a key.
type row struct {
	found bool
	data  []byte
	left  sql.NullInt64 // milliseconds to live, not positive once expired; NULL: no end
}

func (r row) live() bool { return r.found && (!r.left.Valid || r.left.Int64 > 0) }

// expires returns when the row expires. What is left to live is the
// database's to say; counted from now it holds whatever the clocks show.
// Others may have stored any number.
func (r row) expires() time.Time {
	if !r.left.Valid {
		return time.Time{}
	}
	left := min(r.left.Int64, backend.MaxTTL.Milliseconds())
	return time.Now().Add(time.Duration(left) * time.Millisecond)
}

// look reads the row under a key, expired or not. It is no error when there
// is none.
func (s *Store) look(ctx context.Context, key string) (r row, err error) {
	err = s.query(ctx, s.st.look, args{key: key}, func(rows *sql.Rows) error {
		r = row{found: rows.Next()}
		if !r.found {
			return nil
		}
		return rows.Scan(&r.data, &r.left)
	})
	r.data = revision(r.data) // some drivers return nil for no bytes
	return r, err
}

// revision returns data so that it is not nil, which databases take for NULL.
func revision(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}
