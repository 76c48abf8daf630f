package dynamobackend

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/guregu/dynamo/v2"

	"github.com/go-session2/sessions/backend"
)

func openSettings(values map[string]any) (*Backend, error) {
	b, err := backend.Open("dynamodb", backend.NewSettings(values))
	if err != nil {
		return nil, err
	}
	return b.(*Backend), nil
}

// bare removes what the environment says of AWS.
func bare(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
}

// options returns what a backend's client was made with.
func options(b *Backend) dynamodb.Options { return b.client.(*dynamodb.Client).Options() }

func TestOpen(t *testing.T) {
	bare(t)
	b, err := openSettings(map[string]any{
		endpointSetting: "http://localhost:1", keyIDSetting: "id", secretSetting: "secret", regionSetting: "eu-west-3",
		tableSetting: "other", existsSetting: "true",
	})
	if err != nil {
		t.Fatal(err)
	}
	o := options(b)
	creds, err := o.Credentials.Retrieve(context.Background())
	if err != nil || creds.AccessKeyID != "id" || creds.SecretAccessKey != "secret" || creds.SessionToken != "" {
		t.Errorf("the credentials are wrong: %v", err)
	}
	if o.Region != "eu-west-3" || aws.ToString(o.BaseEndpoint) != "http://localhost:1" || o.HTTPClient.(*http.Client).Timeout != timeout {
		t.Errorf("region %q, endpoint %q", o.Region, aws.ToString(o.BaseEndpoint))
	}
	if b.table != "other" || !b.schema.ready.Load() || b.owned == nil {
		t.Errorf("table %q, skip %t", b.table, b.schema.ready.Load())
	}

	// What the settings do not say comes from the environment.
	t.Setenv("AWS_REGION", "ap-south-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "env-id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "env-secret")
	if b, err = openSettings(nil); err != nil {
		t.Fatal(err)
	}
	o = options(b)
	creds, err = o.Credentials.Retrieve(context.Background())
	if err != nil || creds.AccessKeyID != "env-id" || o.Region != "ap-south-1" || o.BaseEndpoint != nil {
		t.Errorf("from the environment: region %q, %v", o.Region, err)
	}
	if b.table != "sessions" || b.schema.ready.Load() {
		t.Errorf("table %q, skip %t", b.table, b.schema.ready.Load())
	}

	// Of a configuration that is given, the settings replace a part.
	given := aws.Config{Region: "us-west-2", BaseEndpoint: aws.String("http://localhost:2")}
	if b, err = openSettings(map[string]any{clientSetting: given, regionSetting: "us-west-1"}); err != nil {
		t.Fatal(err)
	}
	if o = options(b); o.Region != "us-west-1" || aws.ToString(o.BaseEndpoint) != "http://localhost:2" || b.owned != nil {
		t.Errorf("from a configuration: region %q, endpoint %q", o.Region, aws.ToString(o.BaseEndpoint))
	}
	db := dynamo.New(given)
	if b, err = openSettings(map[string]any{clientSetting: db}); err != nil || b.client != db.Client() || b.owned != nil {
		t.Errorf("a live client was not taken over: %v", err)
	}
}

func TestOpenRejects(t *testing.T) {
	bare(t)
	var none *dynamo.DB
	for name, values := range map[string]map[string]any{
		"SESSION_DYNAMODB must be a *dynamo.DB":  {clientSetting: "http://secret"},
		"the client is nil":                      {clientSetting: none},
		"SESSION_DYNAMODB_ENDPOINT must be":      {endpointSetting: "secret:8000", regionSetting: "r"},
		"SESSION_DYNAMODB_ENDPOINT must be a":    {endpointSetting: "ftp://secret", regionSetting: "r"},
		"SESSION_DYNAMODB_SECRET must be":        {keyIDSetting: "secret", regionSetting: "r"},
		"SESSION_DYNAMODB_SECRET must be set":    {secretSetting: "secret", regionSetting: "r"},
		"SESSION_DYNAMODB_REGION must be":        {},
		"SESSION_DYNAMODB_REGION must be the":    {clientSetting: aws.Config{}},
		"SESSION_DYNAMODB_TABLE must be":         {tableSetting: "secret table", regionSetting: "r"},
		"SESSION_DYNAMODB_TABLE_EXISTS must be":  {existsSetting: "secret", regionSetting: "r"},
		"SESSION_DYNAMODB_TABLE must be a strin": {tableSetting: 7, regionSetting: "r"},
	} {
		b, err := openSettings(values)
		if b != nil || err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOpenUnreadable has shared files of AWS that are damaged.
func TestOpenUnreadable(t *testing.T) {
	bare(t)
	t.Setenv("AWS_PROFILE", "secret")
	if b, err := openSettings(map[string]any{regionSetting: "r"}); b != nil || err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a profile that is not there: %v", err)
	}
}

// TestOpenLives goes from settings to records, and closes.
func TestOpenLives(t *testing.T) {
	onLocal(t, func(t *testing.T, endpoint, table string) {
		ctx, passed := context.Background(), connect(endpoint, nil)
		for name, values := range map[string]map[string]any{
			"keys":   {endpointSetting: endpoint, keyIDSetting: "test", secretSetting: "test", regionSetting: "us-east-1"},
			"config": {clientSetting: awsConfig("http://localhost:1"), endpointSetting: endpoint},
			"client": {clientSetting: passed},
		} {
			values[tableSetting] = table
			b, err := openSettings(values)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Create(ctx, name, []byte("data"), time.Minute); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for range 2 {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			}
			for op, call := range calls(ctx, b, name) {
				if err := call(); !errors.Is(err, backend.ErrClosed) {
					t.Errorf("%s after Close: %v", op, err)
				}
			}
		}
		if got := stored(t, passed, table, "client"); len(got) != 3 {
			t.Errorf("the client that was passed in: %v", got)
		}
	})
}
