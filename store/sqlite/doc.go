// Package sqlite keeps users and tokens in one SQLite file, with nothing to
// install: the library is compiled in.
//
// # What is promised, and why it holds
//
// A step that returned nil is on the disk (write-ahead log, synchronous=FULL)
// and is seen by every call that begins after it, from this process or any
// other: no statement leaves a read transaction open, and tokens that were found
// are remembered only while no token and no user changes (see cache).
// Writers of all processes take turns at the file's one write lock, taken when
// a transaction begins (BEGIN IMMEDIATE), so that a transaction never acts on
// what it read before another one wrote.
//
// Any number of processes of one machine may use a file at once: a server, and
// commands beside it. A network file system won't do, because SQLite's locks
// and its shared memory don't work there.
//
// No call waits for the database longer than [Options.Wait]; it then fails with
// [core.ErrUnavailable].
//
// # Files
//
// Beside the database lie PATH-wal and PATH-shm while it is open, and after a
// crash. They are part of it: a copy of PATH alone loses what was written last.
// All are made with mode 0600.
//
// The file's header carries an application_id, by which Open knows its own; a
// file made from a dump in SQL lacks it and gets it back with the statement
// PRAGMA application_id = 1635083119.
package sqlite
