// Package sqlite keeps users and tokens in one SQLite file, with nothing to
// install: the library is compiled in.
//
// # Guarantees
//
// A change whose call returned nil is on the disk (write-ahead log, synchronous=FULL),
// and every call that begins later sees it, in this process or another: no statement
// leaves a read transaction open, and tokens are cached only while no token and no user
// changes (see cache). Writers of all processes take turns at the file's one write
// lock, which is taken when a transaction begins (BEGIN IMMEDIATE), so that a
// transaction never acts on what it read before another one wrote.
//
// Any number of processes on one machine may use a file at the same time: a server, and
// commands beside it. A network file system can't be used, because SQLite's locks and
// shared memory don't work there.
//
// No call waits for the database longer than [Options.Wait]; it then fails with
// [core.ErrUnavailable].
//
// # Files
//
// While the database is open, and after a crash, there are PATH-wal and PATH-shm next
// to it. They are part of it: a copy of PATH alone lacks what was written last. All are
// created with mode 0600.
//
// The file's header has an application_id, by which Open recognises it. A file that was
// made from an SQL dump lacks it and gets it back with the statement
// PRAGMA application_id = 1635083119.
package sqlite
