package sessions

import (
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/codec"
)

// flaskCodec returns the codec for a format, or nil.
func flaskCodec(format backend.FlaskFormat) codec.Codec {
	switch format {
	case backend.FlaskPickle:
		return codec.Pickle{}
	case backend.FlaskPickle0:
		return codec.Pickle{Protocol: codec.PickleProtocol0}
	case backend.FlaskMsgpack:
		return codec.FlaskMessagePack{}
	case backend.FlaskJSON:
		return codec.FlaskJSON{}
	}
	return nil
}
