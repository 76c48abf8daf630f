// Package all imports every backend of this module, so that SESSION_TYPE can
// name any of them. It is for programs whose store is chosen by whoever runs
// them; a program that knows its store imports that backend alone, and not
// the SDKs of all others.
//
// The types "sql" and "gorm" with a URL also need a driver for database/sql,
// which the program imports: for instance github.com/jackc/pgx/v5/stdlib.
package all

import (
	_ "github.com/go-session2/sessions/backend/datastorebackend"
	_ "github.com/go-session2/sessions/backend/dynamobackend"
	_ "github.com/go-session2/sessions/backend/elasticbackend"
	_ "github.com/go-session2/sessions/backend/filebackend"
	_ "github.com/go-session2/sessions/backend/firestorebackend"
	_ "github.com/go-session2/sessions/backend/gormbackend"
	_ "github.com/go-session2/sessions/backend/memcachedbackend"
	_ "github.com/go-session2/sessions/backend/memorybackend"
	_ "github.com/go-session2/sessions/backend/mongobackend"
	_ "github.com/go-session2/sessions/backend/nullbackend"
	_ "github.com/go-session2/sessions/backend/redisbackend"
	_ "github.com/go-session2/sessions/backend/sqlbackend"
)
