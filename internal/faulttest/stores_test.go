//go:build linux

package faulttest

import (
	"context"
	"database/sql"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/datastore"
	"cloud.google.com/go/firestore"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/bradfitz/gomemcache/memcache"
	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/go-sql-driver/mysql"
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

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/datastorebackend"
	"github.com/go-session2/sessions/backend/dynamobackend"
	"github.com/go-session2/sessions/backend/elasticbackend"
	"github.com/go-session2/sessions/backend/firestorebackend"
	"github.com/go-session2/sessions/backend/gormbackend"
	"github.com/go-session2/sessions/backend/memcachedbackend"
	"github.com/go-session2/sessions/backend/mongobackend"
	"github.com/go-session2/sessions/backend/redisbackend"
	"github.com/go-session2/sessions/backend/sqlbackend"
	"github.com/go-session2/sessions/internal/testenv"
)

// table is where the tests keep their sessions in stores that have tables.
const table = "faulttest"

// A store is a server with a backend on it. The clients are as their packages
// make them: what a visitor waits is for package sessions to bound.
type store struct {
	name string
	env  string // tells where the server is
	app  framework

	server func(env string) string // its address
	// open returns a backend whose client connects to addr. It does no I/O.
	open func(t *testing.T, env, addr string) (backend.Backend, error)
}

func plain(env string) string { return env }

func hostOf(env string) string {
	u, err := url.Parse(env)
	if err != nil {
		return ""
	}
	return u.Host
}

// moved returns a URL with another address in it.
func moved(env, addr string) string {
	u, err := url.Parse(env)
	if err != nil {
		return ""
	}
	u.Host = addr
	return u.String()
}

var stores = []store{
	{"redis", "REDIS_ADDR", echoApp, plain, func(t *testing.T, _, addr string) (backend.Backend, error) {
		return openRedis(t, addr), nil
	}},
	{"redis-heeding", "REDIS_ADDR", ginApp, plain, func(t *testing.T, _, addr string) (backend.Backend, error) {
		client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
		t.Cleanup(func() { client.Close() })
		return redisbackend.New(client), nil
	}},
	{"memcached", "MEMCACHED_ADDR", ginApp, plain, func(t *testing.T, _, addr string) (backend.Backend, error) {
		return openMemcached(t, addr), nil
	}},
	{"mongodb", "MONGODB_URI", ginApp, hostOf, func(t *testing.T, env, addr string) (backend.Backend, error) {
		client, err := mongo.Connect(options.Client().ApplyURI(moved(env, addr)).SetDirect(true))
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			client.Disconnect(ctx)
		})
		return mongobackend.New(client.Database(table).Collection("sessions")), nil
	}},
	{"postgres", "POSTGRES_DSN", ginApp, hostOf, func(t *testing.T, env, addr string) (backend.Backend, error) {
		return openSQL(t, "pgx", moved(env, addr))
	}},
	{"mariadb", "MYSQL_DSN", ginApp, func(env string) string {
		cfg, err := mysql.ParseDSN(env)
		if err != nil {
			return ""
		}
		return cfg.Addr
	}, func(t *testing.T, env, addr string) (backend.Backend, error) {
		cfg, err := mysql.ParseDSN(env)
		if err != nil {
			return nil, err
		}
		cfg.Addr, cfg.Logger = addr, &mysql.NopLogger{}
		connector, err := mysql.NewConnector(cfg)
		if err != nil {
			return nil, err
		}
		return onSQL(t, sql.OpenDB(connector))
	}},
	{"gorm", "POSTGRES_DSN", ginApp, hostOf, func(t *testing.T, env, addr string) (backend.Backend, error) {
		db, err := gorm.Open(postgres.Open(moved(env, addr)), &gorm.Config{Logger: logger.Discard})
		if err != nil {
			return nil, err
		}
		pool, err := db.DB()
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { pool.Close() })
		return gormbackend.NewWithConfig(db, gormbackend.Config{Table: table + "_gorm"})
	}},
	{"elasticsearch", "ELASTICSEARCH_URL", ginApp, hostOf, func(_ *testing.T, env, addr string) (backend.Backend, error) {
		u, err := url.Parse(moved(env, addr))
		if err != nil {
			return nil, err
		}
		client, err := elastictransport.New(elastictransport.Config{URLs: []*url.URL{u}})
		if err != nil {
			return nil, err
		}
		return elasticbackend.NewWithConfig(client, elasticbackend.Config{Index: table})
	}},
	{"dynamodb", "DYNAMODB_ENDPOINT", ginApp, hostOf, func(_ *testing.T, env, addr string) (backend.Backend, error) {
		return dynamobackend.NewWithConfig(dynamo.New(aws.Config{
			Region:       "us-east-1",
			Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
			BaseEndpoint: aws.String(moved(env, addr)),
		}), dynamobackend.Config{Table: table})
	}},
	{"firestore", "FIRESTORE_EMULATOR_HOST", ginApp, plain, func(t *testing.T, _, addr string) (backend.Backend, error) {
		conn, err := grpc.NewClient("passthrough:///"+addr,
			grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(owner{}))
		if err != nil {
			return nil, err
		}
		client, err := firestore.NewClient(context.Background(), table, option.WithGRPCConn(conn))
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { client.Close() })
		return firestorebackend.New(client), nil
	}},
	{"datastore", "DATASTORE_EMULATOR_HOST", ginApp, plain, func(t *testing.T, _, addr string) (backend.Backend, error) {
		client, err := datastore.NewClient(context.Background(), table,
			option.WithEndpoint("passthrough:///"+addr), option.WithoutAuthentication(),
			option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { client.Close() })
		return datastorebackend.New(client), nil
	}},
}

// owner says to the Firestore emulator that no access rules apply.
type owner struct{}

func (owner) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer owner"}, nil
}
func (owner) RequireTransportSecurity() bool { return false }

func openRedis(t *testing.T, addr string) backend.Backend {
	client := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { client.Close() })
	return redisbackend.New(client)
}

func openMemcached(t *testing.T, addr string) backend.Backend {
	client := memcache.New(addr)
	client.MaxIdleConns = 32
	t.Cleanup(func() { client.Close() })
	return memcachedbackend.New(client)
}

func openSQL(t *testing.T, driver, dsn string) (backend.Backend, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	return onSQL(t, db)
}

func onSQL(t *testing.T, db *sql.DB) (backend.Backend, error) {
	t.Cleanup(func() { db.Close() })
	return sqlbackend.NewWithConfig(db, sqlbackend.Config{Table: table})
}

// behind returns a backend of the store whose way to the server leads through
// a proxy.
func (s store) behind(t *testing.T) (backend.Backend, *proxy) {
	t.Helper()
	env := testenv.Need(t, s.env)
	server := s.server(env)
	if _, _, err := net.SplitHostPort(server); err != nil || strings.Contains(server, ",") {
		t.Fatalf("%s does not tell the address of one server", s.env)
	}
	p := newProxy(t, server)
	b, err := s.open(t, env, p.addr)
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := b.(interface{ Close() error }); ok {
		t.Cleanup(func() { c.Close() })
	}
	return b, p
}
