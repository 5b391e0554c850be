// Package sqlite keeps users and tokens in one SQLite file. The library is compiled in,
// so there is nothing to install.
//
// # Guarantees
//
// A change whose call returned nil is on the disk (write-ahead log, synchronous=FULL),
// and every later call sees it, in this process or another: no statement leaves a read
// transaction open, and tokens are cached only while no token and no user changes (package
// tokencache). Writers of all processes take turns holding the file's only write lock, which
// is acquired when a transaction begins (BEGIN IMMEDIATE), so that a transaction never
// acts on what it read before another one wrote.
//
// Any number of processes on one machine may use a file at the same time, such as a
// server and commands. A network file system can't be used, because SQLite's locks and
// shared memory don't work there.
//
// No call waits for the database longer than [Options.Wait]; it then fails with
// [core.ErrUnavailable].
//
// # Files
//
// While the database is open, and after a crash, the files PATH-wal and PATH-shm exist
// next to it. They are part of it: a copy of PATH alone lacks the latest changes. All
// are created with mode 0600.
//
// The file's header has an application_id, by which Open recognizes it. A file restored
// from an SQL dump lacks it; the statement PRAGMA application_id = 1635083119 sets it
// again.
package sqlite
