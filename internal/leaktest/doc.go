// Package leaktest checks that neither a store nor a log holds anything that
// an attacker could use. It has tests only.
package leaktest
