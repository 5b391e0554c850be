package tables

import (
	"context"
	"slices"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	sqlite3 "modernc.org/sqlite/lib"
)

// ReadAgain returns the database with its tables as they are now, on the same connections.
// m is as for [Open].
func (s *Database) ReadAgain(ctx context.Context, m Mapping) (*Database, error) {
	again := &Database{dialect: s.dialect, db: s.db, source: s.source}
	if err := again.readShape(ctx, m); err != nil {
		return nil, s.advise(err)
	}
	return again, nil
}

// Mismatches reports whether a database refused a statement because of what its tables are:
// a column is not there, is too short, may not be NULL, or refers to something. A row that
// exists already, or text that the encoding can't hold, is no mismatch.
func Mismatches(err error) bool {
	if e := pq.As(err); e != nil {
		switch e.Code {
		case pqerror.UniqueViolation, pqerror.InsufficientPrivilege, pqerror.CharacterNotInRepertoire, pqerror.UntranslatableCharacter:
			return false
		}
		switch e.Code.Class() {
		case pqerror.ClassDataException, pqerror.ClassIntegrityConstraintViolation, pqerror.ClassSyntaxErrorOrAccessRuleViolation:
			return true
		}
		return false
	}
	return slices.Contains([]int{
		sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_CONSTRAINT_NOTNULL, sqlite3.SQLITE_CONSTRAINT_CHECK,
		sqlite3.SQLITE_CONSTRAINT_DATATYPE, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
	}, sqliteCode(err))
}

// RefusesValue reports whether a database refused a statement because of a value in it, on tables that
// are as they were read: it is not one of the column's type, out of its range, or against a CHECK. A text
// that is too long is another matter: see [TooLong].
func RefusesValue(err error) bool {
	if e := pq.As(err); e != nil {
		return e.Code == pqerror.CheckViolation || e.Code.Class() == pqerror.ClassDataException && e.Code != pqerror.StringDataRightTruncation
	}
	return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_CHECK
}

// TooLong reports whether PostgreSQL refused a text because its column is too short.
func TooLong(err error) bool { return pq.As(err, pqerror.StringDataRightTruncation) != nil }

// WithoutValues returns the text of an error without the values that PostgreSQL shows where
// it can't read one.
func WithoutValues(err error) string {
	e := pq.As(err)
	if e == nil || e.Code.Class() != pqerror.ClassDataException {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), e.Error(), strings.ReplaceAll(e.Code.Name(), "_", " ")+" ("+string(e.Code)+")")
}
