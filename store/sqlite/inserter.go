package sqlite

import (
	"context"
	"errors"
	"strings"

	"github.com/jmoiron/sqlx"
)

// insertedRows is the number of rows that one statement inserts: much of the cost is
// per statement.
const insertedRows = 16

// inserter inserts rows into a table, several per statement. With OR FAIL a failed
// statement is not rolled back by itself, so that SQLite does not have to save the
// previous content of each page for that.
type inserter struct {
	tx   *sqlx.Tx
	into string // the table and its columns
	rows int    // not yet inserted
	args []any
	many *sqlx.Stmt
}

func newInserter(tx *sqlx.Tx, into string) *inserter {
	return &inserter{tx: tx, into: into}
}

// statement returns the SQL that inserts the rows.
func (i *inserter) statement() string {
	row := "(?" + strings.Repeat(", ?", len(i.args)/i.rows-1) + ")"
	return `INSERT OR FAIL INTO ` + i.into + ` VALUES ` + row + strings.Repeat(", "+row, i.rows-1)
}

// add inserts a row, by the time of finish at the latest.
func (i *inserter) add(ctx context.Context, values ...any) (err error) {
	i.rows, i.args = i.rows+1, append(i.args, values...)
	if i.rows < insertedRows {
		return nil
	}
	if i.many == nil {
		if i.many, err = i.tx.PreparexContext(ctx, i.statement()); err != nil {
			return err
		}
	}
	_, err = i.many.ExecContext(ctx, i.args...)
	i.rows, i.args = 0, i.args[:0]
	return err
}

// flush inserts the remaining rows.
func (i *inserter) flush(ctx context.Context) error {
	if i.rows == 0 {
		return nil
	}
	_, err := i.tx.ExecContext(ctx, i.statement(), i.args...)
	i.rows, i.args = 0, i.args[:0]
	return err
}

// finish inserts the remaining rows and closes the statement.
func (i *inserter) finish(ctx context.Context) error {
	err := i.flush(ctx)
	if i.many != nil {
		err = errors.Join(err, i.many.Close())
	}
	return err
}
