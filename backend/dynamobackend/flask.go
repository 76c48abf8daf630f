package dynamobackend

import (
	"context"
	"errors"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/go-session2/sessions/backend"
)

// DefaultFlaskSessionTable is the name of the table where none is given, in
// the layout of Flask-Session.
const DefaultFlaskSessionTable = "Sessions"

// The layouts of the Flask extensions. Flask-Session2 stores no expiry: the
// attribute expires is our own, which it drops when it writes the item.
var (
	flaskSession2 = layout{key: "SessionId", data: "Session", expires: "expires", text: true}
	flaskSession  = layout{key: "id", data: "val", expires: "expiration"}
)

var _ backend.FlaskStore = (*Backend)(nil)

// FlaskLayout implements [backend.FlaskStore].
func (b *Backend) FlaskLayout() (backend.FlaskLayout, backend.FlaskFormat) {
	switch b.flask {
	case backend.FlaskSession2:
		return b.flask, backend.FlaskJSON
	case backend.FlaskSession:
		return b.flask, backend.FlaskMsgpack
	}
	return backend.NoFlask, ""
}

// FlaskSchema is [Schema] for a table in the layout of a Flask extension. Its
// partition key is SessionId or id, its time to live is on expires or
// expiration. Neither extension needs the latter; Flask-Session2 creates no
// table at all.
func FlaskSchema(flask backend.FlaskLayout, table string) (*dynamodb.CreateTableInput, *dynamodb.UpdateTimeToLiveInput) {
	l, _ := layoutOf(flask)
	return l.schema(table)
}

// layoutOf returns a layout and the name that its table has by default.
func layoutOf(flask backend.FlaskLayout) (l layout, table string) {
	switch flask {
	case backend.FlaskSession2:
		return flaskSession2, DefaultTable
	case backend.FlaskSession:
		return flaskSession, DefaultFlaskSessionTable
	}
	return native, DefaultTable
}

var errText = errors.New("the data is no UTF-8 text: in the layout of Flask-Session2 it is JSON")

// writing is the option of a request that stores or removes data. In a layout
// of Flask such a request must not be repeated when it may have been done, as
// it would find its own result and take it for somebody else's.
func (b *Backend) writing(o *dynamodb.Options) {
	steady(o)
	if b.flask != backend.NoFlask && o.Retryer != nil {
		o.Retryer = cautious{o.Retryer}
	}
}

// A cautious retryer repeats only what has certainly changed nothing.
type cautious struct{ aws.Retryer }

func (r cautious) IsErrorRetryable(err error) bool {
	var dial *net.OpError
	unsent := errors.As(err, &dial) && dial.Op == "dial"
	throttled := retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool()
	return (unsent || throttled) && r.Retryer.IsErrorRetryable(err)
}

// GetAttemptToken implements [aws.RetryerV2], which the SDK looks for.
func (r cautious) GetAttemptToken(ctx context.Context) (release func(error) error, err error) {
	if v2, ok := r.Retryer.(aws.RetryerV2); ok {
		return v2.GetAttemptToken(ctx)
	}
	return r.GetInitialToken(), nil
}
