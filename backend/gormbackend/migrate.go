package gormbackend

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// record is the table for gorm's migrator.
type record struct {
	ID      []byte `gorm:"column:id;primaryKey;size:255"`
	Data    []byte `gorm:"column:data;not null"`
	Expires int64  `gorm:"column:expires;not null;index"`
	Owner   []byte `gorm:"column:owner;size:64;index"`
}

// migrator returns a function that makes the table and its index where they
// are missing.
func migrator(db *gorm.DB, table string) func(context.Context) error {
	return func(ctx context.Context) error {
		m := fresh(ctx, db).Table(table).Migrator()
		if !m.HasTable(table) {
			if err := m.CreateTable(&record{}); err != nil {
				return err
			}
		}
		if !m.HasColumn(&record{}, "Owner") { // a table of before there were owners
			if err := m.AddColumn(&record{}, "Owner"); err != nil {
				return err
			}
		}
		for _, index := range []string{"Expires", "Owner"} {
			if !m.HasIndex(&record{}, index) {
				if err := m.CreateIndex(&record{}, index); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// fresh returns a gorm.DB on the connections of db that has nothing of its
// state: no chain, no error, no transaction, no dry run and no logger.
func fresh(ctx context.Context, db *gorm.DB) *gorm.DB {
	config := *db.Config
	config.Logger = logger.Discard
	config.DryRun = false
	root := &gorm.DB{Config: &config}
	root.Statement = &gorm.Statement{DB: root, ConnPool: config.ConnPool, Context: ctx}
	return root.Session(&gorm.Session{NewDB: true})
}
