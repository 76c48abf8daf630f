package leaktest

import (
	"context"
	"testing"

	"cloud.google.com/go/datastore"
	"cloud.google.com/go/firestore"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/guregu/dynamo/v2"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/go-session2/sessions/backend/datastorebackend"
	"github.com/go-session2/sessions/backend/dynamobackend"
	"github.com/go-session2/sessions/backend/firestorebackend"
	"github.com/go-session2/sessions/internal/testenv"
)

func dynamodb(t *testing.T) place {
	table := unique()
	connect := func(endpoint string) *dynamo.DB {
		return dynamo.New(aws.Config{
			Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), BaseEndpoint: &endpoint,
		})
	}
	db := connect(testenv.Need(t, "DYNAMODB_ENDPOINT"))
	open := func(db *dynamo.DB) *dynamobackend.Backend {
		return must(dynamobackend.NewWithConfig(db, dynamobackend.Config{Table: table}))(t)
	}
	t.Cleanup(func() {
		_, err := db.Client().DeleteTable(context.Background(), &awsdynamodb.DeleteTableInput{TableName: &table})
		check(t, err)
	})
	return place{backend: open(db), down: open(connect("http://" + nowhere)), dump: func() (dump []byte) {
		all := must(db.Client().Scan(context.Background(), &awsdynamodb.ScanInput{TableName: &table}))(t)
		for _, item := range all.Items {
			for _, v := range item {
				switch v := v.(type) {
				case *types.AttributeValueMemberS:
					dump = append(dump, v.Value...)
				case *types.AttributeValueMemberB:
					dump = append(dump, v.Value...)
				case *types.AttributeValueMemberN:
					dump = append(dump, v.Value...)
				default:
					t.Errorf("an attribute is a %T", v)
				}
			}
		}
		return dump
	}}
}

// emulated returns what a client of Google's needs for an emulator.
func emulated(addr string) []option.ClientOption {
	return []option.ClientOption{
		option.WithEndpoint("passthrough:///" + addr), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}
}

func firestoreServer(t *testing.T) place {
	addr := testenv.Need(t, "FIRESTORE_EMULATOR_HOST")
	name := unique()
	connect := func(addr string) *firestore.Client {
		t.Setenv("FIRESTORE_EMULATOR_HOST", addr) // which the client reads
		client := must(firestore.NewClient(context.Background(), "demo-leaktest"))(t)
		t.Cleanup(func() { client.Close() })
		return client
	}
	open := func(client *firestore.Client) *firestorebackend.Backend {
		return must(firestorebackend.NewWithConfig(client, firestorebackend.Config{Collection: name}))(t)
	}
	down := open(connect(nowhere))
	client := connect(addr)
	return place{backend: open(client), down: down, dump: func() (dump []byte) {
		ctx := context.Background()
		for _, doc := range must(client.Collection(name).Documents(ctx).GetAll())(t) {
			dump = append(dump, doc.Ref.ID...)
			for _, v := range doc.Data() {
				dump = appendValue(dump, v)
			}
			_, err := doc.Ref.Delete(ctx)
			check(t, err)
		}
		return dump
	}}
}

func datastoreServer(t *testing.T) place {
	kind := unique()
	connect := func(addr string) *datastore.Client {
		client := must(datastore.NewClient(context.Background(), "leaktest", emulated(addr)...))(t)
		t.Cleanup(func() { client.Close() })
		return client
	}
	open := func(client *datastore.Client) *datastorebackend.Backend {
		return must(datastorebackend.NewWithConfig(client, datastorebackend.Config{Kind: kind}))(t)
	}
	client := connect(testenv.Need(t, "DATASTORE_EMULATOR_HOST"))
	return place{backend: open(client), down: open(connect(nowhere)), dump: func() (dump []byte) {
		ctx := context.Background()
		var all []datastore.PropertyList
		keys := must(client.GetAll(ctx, datastore.NewQuery(kind), &all))(t)
		for i, key := range keys {
			dump = append(dump, key.Name...)
			for _, p := range all[i] {
				dump = appendValue(dump, p.Value)
			}
		}
		check(t, client.DeleteMulti(ctx, keys))
		return dump
	}}
}

// appendValue appends what a value holds, its bytes as they are.
func appendValue(dump []byte, v any) []byte {
	switch v := v.(type) {
	case []byte:
		return append(dump, v...)
	case string:
		return append(dump, v...)
	}
	return dump // a number, or a time
}
