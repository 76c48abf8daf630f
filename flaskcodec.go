package sessions

import (
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/codec"
)

// flaskCodec returns the codec for a format, or nil. Like Flask-Session, those
// of its formats read the other one and pickles as well, so that a store can
// be moved from one to the other while it is in use.
func flaskCodec(format backend.FlaskFormat) codec.Codec {
	switch format {
	case backend.FlaskPickle:
		return codec.Pickle{}
	case backend.FlaskPickle0:
		return codec.Pickle{Protocol: codec.PickleProtocol0}
	case backend.FlaskMsgpack:
		return codec.Reads(codec.FlaskMessagePack{}, codec.FlaskJSON{}, codec.Pickle{})
	case backend.FlaskJSON:
		return codec.Reads(codec.FlaskJSON{}, codec.FlaskMessagePack{}, codec.Pickle{})
	}
	return nil
}
