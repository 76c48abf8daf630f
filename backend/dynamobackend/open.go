package dynamobackend

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/guregu/dynamo/v2"

	"github.com/go-session2/sessions/backend"
)

// The names of the settings, as Flask has them.
const (
	clientSetting   = "SESSION_DYNAMODB"
	endpointSetting = "SESSION_DYNAMODB_ENDPOINT"
	keyIDSetting    = "SESSION_DYNAMODB_KEY_ID"
	secretSetting   = "SESSION_DYNAMODB_SECRET"
	regionSetting   = "SESSION_DYNAMODB_REGION"
	tableSetting    = "SESSION_DYNAMODB_TABLE"
	existsSetting   = "SESSION_DYNAMODB_TABLE_EXISTS"
)

// timeout bounds each attempt of a request of a client that this package
// opens. The SDK makes up to three.
const timeout = 5 * time.Second

func init() { backend.Register("dynamodb", open) }

// open opens the backend of type "dynamodb". SESSION_DYNAMODB is a live
// *dynamo.DB, with which the settings of the client count for nothing, or an
// aws.Config, of which SESSION_DYNAMODB_ENDPOINT and _REGION replace a part.
//
// Without it, _KEY_ID and _SECRET are the credentials and _REGION is the
// region. What is missing of the two comes from where the tools of AWS look
// for it: environment variables, shared files, and the roles of the platform.
// The roles are asked when the first request is signed.
//
// The table is _TABLE, default sessions, or Sessions in the layout of
// Flask-Session. With _TABLE_EXISTS it is not created. SESSION_FLASK_COMPATIBLE
// asks for the layout of a Flask extension.
func open(s *backend.Settings) (backend.Backend, error) {
	flask := s.FlaskLayout()
	_, table := layoutOf(flask)
	cfg := Config{
		Table:      s.String(tableSetting, table),
		SkipSchema: s.Bool(existsSetting, false),
		Flask:      flask,
	}
	if !tableName.MatchString(cfg.Table) {
		s.Reject(tableSetting, tableNameRule)
	}
	db, owned := client(s)
	if err := s.Err(); err != nil {
		return nil, err
	}
	b, err := NewWithConfig(db, cfg)
	if err != nil {
		return nil, err
	}
	b.owned = owned
	return b, nil
}

// client returns the client that the settings describe, and its connections
// if they are to be closed with the backend.
func client(s *backend.Settings) (*dynamo.DB, *http.Transport) {
	endpoint, keyID := s.String(endpointSetting, ""), s.String(keyIDSetting, "")
	secret, region := s.String(secretSetting, ""), s.String(regionSetting, "")
	if u, err := url.Parse(endpoint); endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		s.Reject(endpointSetting, "a URL: http://host:port or https://host")
	}
	var owned *http.Transport
	var cfg aws.Config
	switch v, _ := s.Lookup(clientSetting); v := v.(type) {
	case *dynamo.DB:
		return v, nil
	case aws.Config:
		cfg = v
		if region != "" {
			cfg.Region = region
		}
	case nil:
		if (keyID == "") != (secret == "") {
			s.Reject(secretSetting, "set if and only if "+keyIDSetting+" is")
			return nil, nil
		}
		cfg, owned = load(s, keyID, secret, region)
	default:
		s.Reject(clientSetting, "a *dynamo.DB of guregu/dynamo v2 or an aws.Config")
		return nil, nil
	}
	if cfg.Region == "" {
		s.Reject(regionSetting, "the name of a region, such as us-east-1, as none is configured for AWS")
	}
	return dynamo.New(cfg, func(o *dynamodb.Options) {
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
	}), owned
}

// load returns the configuration of the environment with connections of its
// own. Empty arguments leave what is found there.
func load(s *backend.Settings, keyID, secret, region string) (aws.Config, *http.Transport) {
	var options []func(*config.LoadOptions) error
	if keyID != "" {
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(keyID, secret, "")))
	}
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), options...)
	if err != nil {
		// The texts of the SDK may quote the files that it reads.
		s.Reject(clientSetting, "given, or the environment variables and shared files of AWS must be right, which they are not")
		return cfg, nil
	}
	made, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		made = awshttp.NewBuildableClient()
	}
	owned := made.GetTransport()
	cfg.HTTPClient = &http.Client{Transport: owned, Timeout: timeout}
	return cfg, owned
}
