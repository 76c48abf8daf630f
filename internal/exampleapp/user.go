package exampleapp

import (
	"crypto/subtle"
	"strings"
	"time"
	"unicode/utf8"
)

// DemoPassword opens every account. A real application asks its database and
// compares a hash.
const DemoPassword = "oolong"

// maxName is how many characters a name has at most.
const maxName = 40

// A User is who has signed in. It is stored in the session as it is.
type User struct {
	Name  string
	Since time.Time
}

// Check returns the user with a name and a password. ok is false when there
// is no such user or the password is not theirs.
func Check(name, password string) (user User, ok bool) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxName {
		return User{}, false
	}
	if subtle.ConstantTimeCompare([]byte(password), []byte(DemoPassword)) != 1 {
		return User{}, false
	}
	return User{Name: name, Since: time.Now()}, true
}
