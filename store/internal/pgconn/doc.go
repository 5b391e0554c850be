// Package pgconn connects stores to PostgreSQL: to its writable primary alone, with a
// limit on how long a call waits, whatever the server and the network do. See package
// postgres for what that guarantees.
package pgconn
