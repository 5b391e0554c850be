package tokencache

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// maxSteps is how many steps of the generation the database keeps (migrations/00026_changes.sql). They are read from
// the one that is known, so that one less can be new.
const maxSteps = 1 << 13

// prefixSize is how much of a digest the database keeps of a token that has changed, in bytes. It is what entries are found by:
// of two tokens that share it, both are forgotten.
const prefixSize = 8

// selectGeneration reads the number that triggers increase whenever a token or user is changed, deleted or replaced, what they
// draw at random with it, and the number that SQLite increases whenever the tables are changed or another database is copied
// into this one.
const selectGeneration = `SELECT n, mark, schema_version AS schema FROM generation, pragma_schema_version`

// selectChanges reads the steps in two ranges of places: those of the last steps may go on at the first place.
const selectChanges = `SELECT n, mark, digest, user_id FROM changes WHERE id BETWEEN ? AND ? OR id BETWEEN ? AND ? ORDER BY n`

// generation identifies a state of the existing tokens and users: none of them has changed for as long as it stays the same.
type generation struct {
	N      int64 `db:"n"`
	Mark   int64 `db:"mark"`
	Schema int64 `db:"schema"`
}

// follows reports whether the steps since another generation may all be there.
func (g generation) follows(from generation) bool {
	steps := g.N - from.N
	return g.Schema == from.Schema && steps > 0 && steps < maxSteps
}

// change is what one step of the generation was about: a token, a user with all tokens, or, with neither, any token.
type change struct {
	N      int64         `db:"n"`
	Mark   int64         `db:"mark"`
	Digest []byte        `db:"digest"` // its first bytes
	UserID sql.NullInt64 `db:"user_id"`
}

// Reader reads the generation and its steps. Two reads are of the same state only if the header of the WAL-index was the same
// before and after both.
type Reader struct{ generation, changes *sqlx.Stmt }

// NewReader returns a reader of a database that has the tables.
func NewReader(ctx context.Context, db *sqlx.DB) (r Reader, err error) {
	if r.generation, err = db.PreparexContext(ctx, selectGeneration); err != nil {
		return Reader{}, fmt.Errorf("prepare: %w", err)
	}
	if r.changes, err = db.PreparexContext(ctx, selectChanges); err != nil {
		return Reader{}, fmt.Errorf("prepare: %w", err)
	}
	return r, nil
}

func (r Reader) readGeneration(ctx context.Context) (g generation, err error) {
	if err := r.generation.GetContext(ctx, &g); err != nil {
		return g, fmt.Errorf("select generation: %w", err)
	}
	return g, nil
}

// readChanges reads the steps after one generation that led to another. complete is false unless all of them are there, and the
// first generation is the one that the database had then.
func (r Reader) readChanges(ctx context.Context, from, to generation) (changes []change, complete bool, err error) {
	first, last := place(from.N), place(to.N)
	ranges := []any{first, last, first, last}
	if first > last {
		ranges = []any{first, maxSteps, -maxSteps, last}
	}
	if err := r.changes.SelectContext(ctx, &changes, ranges...); err != nil {
		return nil, false, fmt.Errorf("select changes: %w", err)
	}
	if int64(len(changes)) != to.N-from.N+1 {
		return nil, false, nil
	}
	for i, c := range changes {
		if c.N != from.N+int64(i) {
			return nil, false, nil
		}
	}
	if changes[0].Mark != from.Mark || changes[len(changes)-1].Mark != to.Mark {
		return nil, false, nil
	}
	return changes[1:], true, nil
}

// place returns the id of a step.
func place(n int64) int64 { return n % maxSteps }
