// Package postgrestest provides tests with a real PostgreSQL: clusters of their own on
// loopback, created with the server's programs and removed afterwards, and what stands
// between them and a client, a pooler or a failing network.
//
// If PostgreSQL is not installed tests are skipped, but in CI (the variable CI is set)
// they fail, so that no test is skipped there unnoticed.
package postgrestest
