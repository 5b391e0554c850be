// Package pgdurability reads which settings of a PostgreSQL server put acknowledged writes, and
// the audit record of them, at risk.
package pgdurability

import "fmt"

// ShowCommit shows when a session's commits are acknowledged; with [Async], before they are on
// disk (PostgreSQL 15, 20.5 Write Ahead Log, synchronous_commit). It is no query that takes a snapshot.
const (
	ShowCommit = `SHOW synchronous_commit`
	Async      = "off"
)

// SyncCommit makes the commit of a transaction wait until it is on disk.
const SyncCommit = `SET LOCAL synchronous_commit = on`

// These are the warnings of [Warnings].
const (
	warnAsyncCommit = "synchronous_commit is off at the PostgreSQL server: this program sets it to on for its own transactions"
	warnFsync       = "fsync is off at the PostgreSQL server: if its machine stops, logouts that were acknowledged can be lost and the database damaged; nothing here can prevent that"
	warnReplica     = "session_replication_role is replica at the PostgreSQL server: triggers and foreign keys have no effect, so that the audit record can be changed, and what belongs to deleted users stays: ALTER DATABASE or ALTER ROLE … RESET session_replication_role"
	warnPageWrites  = "full_page_writes is off at the PostgreSQL server: if its machine stops, the database can be damaged"
)

// Warnings returns what of a server's settings an operator should change, or know. read
// runs a query and reads its one row.
func Warnings(read func(query string, into ...any) error) (warnings []string, err error) {
	var async, noFsync, noPages, replica bool
	if err := read(`SELECT current_setting('synchronous_commit') = 'off', current_setting('fsync') = 'off', current_setting('full_page_writes') = 'off',
		current_setting('session_replication_role') = 'replica'`,
		&async, &noFsync, &noPages, &replica); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	for _, w := range []struct {
		is   bool
		text string
	}{{noFsync, warnFsync}, {noPages, warnPageWrites}, {replica, warnReplica}, {async, warnAsyncCommit}} {
		if w.is {
			warnings = append(warnings, w.text)
		}
	}
	return warnings, nil
}
