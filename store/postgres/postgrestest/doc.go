// Package postgrestest gives tests a real PostgreSQL: clusters of their own on
// loopback, made with the server's programs and thrown away afterwards, and what
// stands between them and a client, a pooler or a network that fails.
//
// Where PostgreSQL is not installed tests are skipped, but in CI (the variable CI
// is set) they fail: nothing is ever left out there without being noticed.
package postgrestest
