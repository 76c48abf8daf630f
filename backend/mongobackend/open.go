package mongobackend

import (
	"regexp"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/go-session2/sessions/backend"
)

// The names of the settings, as Flask has them.
const (
	clientSetting     = "SESSION_MONGODB"
	databaseSetting   = "SESSION_MONGODB_DB"
	collectionSetting = "SESSION_MONGODB_COLLECT"
)

// selectionTimeout is how long a client that this package opens looks for the
// primary when neither its URI nor the context says less.
const selectionTimeout = 5 * time.Second

// What names may be; MongoDB allows a little more.
var (
	databaseName   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)
	collectionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,119}$`)
)

func init() { backend.Register("mongodb", open) }

// open opens the backend of type "mongodb". SESSION_MONGODB is a live
// *mongo.Client, which Close leaves connected, or a URI, mongodb:// or
// mongodb+srv://; the default is the server at localhost:27017. The records
// are in the collection SESSION_MONGODB_COLLECT, default sessions, of the
// database SESSION_MONGODB_DB, default flask_session, as documents of the Flask
// extension with SESSION_FLASK_COMPATIBLE.
//
// A URI with mongodb+srv is looked up in DNS at once, so the name service must
// answer when the program starts; MongoDB need not.
func open(s *backend.Settings) (backend.Backend, error) {
	database := name(s, databaseSetting, "flask_session", databaseName)
	collection := name(s, collectionSetting, "sessions", collectionName)
	v, ok := s.Lookup(clientSetting)
	if !ok {
		v = "mongodb://localhost:27017"
	}
	layout := s.FlaskLayout()
	if err := s.Err(); err != nil {
		return nil, err // before there is a client to be closed
	}
	client, _ := v.(*mongo.Client)
	uri, owned := v.(string)
	if owned {
		// What is wrong with a URI is not told, as the texts of the driver
		// quote parts of it, and those may be parts of a password.
		client, _ = mongo.Connect(options.Client().SetServerSelectionTimeout(selectionTimeout).ApplyURI(uri))
	}
	if client == nil {
		s.Reject(clientSetting, "a *mongo.Client of mongo-driver v2 or a URI: mongodb://[user:password@]host:port/ or mongodb+srv://")
		return nil, s.Err()
	}
	b := newBackend(client.Database(database).Collection(collection), Config{Flask: layout})
	b.owned = owned
	return b, nil
}

// name returns a setting that is the name of a database or a collection.
func name(s *backend.Settings, setting, def string, valid *regexp.Regexp) string {
	v := s.String(setting, def)
	if !valid.MatchString(v) {
		s.Reject(setting, "a name of letters, digits, _ and -")
		return def
	}
	return v
}
