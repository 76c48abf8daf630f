package sqlstore

import (
	"database/sql"
	"errors"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// A layout is the table: its columns, and the expressions for what is in them.
type layout struct {
	id, data, expires string // columns

	key  string // condition: the row is that of :key
	live string // condition: the row has not expired
	end  string // when a new record expires
	left string // what is left of a record, in ms, rounded up; NULL: no end
	list string // the template of the SELECT of a page of keys
}

// native is the layout of this library.
var native = layout{
	id: "id", data: "data", expires: "expires",
	key:  "{id} = :key",
	live: "{expires} > {now}",
	end:  "{now} + :ttl",
	left: "{expires} - {now}",
	list: "SELECT {id} FROM {table} WHERE {id} >= :prefix AND {id} > :cursor ORDER BY {id} {limit}",
}

// statements are all that a Store runs but the schema.
type statements struct {
	look, insert, update, touch  *statement
	delete, deleteAt, purge      *statement
	list, expired, sweep, packet *statement
}

// A statement is a text with the names of its arguments in their order.
type statement struct {
	text     string // with {limit} where a limit goes
	names    []string
	keep     bool // prepared, where the dialect has it so
	prepared atomic.Pointer[sql.Stmt]
}

// compile makes the statements for a table.
func compile(d Dialect, table string) statements {
	insert := d.Insert
	if insert == "" {
		insert = "INSERT INTO {table} ({id}, {data}, {expires}) VALUES (:key, :data, {end})"
	}
	build := func(template string) *statement { return newStatement(d, table, template) }
	keep := func(template string) *statement {
		st := build(template)
		st.keep = true
		return st
	}
	return statements{
		look:   keep("SELECT {data}, {left} FROM {table} WHERE {here}"),
		insert: keep(insert),
		update: keep("UPDATE {table} SET {data} = :data, {expires} = {end} WHERE {here} AND {live} AND {same}"),
		touch: keep("UPDATE {table} SET {expires} = CASE WHEN {expires} >= {end} THEN {expires} ELSE {end} END " +
			"WHERE {here} AND {live}"),
		delete:   keep("DELETE FROM {table} WHERE {here}"),
		deleteAt: keep("DELETE FROM {table} WHERE {here} AND {live} AND {same}"),
		purge:    keep("DELETE FROM {table} WHERE {here} AND {expires} <= {now}"),
		list:     build("{list}"),
		expired:  build("SELECT {id} FROM {table} WHERE {expires} <= {now} ORDER BY {expires} {limit}"),
		sweep:    build(d.Sweep),
		packet:   build(d.Packet),
	}
}

var argument = regexp.MustCompile(`:[a-z]+`)

func newStatement(d Dialect, table, template string) *statement {
	s := &statement{}
	s.text = argument.ReplaceAllStringFunc(expand(d, table, template), func(name string) string {
		s.names = append(s.names, name[1:])
		return d.Bind(len(s.names))
	})
	return s
}

// expand fills everything but arguments and {limit} into a template.
func expand(d Dialect, table, template string) string {
	l := d.layout
	if l.id == "" {
		l = native
	}
	now, end := d.Now, l.end
	if now == "" {
		// One argument and no sum, as PostgreSQL cannot tell the type of a
		// sum of arguments.
		now, end = ":now", ":end"
	}
	schema, name, ok := strings.Cut(table, ".")
	if !ok {
		schema, name = "", table
	}
	text := strings.ReplaceAll(template, "{list}", l.list)
	text = strings.NewReplacer(
		"{here}", l.key, "{live}", l.live, "{end}", end, "{left}", l.left, "{same}", d.Same,
	).Replace(text)
	return strings.NewReplacer(
		"{now}", now,
		"{table}", d.Quote(table),
		"{schema}", schema,
		"{name}", name,
		"{index}", d.Quote(name+"_"+l.expires+"_idx"),
		"{id}", d.Quote(l.id),
		"{data}", d.Quote(l.data),
		"{expires}", d.Quote(l.expires),
		"{owners}", d.Quote(name+"_owner_idx"),
		"{owner}", d.Quote("owner"),
	).Replace(text)
}

// args are the arguments of a statement, of which each takes what it names.
type args struct {
	key, prefix, cursor string
	data, base          []byte
	ttl                 int64 // milliseconds
	owner               string
}

// of returns the arguments for a statement. A nil base is NULL, which equals
// nothing.
func (a args) of(st *statement, d Dialect) []any {
	values, now := make([]any, len(st.names)), time.Now().UnixMilli()
	for i, name := range st.names {
		switch name {
		case "key":
			values[i] = d.Key(a.key)
		case "prefix":
			values[i] = d.Key(a.prefix)
		case "cursor":
			values[i] = d.Key(a.cursor)
		case "data":
			values[i] = a.data
		case "base":
			values[i] = a.base
		case "ttl":
			values[i] = a.ttl
		case "owner":
			values[i] = d.Key(a.owner)
		case "now":
			values[i] = now
		case "end":
			values[i] = now + a.ttl
		}
	}
	return values
}

// close closes what was prepared.
func (st *statements) close() error {
	var errs []error
	for _, s := range []*statement{st.look, st.insert, st.update, st.touch, st.delete, st.deleteAt, st.purge} {
		if s == nil {
			continue // of an invalid Store
		}
		if p := s.prepared.Swap(nil); p != nil {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(errs...)
}
