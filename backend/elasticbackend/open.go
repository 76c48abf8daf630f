package elasticbackend

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"github.com/go-session2/sessions/backend"
)

// The names of the settings, as Flask has them.
const (
	clientSetting = "SESSION_ELASTICSEARCH"
	hostSetting   = "SESSION_ELASTICSEARCH_HOST"
	indexSetting  = "SESSION_ELASTICSEARCH_INDEX"
)

const (
	// dialTimeout is how long a client that this package opens waits for a
	// connection when the context does not say less.
	dialTimeout = 5 * time.Second

	// maxIdleConns is how many connections such a client keeps to a host.
	maxIdleConns = 100
)

func init() { backend.Register("elasticsearch", open) }

// open opens the backend of type "elasticsearch". SESSION_ELASTICSEARCH is a
// live client, for instance an *elasticsearch.Client, which Close leaves
// alone. Without it SESSION_ELASTICSEARCH_HOST is the URL of a node, or of
// several, separated by commas: http[s]://[user:password@]host[:port][/path];
// the default is http://localhost:9200. The records are in the index
// SESSION_ELASTICSEARCH_INDEX, default sessions. With SESSION_FLASK_COMPATIBLE
// the layout is that of Flask-Session2.
//
// For an API key, a certificate of one's own, or Elastic Cloud by its ID, the
// program makes the client.
func open(s *backend.Settings) (backend.Backend, error) {
	index := s.String(indexSetting, defaultIndex)
	if !indexName.MatchString(index) {
		s.Reject(indexSetting, "a name of lower-case letters, digits, '.', '_' and '-'")
	}
	v, given := s.Lookup(clientSetting)
	client, ok := v.(elastictransport.Interface)
	if given && !ok {
		s.Reject(clientSetting, "a client of go-elasticsearch; for a URL there is "+hostSetting)
	}
	hosts := parseHosts(s.String(hostSetting, "http://localhost:9200"))
	if hosts == nil && !given {
		// What was wrong is not told, as it may be a part of a password.
		s.Reject(hostSetting, "a URL, or several separated by commas: http[s]://[user:password@]host[:port][/path]")
	}
	cfg := Config{Index: index, Flask: s.FlaskLayout()}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if cfg.Flask == backend.FlaskSession {
		return nil, errNoFlask
	}
	if given {
		return NewWithConfig(client, cfg)
	}
	client, release, err := dial(hosts)
	if err != nil {
		return nil, err
	}
	b := newBackend(client, cfg)
	b.release = release
	return b, nil
}

// parseHosts returns the URLs in a list, or nil when there is one that cannot
// be used.
func parseHosts(list string) (hosts []*url.URL) {
	for text := range strings.SplitSeq(list, ",") {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
			return nil
		}
		u.Path = strings.TrimRight(u.Path, "/")
		hosts = append(hosts, u)
	}
	return hosts
}

// dial makes a client, and a function that closes its connections. It does no
// I/O.
func dial(hosts []*url.URL) (client elastictransport.Interface, release func(), err error) {
	conns := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout: dialTimeout,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: maxIdleConns,
		IdleConnTimeout:     90 * time.Second,
	}
	client, err = elastictransport.New(elastictransport.Config{
		URLs:      hosts,
		Transport: conns,
		// What a caller has given up is not tried again.
		RetryOnError: func(r *http.Request, err error) bool { return r.Context().Err() == nil },
	})
	return client, conns.CloseIdleConnections, err
}
