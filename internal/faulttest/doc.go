// Package faulttest holds tests only: what visitors get while a store cannot
// be reached, answers late, or loses its answers, with a fault proxy before the
// real servers, and while servers are killed and started again. They run on
// Linux, where every test can have loopback addresses of its own.
package faulttest
