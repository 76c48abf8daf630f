package sessions

import (
	"fmt"
	"slices"
	"strings"
)

// knownSettings are the names that some part of this module reads, compiled
// in or not: a program may have the settings of several backends and switch
// between them by SESSION_TYPE.
var knownSettings = []string{
	"APPLICATION_ROOT",
	"GCLOUD_APP_PROJECT_ID",
	"PERMANENT_SESSION_LIFETIME",
	"SECRET_KEY",
	"SECRET_KEY_FALLBACKS",
	"SESSION_ABSOLUTE_LIFETIME",
	"SESSION_AUTODELETE",
	"SESSION_CLEANUP_N_REQUESTS",
	"SESSION_COOKIE_DOMAIN",
	"SESSION_COOKIE_HTTPONLY",
	"SESSION_COOKIE_NAME",
	"SESSION_COOKIE_PARTITIONED",
	"SESSION_COOKIE_PATH",
	"SESSION_COOKIE_SAMESITE",
	"SESSION_COOKIE_SECURE",
	"SESSION_DATASTORE",
	"SESSION_DB",
	"SESSION_DB_CLASS",
	"SESSION_DB_DIALECT",
	"SESSION_DYNAMODB",
	"SESSION_DYNAMODB_ENDPOINT",
	"SESSION_DYNAMODB_KEY_ID",
	"SESSION_DYNAMODB_REGION",
	"SESSION_DYNAMODB_SECRET",
	"SESSION_DYNAMODB_TABLE",
	"SESSION_DYNAMODB_TABLE_EXISTS",
	"SESSION_ELASTICSEARCH",
	"SESSION_ELASTICSEARCH_HOST",
	"SESSION_ELASTICSEARCH_INDEX",
	"SESSION_ENCRYPTION_KEYS",
	"SESSION_FAIL_OPEN",
	"SESSION_FILE_DIR",
	"SESSION_FILE_MODE",
	"SESSION_FILE_THRESHOLD",
	"SESSION_FIRESTORE",
	"SESSION_FIRESTORE_COLLECT",
	"SESSION_FLASK_COMPATIBLE",
	"SESSION_ID_LENGTH",
	"SESSION_KEY_PREFIX",
	"SESSION_MAX_PER_PRINCIPAL",
	"SESSION_MAX_SIZE",
	"SESSION_MEMCACHED",
	"SESSION_MEMORY_MAX",
	"SESSION_MONGODB",
	"SESSION_MONGODB_COLLECT",
	"SESSION_MONGODB_DB",
	"SESSION_MONGODB_TZ_AWARE",
	"SESSION_PEEWEE_CONFIG",
	"SESSION_PEEWEE_TABLE",
	"SESSION_PERMANENT",
	"SESSION_PLAIN_IDS",
	"SESSION_REDIS",
	"SESSION_REFRESH_EACH_REQUEST",
	"SESSION_REFRESH_INTERVAL",
	"SESSION_SERIALIZATION_FORMAT",
	"SESSION_SQLALCHEMY",
	"SESSION_SQLALCHEMY_SCHEMA",
	"SESSION_SQLALCHEMY_SEQUENCE",
	"SESSION_SQLALCHEMY_TABLE",
	"SESSION_SWEEP_INTERVAL",
	"SESSION_TIMEOUT",
	"SESSION_TYPE",
	"SESSION_USE_SIGNER",
}

// isSettingName tells whether a variable may be a setting.
func isSettingName(name string) bool {
	return strings.HasPrefix(name, "SESSION_") || slices.Contains(knownSettings, name)
}

func unknownSetting(name string) error {
	if near := nearest(name); near != "" {
		return fmt.Errorf("%s is not a setting; did you mean %s?", name, near)
	}
	return fmt.Errorf("%s is not a setting; the settings are %s", name, strings.Join(knownSettings, ", "))
}

// nearest returns the setting that a name was probably meant to be, or "".
func nearest(name string) string {
	// A slip in every four characters: SESSION_ID is not SESSION_DB.
	best, slips := "", max(1, (len(name)-len("SESSION_"))/4)
	for _, known := range knownSettings {
		if d := distance(name, known); d <= slips {
			best, slips = known, d-1
		}
	}
	return best
}

// distance is the least number of characters to insert, delete or replace
// that makes b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
