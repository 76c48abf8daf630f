package firestorebackend

import (
	"context"
	"regexp"

	"cloud.google.com/go/firestore"

	"github.com/go-session2/sessions/backend"
)

// The names of the settings, as Flask has them.
const (
	clientSetting     = "SESSION_FIRESTORE"
	collectionSetting = "SESSION_FIRESTORE_COLLECT"
	projectSetting    = "GCLOUD_APP_PROJECT_ID"
)

// defaultCollection is the collection that Flask has.
const defaultCollection = "flask_session"

// projectID is what a project may be called; a domain may stand before it.
var projectID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.:-]{0,99}$`)

func init() { backend.Register("firestore", open) }

// open opens the backend of type "firestore". SESSION_FIRESTORE is a live
// *firestore.Client, which Close leaves open, or the ID of a project. Without
// it, GCLOUD_APP_PROJECT_ID is the project, and without that the one that the
// credentials of the environment name. The records are in the collection
// SESSION_FIRESTORE_COLLECT, default flask_session, of the database (default).
// A client for another database is made by the program. With
// SESSION_FLASK_COMPATIBLE the layout is that of Flask-Session2.
//
// The client that it makes uses the credentials of the environment, or the
// emulator that FIRESTORE_EMULATOR_HOST names.
func open(s *backend.Settings) (backend.Backend, error) {
	collection := s.String(collectionSetting, defaultCollection)
	if !validCollection(collection) {
		s.Reject(collectionSetting, "a name of letters, digits, _, . and -")
	}
	project := s.String(projectSetting, firestore.DetectProjectID)
	if project != firestore.DetectProjectID && !projectID.MatchString(project) {
		s.Reject(projectSetting, "the ID of a project")
	}
	v, ok := s.Lookup(clientSetting)
	if !ok {
		v = project
	}
	client, isClient := v.(*firestore.Client)
	name, isName := v.(string)
	if ok && (isClient && client == nil || !isClient && !isName || isName && !projectID.MatchString(name)) {
		s.Reject(clientSetting, "a *firestore.Client or the ID of a project")
	}
	flask := s.FlaskLayout()
	if err := s.Err(); err != nil {
		return nil, err // before there is a client to be closed
	}
	if flask == backend.FlaskSession {
		return nil, errNoFlask
	}
	if !isClient {
		var err error
		if client, err = firestore.NewClient(context.Background(), name); err != nil {
			return nil, err
		}
	}
	b := newBackend(client, Config{Collection: collection, Flask: flask})
	b.owned = !isClient
	return b, nil
}
