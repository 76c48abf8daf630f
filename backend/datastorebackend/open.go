package datastorebackend

import (
	"context"
	"os"
	"regexp"

	"cloud.google.com/go/datastore"

	"github.com/go-session2/sessions/backend"
)

// The names of the settings; the second is Flask's.
const (
	clientSetting  = "SESSION_DATASTORE"
	projectSetting = "GCLOUD_APP_PROJECT_ID"
)

// projectID is what a project may be called; a domain may stand before it.
var projectID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.:-]{0,99}$`)

func init() { backend.Register("datastore", open) }

// open opens the backend of type "datastore". SESSION_DATASTORE is a live
// *datastore.Client, which Close leaves open, or the ID of a project. Without
// it, GCLOUD_APP_PROJECT_ID is the project, and without that the one that the
// credentials of the environment name. The records are of the kind session, in
// the default database. A client for another database is made by the program.
// With SESSION_FLASK_COMPATIBLE the layout is that of Flask-Session2.
//
// The client that it makes uses the credentials of the environment, or the
// emulator that DATASTORE_EMULATOR_HOST names.
func open(s *backend.Settings) (backend.Backend, error) {
	project := s.String(projectSetting, datastore.DetectProjectID)
	if project != datastore.DetectProjectID && !projectID.MatchString(project) {
		s.Reject(projectSetting, "the ID of a project")
	}
	v, ok := s.Lookup(clientSetting)
	if !ok {
		v = project
	}
	client, isClient := v.(*datastore.Client)
	name, isName := v.(string)
	if ok && (isClient && client == nil || !isClient && !isName || isName && !projectID.MatchString(name)) {
		s.Reject(clientSetting, "a *datastore.Client or the ID of a project")
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
		if client, err = datastore.NewClient(context.Background(), name); err != nil {
			return nil, err
		}
	}
	b := newBackend(client, Config{Flask: flask, BeginFirst: os.Getenv("DATASTORE_EMULATOR_HOST") != ""})
	b.owned = !isClient
	return b, nil
}
