package dynamobackend

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// steady is an option of every request. It keeps the transport of net/http
// from closing a connection while its reply is being read.
//
// smithy-go, which sends the requests of the SDK, closes their bodies as soon
// as the reply begins. The transport may just then look whether there is more
// of the body, and it takes io.EOF for the end from Read, but for a failure
// from WriteTo, which the closed body of smithy-go returns it from. So WriteTo
// is hidden. Without that, a server that is quick to answer makes every
// twentieth read of 256 KB fail with "use of closed network connection"; see
// https://github.com/aws/aws-sdk-go-v2/issues/2737.
func steady(o *dynamodb.Options) {
	if o.HTTPClient != nil {
		o.HTTPClient = steadyClient{o.HTTPClient}
	}
}

type steadyClient struct{ dynamodb.HTTPClient }

func (c steadyClient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.HTTPClient.Do(r)
}
