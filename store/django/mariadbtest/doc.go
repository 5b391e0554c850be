// Package mariadbtest gives tests a real MariaDB: one server for all tests of a
// process, on loopback, made with the server's programs and thrown away
// afterwards, and a database of its own for each test.
//
// Where MariaDB is not installed tests are skipped, but in CI (the variable CI is
// set) they fail: nothing is ever left out there without being noticed.
package mariadbtest
