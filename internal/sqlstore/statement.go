package sqlstore

import (
	"database/sql"
	"errors"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// The columns, and the expressions for the time in them. Another layout of the
// table is another set of these.
const (
	columnID      = "id"
	columnData    = "data"
	columnExpires = "expires"

	exprEnd  = "{now} + :ttl"      // when a new record expires
	exprLeft = "{expires} - {now}" // what is left of a record, in ms
)

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
		look:   keep("SELECT {data}, {left} FROM {table} WHERE {id} = :key"),
		insert: keep(insert),
		update: keep("UPDATE {table} SET {data} = :data, {expires} = {end} " +
			"WHERE {id} = :key AND {expires} > {now} AND {same}"),
		touch: keep("UPDATE {table} SET {expires} = CASE WHEN {expires} < {end} THEN {end} ELSE {expires} END " +
			"WHERE {id} = :key AND {expires} > {now}"),
		delete:   keep("DELETE FROM {table} WHERE {id} = :key"),
		deleteAt: keep("DELETE FROM {table} WHERE {id} = :key AND {expires} > {now} AND {same}"),
		purge:    keep("DELETE FROM {table} WHERE {id} = :key AND {expires} <= {now}"),
		list:     build("SELECT {id} FROM {table} WHERE {id} >= :prefix AND {id} > :cursor ORDER BY {id} {limit}"),
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
	now, end := d.Now, exprEnd
	if now == "" {
		// One argument and no sum, as PostgreSQL cannot tell the type of a
		// sum of arguments.
		now, end = ":now", ":end"
	}
	text := strings.NewReplacer("{end}", end, "{left}", exprLeft, "{same}", d.Same).Replace(template)
	return strings.NewReplacer(
		"{now}", now,
		"{table}", d.Quote(table),
		"{index}", d.Quote(table[strings.LastIndexByte(table, '.')+1:]+"_"+columnExpires+"_idx"),
		"{id}", d.Quote(columnID),
		"{data}", d.Quote(columnData),
		"{expires}", d.Quote(columnExpires),
	).Replace(text)
}

// args are the arguments of a statement, of which each takes what it names.
type args struct {
	key, prefix, cursor string
	data, base          []byte
	ttl                 int64 // milliseconds
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
