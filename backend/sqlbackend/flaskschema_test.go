package sqlbackend

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// flaskSchemas are the tables as Flask-Session2 makes them, with SQLAlchemy
// 2.1 and 1.4, and peewee 4.5 and 3.14.
var flaskSchemas = map[string]map[Dialect]string{
	"SQLAlchemy": {
		PostgreSQL: "CREATE TABLE {t} (\n\tid SERIAL NOT NULL, \n\tsession_id VARCHAR(255), \n\tdata BYTEA, \n\texpiry TIMESTAMP WITHOUT TIME ZONE, \n\tPRIMARY KEY (id), \n\tUNIQUE (session_id)\n)",
		MySQL:      "CREATE TABLE {t} (\n\tid INTEGER NOT NULL AUTO_INCREMENT, \n\tsession_id VARCHAR(255), \n\tdata BLOB, \n\texpiry DATETIME, \n\tPRIMARY KEY (id), \n\tUNIQUE (session_id)\n)",
		SQLite:     "CREATE TABLE {t} (\n\tid INTEGER NOT NULL, \n\tsession_id VARCHAR(255), \n\tdata BLOB, \n\texpiry DATETIME, \n\tPRIMARY KEY (id), \n\tUNIQUE (session_id)\n)",
	},
	"Peewee": {
		PostgreSQL: `CREATE TABLE IF NOT EXISTS "{t}" ("session_id" VARCHAR(256) NOT NULL PRIMARY KEY, "data" BYTEA NOT NULL, "expiry" TIMESTAMP NOT NULL, "ip" VARCHAR(25))`,
		MySQL:      "CREATE TABLE IF NOT EXISTS `{t}` (`session_id` VARCHAR(256) NOT NULL PRIMARY KEY, `data` BLOB NOT NULL, `expiry` DATETIME NOT NULL, `ip` VARCHAR(25))",
		SQLite:     `CREATE TABLE IF NOT EXISTS "{t}" ("session_id" VARCHAR(256) NOT NULL PRIMARY KEY, "data" BLOB NOT NULL, "expiry" DATETIME NOT NULL, "ip" VARCHAR(25))`,
	},
}

// columns describes the columns of the table.
func (p place) columns(t *testing.T) (list []string) {
	t.Helper()
	rows, err := p.open(t).Query(p.sql(map[Dialect]string{
		PostgreSQL: "SELECT column_name, data_type, is_nullable, COALESCE(column_default, ''), COALESCE(character_maximum_length, 0) FROM information_schema.columns WHERE table_name = '{t}' ORDER BY ordinal_position",
		MySQL:      "SELECT column_name, data_type, is_nullable, extra, character_maximum_length FROM information_schema.columns WHERE table_name = '{t}' AND column_name NOT IN ('data') ORDER BY ordinal_position",
		SQLite:     "SELECT name, type, \"notnull\", pk, 0 FROM pragma_table_info('{t}')",
	}[p.dialect]))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c [5]any
		if err := rows.Scan(&c[0], &c[1], &c[2], &c[3], &c[4]); err != nil {
			t.Fatal(err)
		}
		list = append(list, strings.ReplaceAll(fmt.Sprintf("%s", c), p.table, "{t}"))
	}
	return list
}

// TestFlaskSchema compares the columns with those that Flask makes. In MySQL
// the data may be longer than Flask's 64 KiB.
func TestFlaskSchema(t *testing.T) {
	eachFlask(t, func(t *testing.T, p place, table string, cfg Config) {
		theirs := p.newPlace(t)
		theirs.exec(t, flaskSchemas[table][p.dialect])
		if err := p.backend(t, cfg).Migrate(context.Background()); err != nil {
			t.Fatal(err)
		}
		got, want := p.columns(t), theirs.columns(t)
		if len(got) < 3 || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the columns are\n%q\nwant\n%q", got, want)
		}
	})
}
