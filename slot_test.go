package sessions

import (
	"testing"

	"github.com/go-session2/sessions/codec"
)

// TestReadOfWhatCannotBeWritten has a value of another program's that the
// codec reads and would not write. Looking at it changes nothing; changing it
// is an error.
func TestReadOfWhatCannotBeWritten(t *testing.T) {
	b := newBench(t, Config{Codec: codec.Pickle{}})
	b.request(func(s *Session) { s.Set("v", []any{complex(1, 2)}) })
	b.m.cfg.Codec = codec.Reads(codec.FlaskMessagePack{}, codec.Pickle{})
	b.request(func(s *Session) {
		if v, ok := s.Get("v").([]any); !ok || len(v) != 1 {
			t.Errorf("the value is %v, %v", v, s.Err())
		}
	})
	if len(b.errs) > 0 {
		t.Errorf("a request that only reads fails: %v", b.errs)
	}
	b.request(func(s *Session) { s.Get("v").([]any)[0] = complex(2, 1) })
	if len(b.errs) != 1 {
		t.Errorf("a change that cannot be stored: %v", b.errs)
	}
}
