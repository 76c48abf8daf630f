package flasktest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	dynamo "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/go-sql-driver/mysql"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// unique returns a name for a table and the like.
func unique() string { return "flasktest_" + strings.ToLower(rand.Text()) }

// both makes the settings that are the same on both sides.
func both(settings ...string) (flask map[string]string, ours map[string]any) {
	flask, ours = make(map[string]string), make(map[string]any)
	for i := 0; i < len(settings); i += 2 {
		flask[settings[i]], ours[settings[i]] = settings[i+1], settings[i+1]
	}
	return flask, ours
}

func redisURL(_ testing.TB, addr string) (map[string]string, map[string]any) {
	return both("SESSION_REDIS", "redis://"+addr)
}

func address(name string) settings {
	return func(_ testing.TB, addr string) (map[string]string, map[string]any) { return both(name, addr) }
}

// directory is for files: Flask-Session's cachelib is our filesystem.
func directory(name string) settings {
	return func(t testing.TB, _ string) (map[string]string, map[string]any) {
		dir := filepath.Join(t.TempDir(), "sessions")
		return map[string]string{name: dir}, map[string]any{"SESSION_TYPE": "filesystem", "SESSION_FILE_DIR": dir}
	}
}

func mongodb(t testing.TB, addr string) (map[string]string, map[string]any) {
	const database = "flasktest"
	collection := unique()
	t.Cleanup(func() {
		client, err := mongo.Connect(options.Client().ApplyURI(addr))
		if err == nil {
			err = errors.Join(client.Database(database).Collection(collection).Drop(context.Background()), client.Disconnect(context.Background()))
		}
		if err != nil {
			t.Error(err)
		}
	})
	return both("SESSION_MONGODB", addr, "SESSION_MONGODB_DB", database, "SESSION_MONGODB_COLLECT", collection)
}

// A database returns the URL of a database, for SQLAlchemy and for us, from
// the address in the environment, and makes it drop a table in the end.
type database func(t testing.TB, addr, table string) (alchemy, ours string)

func sqlite(t testing.TB, _, _ string) (string, string) {
	url := "sqlite:///" + filepath.Join(t.TempDir(), "sessions.db")
	return url, url
}

func postgres(t testing.TB, addr, table string) (string, string) {
	dropTable(t, "pgx", addr, table)
	return "postgresql+psycopg2" + strings.TrimPrefix(addr, "postgres"), addr
}

func mariadb(t testing.TB, addr, table string) (string, string) {
	dropTable(t, "mysql", addr, table)
	cfg, err := mysql.ParseDSN(addr)
	if err != nil {
		t.Fatal(err)
	}
	u := url.URL{Scheme: "mysql", User: url.UserPassword(cfg.User, cfg.Passwd), Host: cfg.Addr, Path: "/" + cfg.DBName}
	return "mysql+pymysql" + strings.TrimPrefix(u.String(), "mysql"), u.String()
}

// dropTable drops a table when the test has ended.
func dropTable(t testing.TB, driver, addr, table string) {
	t.Cleanup(func() {
		db, err := sql.Open(driver, addr)
		if err == nil {
			_, err = db.Exec("DROP TABLE IF EXISTS " + table)
			err = errors.Join(err, db.Close())
		}
		if err != nil {
			t.Error(err)
		}
	})
}

func sqlAlchemy(db database) settings {
	return func(t testing.TB, addr string) (map[string]string, map[string]any) {
		table := unique()
		alchemy, url := db(t, addr, table)
		flask, ours := both("SESSION_SQLALCHEMY_TABLE", table)
		flask["SQLALCHEMY_DATABASE_URI"], ours["SESSION_SQLALCHEMY"] = alchemy, url
		return flask, ours
	}
}

func peewee(db database) settings {
	return func(t testing.TB, addr string) (map[string]string, map[string]any) {
		table := unique()
		_, url := db(t, addr, table)
		flask, ours := both("SESSION_PEEWEE_TABLE", table)
		flask["SESSION_PEEWEE"], ours["SESSION_DB"] = strings.Replace(url, "postgres:", "postgresql:", 1), url
		return flask, ours
	}
}

func elasticsearch(t testing.TB, addr string) (map[string]string, map[string]any) {
	index := unique()
	t.Cleanup(func() { remove(t, addr+"/"+index) })
	return both("SESSION_ELASTICSEARCH_HOST", addr, "SESSION_ELASTICSEARCH_INDEX", index)
}

// datastore is in the one project that Flask-Session2 knows on an emulator.
func datastore(testing.TB, string) (map[string]string, map[string]any) {
	return both("GCLOUD_APP_PROJECT_ID", "virustotal-avs-control")
}

// remove sends a DELETE.
func remove(t testing.TB, url string) {
	req, err := http.NewRequest("DELETE", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("removing what the test has stored: %s", res.Status)
	}
}

// firestore is in a project of its own, which can be emptied at once: the
// emulator keeps everything in memory.
func firestore(t testing.TB, addr string) (map[string]string, map[string]any) {
	project := "demo-" + strings.ReplaceAll(unique(), "_", "-")
	t.Cleanup(func() { remove(t, "http://"+addr+"/emulator/v1/projects/"+project+"/databases/(default)/documents") })
	return both("SESSION_FIRESTORE", project)
}

func dynamodb(t testing.TB, addr string) (map[string]string, map[string]any) {
	table := unique()
	t.Cleanup(func() {
		client := dynamo.New(dynamo.Options{
			Region: "us-east-1", BaseEndpoint: aws.String(addr), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		})
		if _, err := client.DeleteTable(context.Background(), &dynamo.DeleteTableInput{TableName: &table}); err != nil {
			t.Error(err)
		}
	})
	flask, ours := both(
		"SESSION_DYNAMODB_ENDPOINT", addr, "SESSION_DYNAMODB_TABLE", table,
		"SESSION_DYNAMODB_KEY_ID", "test", "SESSION_DYNAMODB_SECRET", "test", "SESSION_DYNAMODB_REGION", "us-east-1",
	)
	// These are for the client that Flask-Session wants.
	flask["AWS_ACCESS_KEY_ID"], flask["AWS_SECRET_ACCESS_KEY"], flask["AWS_DEFAULT_REGION"] = "test", "test", "us-east-1"
	return flask, ours
}

func dynamoResource(t testing.TB, addr string) (map[string]string, map[string]any) {
	flask, ours := dynamodb(t, addr)
	flask["SESSION_DYNAMODB"] = addr
	return flask, ours
}
