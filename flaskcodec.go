package sessions

import (
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/codec"
)

// flaskCodec returns the codec for a format, or nil.
func flaskCodec(backend.FlaskFormat) codec.Codec { return nil }
