package gatetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/datastore"
	"cloud.google.com/go/firestore"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/bradfitz/gomemcache/memcache"
	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	_ "github.com/go-sql-driver/mysql"
	"github.com/guregu/dynamo/v2"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/datastorebackend"
	"github.com/go-session2/sessions/backend/dynamobackend"
	"github.com/go-session2/sessions/backend/elasticbackend"
	"github.com/go-session2/sessions/backend/filebackend"
	"github.com/go-session2/sessions/backend/firestorebackend"
	"github.com/go-session2/sessions/backend/gormbackend"
	"github.com/go-session2/sessions/backend/memcachedbackend"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/backend/mongobackend"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/backend/sqlbackend"
	"github.com/go-session2/sessions/internal/testenv"
)

// A server is a store that the gates run on.
type server struct {
	name    string
	env     string // of its address
	open    func(t testing.TB, addr string) backend.Backend
	options Options
}

// slow are the options for emulators, which answer some hundred commands a
// second, or take locks that others wait for; slower is for the second way to
// run a store that has had its thousands of schedules.
var (
	slow   = Options{Schedules: 800, Workers: 8, Patience: 2 * time.Second}
	slower = Options{Schedules: 40, Workers: 4, Patience: 2 * time.Second, Writers: 30}
)

var servers = []server{
	{"memory", "", openMemory, Options{Schedules: 3000}},
	{"filesystem", "", openFiles(true), Options{Schedules: 1000}},
	{"filesystem synced", "", openFiles(false), Options{Schedules: 40}},
	{"redis", "REDIS_ADDR", openRedis, Options{Schedules: 1000}},
	{"redis cluster", "REDIS_CLUSTER_ADDRS", openRedis, Options{Schedules: 400}},
	{"memcached", "MEMCACHED_ADDR", openMemcached, Options{Schedules: 1000}},
	{"mongodb", "MONGODB_URI", openMongo, slow},
	{"postgresql", "POSTGRES_DSN", openSQL("pgx"), Options{Schedules: 800}},
	{"mariadb", "MYSQL_DSN", openSQL("mysql"), Options{Schedules: 800}},
	{"sqlite", "", openSQL("sqlite"), Options{Schedules: 800}},
	{"gorm", "POSTGRES_DSN", openGorm, Options{Schedules: 800}},
	{"elasticsearch", "ELASTICSEARCH_URL", openElastic, slow},
	{"dynamodb", "DYNAMODB_ENDPOINT", openDynamo, slow},
	{"datastore", "DATASTORE_EMULATOR_HOST", openDatastore(false), slow},
	{"datastore mode", "DATASTORE_MODE_EMULATOR_HOST", openDatastore(true), slower},
	{"firestore", "FIRESTORE_EMULATOR_HOST", openFirestore, slow},
}

// TestGate runs every gate on every store. Each of these changes to the code
// was tried, and failed the gates named on the memory store:
//
//   - a backend's Update creates an absent record: G1, C10, C11, C12
//   - its Update does not compare the revision: G1, G2, G3, C10, C11
//   - Touch, or a save after a conflict, creates the record anew: G1, C10, C11
//   - Regenerate deletes the old record at any revision: G1, C10, C11, C12
//   - Regenerate leaves its new record when it has lost: G1, C10, C11, C12
//   - Updates are not computed again on fresh data: G1, G3, C10, C11
//   - a request that learns that its session is gone goes on, whether at its
//     late load or at its save: G1, C10, C11, C12
//   - ends that are under way are not known to late loaders, or Destroy does
//     not follow a session that was regenerated: G1, C10, C11, C12
//   - an ID that is not in the store is kept for the new session: G1, G4, C10, C11, C12
//   - a cookie in the header stays when the session has ended: G1, C10, C11
//   - a new record is not in the index of its user: G11; RevokeAll looks at the
//     index once: G11 on Redis, files and PostgreSQL
func TestGate(t *testing.T) {
	opened := make(map[string]backend.Backend)
	for _, s := range servers {
		if addr := os.Getenv(s.env); addr != "" || s.env == "" {
			opened[s.name] = s.open(t, addr)
		}
	}
	for _, g := range Gates() {
		t.Run(g.ID, func(t *testing.T) {
			for _, s := range servers {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					if s.env != "" {
						testenv.Need(t, s.env)
					}
					g.Run(t, opened[s.name], s.options)
				})
			}
		})
	}
}

// must returns what an opening function returned.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// unique returns a name for a table and the like.
func unique() string { return "gatetest_" + strings.ToLower(rand.Text()) }

func openMemory(t testing.TB, _ string) backend.Backend {
	return must[*memorybackend.Backend](t)(memorybackend.New(memorybackend.Config{}))
}

