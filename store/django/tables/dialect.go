package tables

import (
	"context"
	"database/sql"
	"time"
)

// dialect abstracts over the databases that Django runs on.
type dialect interface {
	// open opens the database; with readOnly it refuses writes.
	open(source string, readOnly bool) (*sql.DB, error)
	// identity names the database without a password.
	identity(source string) string
	// begin begins a transaction that reads all rows as they are stored, with times in
	// UTC.
	begin(ctx context.Context, db *sql.DB) (*sql.Tx, error)
	// catalogue reads all tables.
	catalogue(ctx context.Context, q queryer) (catalogue, error)
	// rowID is the implicit column, if any, by which the rows of any table can be read
	// in order; otherwise "".
	rowID(t Table) string
	// beginWriting prepares a transaction that writes row by row.
	beginWriting(ctx context.Context, tx *sql.Tx) error
	// awaitWriters waits until the transactions are over that have written to a table.
	awaitWriters(ctx context.Context, tx *sql.Tx, table, column string) error
	// moveIDs makes the database assign IDs above the existing ones, and returns the highest that it knows to have been
	// given to a row, which may be gone; 0: it does not know of any.
	moveIDs(ctx context.Context, tx *sql.Tx, t Table, id string) (given int64, err error)
	// advise adds advice to an error from opening the database.
	advise(err error) error

	// Quote quotes an identifier.
	Quote(name string) string
	// TextExpr is the expression for a column's value as text.
	TextExpr(c Column, quoted string) string
	// Placeholder is the n-th parameter, from 1, of a comparison with a column.
	Placeholder(n int) string
	// Encode returns v as it is written to a column. v is a time (written in zone if
	// the column has none), a bool, a number or a string.
	Encode(v any, zone *time.Location) any
	// SerialType is the type of a primary key that the database assigns.
	SerialType() string
	// LockUsers and LockTokens end a query of users, or of tokens (under the alias k),
	// and lock its rows until the transaction ends.
	LockUsers() string
	LockTokens() string
	// IsDuplicate reports whether err is a violation of a unique constraint.
	IsDuplicate(err error) bool
}
