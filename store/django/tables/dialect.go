package tables

import (
	"context"
	"database/sql"
	"time"
)

// dialect is what differs between the databases that Django runs on.
type dialect interface {
	// open opens the database; readOnly makes it refuse writes.
	open(source string, readOnly bool) (*sql.DB, error)
	// identity names the database without a password.
	identity(source string) string
	// begin begins a transaction that reads exactly what is there, with times in UTC.
	begin(ctx context.Context, db *sql.DB) (*sql.Tx, error)
	// catalogue reads all tables.
	catalogue(ctx context.Context, q queryer) (catalogue, error)
	// rowID is the column, if it isn't one of the table's own, by which the rows of any
	// table can be read in order; empty if there is none.
	rowID(t Table) string
	// beginWriting prepares a transaction that writes row by row.
	beginWriting(ctx context.Context, tx *sql.Tx) error
	// moveIDs makes the ids that the database assigns begin above the existing ones.
	moveIDs(ctx context.Context, tx *sql.Tx, t Table, id string) error
	// advise adds to an error of opening what to do about it.
	advise(err error) error

	// Quote makes an identifier of a name.
	Quote(name string) string
	// TextExpr is the expression for a column's value as text.
	TextExpr(c Column, quoted string) string
	// Placeholder is that of the n-th parameter, from 1, which is compared with a column.
	Placeholder(n int) string
	// Encode returns what is written to a column: for a time (in the zone, where the
	// column has none), a truth value, a number or a text.
	Encode(v any, zone *time.Location) any
	// SerialType is the type of a primary key that the database assigns.
	SerialType() string
	// LockUsers, LockTokens and LockRows end a query of users, of tokens (under the
	// alias k) or of one table, whose rows are locked until the transaction ends.
	LockUsers() string
	LockTokens() string
	LockRows() string
	// IsDuplicate tells whether err is a violation of a unique constraint.
	IsDuplicate(err error) bool
	// IsLocked tells whether err is due to another connection's lock, or to a conflict
	// with another transaction, so that a retry may succeed.
	IsLocked(err error) bool
	// IsUnavailable tells whether err means that the database can't serve now.
	IsUnavailable(err error) bool
}
