package leaktest

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	gormlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	_ "modernc.org/sqlite"

	"github.com/go-session2/sessions/backend/gormbackend"
	"github.com/go-session2/sessions/backend/mongobackend"
	"github.com/go-session2/sessions/backend/sqlbackend"
	"github.com/go-session2/sessions/internal/testenv"
)

func postgres(t *testing.T) place {
	dsn := testenv.Need(t, "POSTGRES_DSN")
	return database(t, "pgx", dsn, "postgres://user:password@"+nowhere+"/sessions")
}

func mariadb(t *testing.T) place {
	dsn := testenv.Need(t, "MYSQL_DSN")
	return database(t, "mysql", dsn, "user:password@tcp("+nowhere+")/sessions")
}

func sqlite(t *testing.T) place {
	dir := t.TempDir()
	return database(t, "sqlite", "file:"+filepath.Join(dir, "sessions.db"), "file:"+filepath.Join(dir, "absent", "sessions.db"))
}

func database(t *testing.T, driver, dsn, nowhere string) place {
	table := unique()[:24]
	open := func(dsn string) (*sql.DB, *sqlbackend.Backend) {
		db := must(sql.Open(driver, dsn))(t)
		t.Cleanup(func() { db.Close() })
		return db, must(sqlbackend.NewWithConfig(db, sqlbackend.Config{Table: table}))(t)
	}
	db, b := open(dsn)
	_, down := open(nowhere)
	t.Cleanup(func() {
		_, err := db.Exec("DROP TABLE IF EXISTS " + table)
		check(t, err)
	})
	return place{backend: b, down: down, dump: func() []byte { return rows(t, db, table) }}
}

// gormSQLite has gorm log every statement with its values, if it does.
func gormSQLite(t *testing.T) place {
	open := func(dir string) *gorm.DB {
		return must(gorm.Open(gormlite.Open(filepath.Join(dir, "sessions.db")), &gorm.Config{
			Logger: logger.Default.LogMode(logger.Info), DisableAutomaticPing: true,
		}))(t)
	}
	db, gone := open(t.TempDir()), open(t.TempDir())
	pool := must(db.DB())(t)
	t.Cleanup(func() { pool.Close() })
	check(t, must(gone.DB())(t).Close())
	return place{backend: gormbackend.New(db), down: gormbackend.New(gone), dump: func() []byte { return rows(t, pool, "sessions") }}
}

// rows returns all that a table holds.
func rows(t *testing.T, db *sql.DB, table string) (dump []byte) {
	all := must(db.Query("SELECT * FROM " + table))(t)
	defer all.Close()
	columns := make([]sql.RawBytes, len(must(all.Columns())(t)))
	into := make([]any, len(columns))
	for i := range columns {
		into[i] = &columns[i]
	}
	for all.Next() {
		check(t, all.Scan(into...))
		for _, c := range columns {
			dump = append(dump, c...)
		}
	}
	check(t, all.Err())
	return dump
}

func mongodb(t *testing.T) place {
	name := unique()
	open := func(uri string) *mongo.Collection {
		client := must(mongo.Connect(options.Client().ApplyURI(uri)))(t)
		t.Cleanup(func() { check(t, client.Disconnect(context.Background())) })
		return client.Database("leaktest").Collection(name)
	}
	coll := open(testenv.Need(t, "MONGODB_URI"))
	t.Cleanup(func() { check(t, coll.Drop(context.Background())) })
	down := open("mongodb://" + nowhere + "/")
	return place{backend: mongobackend.New(coll), down: mongobackend.New(down), dump: func() (dump []byte) {
		ctx := context.Background()
		all := must(coll.Find(ctx, bson.D{}))(t)
		for all.Next(ctx) {
			dump = append(dump, all.Current...)
		}
		check(t, all.Err())
		return dump
	}}
}
