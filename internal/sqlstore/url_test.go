package sqlstore

import (
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

func TestNoDriver(t *testing.T) {
	_, err := openAny("SESSION_DB", "dsn:hunter2", "example.com/driver", "one", "two")
	if err == nil || !strings.Contains(err.Error(), `import _ "example.com/driver"`) ||
		!strings.Contains(err.Error(), "SESSION_DB") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("openAny: %v", err)
	}
}

func TestMySQLDSN(t *testing.T) {
	for rawURL, want := range map[string]mysql.Config{
		"mysql://h/d":                         {Addr: "h:3306", DBName: "d"},
		"mysql://u@h:1/d":                     {User: "u", Addr: "h:1", DBName: "d"},
		"mysql://u:p%40%2F%3Ap@[::1]:1/d%2Fe": {User: "u", Passwd: "p@/:p", Addr: "[::1]:1", DBName: "d/e"},
	} {
		dsn, err := mysqlDSN(rawURL)
		if err != nil {
			t.Fatal(err)
		}
		got, err := mysql.ParseDSN(dsn)
		if err != nil {
			t.Fatal(err)
		}
		if got.User != want.User || got.Passwd != want.Passwd || got.Addr != want.Addr || got.DBName != want.DBName || got.Net != "tcp" {
			t.Errorf("%s became %+v", rawURL, got)
		}
	}
}
