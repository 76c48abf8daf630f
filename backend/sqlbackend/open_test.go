package sqlbackend

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/internal/testenv"
)

func settings(t *testing.T, typ string, values map[string]any) (*Backend, error) {
	t.Helper()
	b, err := backend.Open(typ, backend.NewSettings(values))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { b.(*Backend).Close() })
	return b.(*Backend), nil
}

// works uses a backend, and closes it.
func works(t *testing.T, b *Backend) {
	t.Helper()
	ctx := context.Background()
	rev, err := b.Create(ctx, "k", []byte("d"), time.Hour)
	if err == nil {
		err = b.Delete(ctx, "k", rev)
	}
	if err == nil {
		err = b.Close()
	}
	if err != nil {
		t.Error(err)
	}
	if err := b.Ping(ctx); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("Ping of a closed backend: %v", err)
	}
}

func TestSettingsLive(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		p := d.newPlace(t)
		db := p.open(t)
		for _, typ := range []string{"sql", "peewee"} {
			b, err := settings(t, typ, map[string]any{"SESSION_DB": db, "SESSION_PEEWEE_TABLE": p.table})
			if err != nil {
				t.Fatal(err)
			}
			works(t, b)
			if _, err := db.Exec("SELECT * FROM " + p.table); err != nil {
				t.Errorf("Close closed the program's database: %v", err)
			}
		}
	})
}

func TestSettingsURL(t *testing.T) {
	for name, rawURL := range map[string]func(t *testing.T) string{
		"PostgreSQL": func(t *testing.T) string { return testenv.Need(t, "POSTGRES_DSN") },
		"MySQL": func(t *testing.T) string {
			cfg, err := mysql.ParseDSN(testenv.Need(t, "MYSQL_DSN"))
			if err != nil {
				t.Fatal(err)
			}
			u := url.URL{Scheme: "mysql", User: url.UserPassword(cfg.User, cfg.Passwd), Host: cfg.Addr, Path: cfg.DBName}
			return u.String() + "?loc=UTC"
		},
		"SQLite":  func(t *testing.T) string { return "sqlite:///" + filepath.Join(t.TempDir(), "s.db") },
		"Memory":  func(t *testing.T) string { return "sqlite:///:memory:" },
		"Options": func(t *testing.T) string { return "sqlite:///" + t.TempDir() + "/s.db?_pragma=busy_timeout(1)" },
	} {
		t.Run(name, func(t *testing.T) {
			var p place
			switch name {
			case "PostgreSQL":
				p = databases()[0].newPlace(t)
			case "MySQL":
				p = databases()[3].newPlace(t)
			default:
				p = databases()[6].newPlace(t)
			}
			b, err := settings(t, "sql", map[string]any{"SESSION_DB": rawURL(t), "SESSION_PEEWEE_TABLE": p.table})
			if err != nil {
				t.Fatal(err)
			}
			works(t, b)
		})
	}
}

func TestSettingsBad(t *testing.T) {
	for name, c := range map[string]struct {
		values map[string]any
		want   string
	}{
		"Missing":       {nil, "SESSION_DB must be"},
		"Type":          {map[string]any{"SESSION_DB": 5}, "SESSION_DB must be"},
		"NoURL":         {map[string]any{"SESSION_DB": "user:hunter2@host"}, "SESSION_DB must be"},
		"Scheme":        {map[string]any{"SESSION_DB": "oracle://u:hunter2@host/db"}, "SESSION_DB must be"},
		"BadURL":        {map[string]any{"SESSION_DB": "mysql://u:hunter2@host:port/db"}, "SESSION_DB must be"},
		"NoDatabase":    {map[string]any{"SESSION_DB": "mysql://u:hunter2@host/"}, "SESSION_DB must be"},
		"BadOption":     {map[string]any{"SESSION_DB": "mysql://u:hunter2@host/db?parseTime=hunter2"}, "SESSION_DB must be"},
		"TwoSlashes":    {map[string]any{"SESSION_DB": "sqlite://file.db"}, "SESSION_DB must be"},
		"Table":         {map[string]any{"SESSION_DB": "sqlite:///x.db", "SESSION_PEEWEE_TABLE": "a;b"}, "not a name"},
		"SQLiteSchema":  {map[string]any{"SESSION_DB": "sqlite:///x.db", "SESSION_PEEWEE_TABLE": "a.b"}, "not a name"},
		"TableType":     {map[string]any{"SESSION_DB": "sqlite:///x.db", "SESSION_PEEWEE_TABLE": 1}, "SESSION_PEEWEE_TABLE must be"},
		"UnknownDriver": {map[string]any{"SESSION_DB": sql.OpenDB(strange{})}, "SESSION_DB_DIALECT"},
		"BadDialect":    {map[string]any{"SESSION_DB": sql.OpenDB(strange{}), "SESSION_DB_DIALECT": "dbase"}, `"dbase" is none of`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := settings(t, "sql", c.values)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Open: %v, want an error with %q", err, c.want)
			}
		})
	}
}

// strange is a driver that this package does not know.
type strange struct{}

func (strange) Connect(context.Context) (driver.Conn, error) { return nil, errors.New("no server") }
func (strange) Driver() driver.Driver                        { return strange{} }
func (strange) Open(string) (driver.Conn, error)             { return nil, errors.New("no server") }

func TestInvalid(t *testing.T) {
	for name, db := range map[string]*sql.DB{"Nil": nil, "Strange": sql.OpenDB(strange{})} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewWithConfig(db, Config{}); err == nil {
				t.Error("NewWithConfig succeeded")
			}
			b := New(db)
			if _, err := b.Load(context.Background(), "k"); err == nil || errors.Is(err, backend.ErrNotFound) {
				t.Errorf("Load: %v", err)
			}
			if err := b.Migrate(context.Background()); err == nil {
				t.Error("Migrate succeeded")
			}
			if err := b.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	for _, size := range []int{-1, MaxDataSize + 1} {
		if _, err := NewWithConfig(sql.OpenDB(strange{}), Config{Dialect: SQLite, MaxSize: size}); err == nil {
			t.Errorf("NewWithConfig took a MaxSize of %d", size)
		}
	}
}