func openFiles(noSync bool) func(testing.TB, string) backend.Backend {
	return func(t testing.TB, _ string) backend.Backend {
		b := must[*filebackend.Backend](t)(filebackend.New(filebackend.Config{
			Dir: filepath.Join(t.TempDir(), "sessions"), NoSync: noSync,
		}))
		t.Cleanup(func() { b.Close() })
		return b
	}
}

func openRedis(t testing.TB, addr string) backend.Backend {
	addrs := strings.Split(addr, ",")
	client := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: addrs, PoolSize: 32})
	t.Cleanup(func() { client.Close() })
	return redisbackend.New(client)
}

func openMemcached(t testing.TB, addr string) backend.Backend {
	client := memcache.New(addr)
	client.Timeout, client.MaxIdleConns = time.Minute, 64
	t.Cleanup(func() { client.Close() })
	return memcachedbackend.New(client)
}

func openMongo(t testing.TB, addr string) backend.Backend {
	client := must[*mongo.Client](t)(mongo.Connect(options.Client().ApplyURI(addr)))
	coll := client.Database("gatetest").Collection(unique())
	t.Cleanup(func() {
		if err := coll.Drop(context.Background()); err != nil {
			t.Error(err)
		}
		client.Disconnect(context.Background())
	})
	return mongobackend.New(coll)
}

func openSQL(driver string) func(testing.TB, string) backend.Backend {
	return func(t testing.TB, addr string) backend.Backend {
		if driver == "sqlite" {
			addr = "file:" + filepath.Join(t.TempDir(), "sessions.db") + "?_pragma=busy_timeout(60000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"
		}
		db := must[*sql.DB](t)(sql.Open(driver, addr))
		db.SetMaxOpenConns(16)
		db.SetMaxIdleConns(16)
		table := unique()
		t.Cleanup(func() {
			if _, err := db.Exec("DROP TABLE IF EXISTS " + table); err != nil {
				t.Error(err)
			}
			db.Close()
		})
		return must[*sqlbackend.Backend](t)(sqlbackend.NewWithConfig(db, sqlbackend.Config{Table: table}))
	}
}

func openGorm(t testing.TB, addr string) backend.Backend {
	db := must[*gorm.DB](t)(gorm.Open(postgres.Open(addr), &gorm.Config{Logger: logger.Discard}))
	pool := must[*sql.DB](t)(db.DB())
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(16)
	table := unique()
	t.Cleanup(func() {
		if err := db.Exec("DROP TABLE IF EXISTS " + table).Error; err != nil {
			t.Error(err)
		}
		pool.Close()
	})
	return must[*gormbackend.Backend](t)(gormbackend.NewWithConfig(db, gormbackend.Config{Table: table}))
}

func openElastic(t testing.TB, addr string) backend.Backend {
	u := must[*url.URL](t)(url.Parse(addr))
	client := must[*elastictransport.Client](t)(elastictransport.New(elastictransport.Config{URLs: []*url.URL{u}}))
	index := unique()
	t.Cleanup(func() {
		r := must[*http.Request](t)(http.NewRequest("DELETE", addr+"/"+index+"?ignore_unavailable=true", nil))
		must[*http.Response](t)(http.DefaultClient.Do(r)).Body.Close()
	})
	return must[*elasticbackend.Backend](t)(elasticbackend.NewWithConfig(client, elasticbackend.Config{Index: index}))
}

func openDynamo(t testing.TB, addr string) backend.Backend {
	db := dynamo.New(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(addr),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	table := unique()
	t.Cleanup(func() {
		_, err := db.Client().DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &table})
		var missing *types.ResourceNotFoundException // when no test has used it
		if err != nil && !errors.As(err, &missing) {
			t.Error(err)
		}
	})
	return must[*dynamobackend.Backend](t)(dynamobackend.NewWithConfig(db, dynamobackend.Config{Table: table}))
}

func openDatastore(beginFirst bool) func(testing.TB, string) backend.Backend {
	return func(t testing.TB, addr string) backend.Backend {
		client := must[*datastore.Client](t)(datastore.NewClient(context.Background(), "demo-gatetest",
			option.WithEndpoint("passthrough:///"+addr), option.WithoutAuthentication(),
			option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials()))))
		t.Cleanup(func() { client.Close() })
		return must[*datastorebackend.Backend](t)(datastorebackend.NewWithConfig(client,
			datastorebackend.Config{Kind: unique(), BeginFirst: beginFirst}))
	}
}

func openFirestore(t testing.TB, _ string) backend.Backend { // the client reads the variable
	client := must[*firestore.Client](t)(firestore.NewClient(context.Background(), "demo-gatetest"))
	t.Cleanup(func() { client.Close() })
	return must[*firestorebackend.Backend](t)(firestorebackend.NewWithConfig(client, firestorebackend.Config{Collection: unique()}))
}
