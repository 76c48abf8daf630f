package main

// The drivers of SESSION_TYPE sqlalchemy and peewee. A library leaves the
// choice to the program; this program has them all.
import (
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)
