package codec

import (
	"errors"
	"math/big"
	"time"

	"github.com/tinylib/msgp/msgp"
)

var errWide = errors.New("an integer has more than 64 bits, which MessagePack has no form for")

// A packWriter is the flaskWriter for MessagePack.
type packWriter struct{ b []byte }

func (w *packWriter) null()       { w.b = msgp.AppendNil(w.b) }
func (w *packWriter) bool(b bool) { w.b = msgp.AppendBool(w.b, b) }

// int appends an integer as msgspec does: without a sign if it has none.
func (w *packWriter) int(i int64) {
	if i >= 0 {
		w.b = msgp.AppendUint64(w.b, uint64(i))
	} else {
		w.b = msgp.AppendInt64(w.b, i)
	}
}

func (w *packWriter) big(n *big.Int) error {
	switch {
	case n.IsInt64():
		w.int(n.Int64())
	case n.IsUint64():
		w.b = msgp.AppendUint64(w.b, n.Uint64())
	default:
		return errWide
	}
	return nil
}

func (w *packWriter) float(f float64) error {
	w.b = msgp.AppendFloat64(w.b, f)
	return nil
}

func (w *packWriter) text(s string)  { w.b = msgp.AppendString(w.b, s) }
func (w *packWriter) bytes(b []byte) { w.b = msgp.AppendBytes(w.b, b) }

func (w *packWriter) time(t time.Time) error {
	t = t.UTC().Truncate(time.Microsecond)
	if year := t.Year(); year < 1 || year > 9999 {
		return errYear
	}
	w.b = appendTime(w.b, t)
	return nil
}

func (w *packWriter) key(k any) (any, error) { return k, nil }

func (w *packWriter) list(n int)   { w.b = msgp.AppendArrayHeader(w.b, uint32(n)) }
func (w *packWriter) dict(n int)   { w.b = msgp.AppendMapHeader(w.b, uint32(n)) }
func (w *packWriter) next(int)     {}
func (w *packWriter) value()       {}
func (w *packWriter) listEnd()     {}
func (w *packWriter) dictEnd()     {}
func (w *packWriter) done() []byte { return w.b }
func (w *packWriter) size() int    { return len(w.b) }
