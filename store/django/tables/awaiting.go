package tables

import (
	"context"
	"database/sql"
	"fmt"
)

// AwaitUsers waits until the transactions are over that have written to the tables of users before: one whose connection was cut
// off at its commit may still be under way at the server, such as while a standby or a disk is slow, and then nobody sees
// yet what it has written. It fails if that takes longer than a lock is waited for.
func (t *Target) AwaitUsers(ctx context.Context) error {
	for _, part := range t.shape.Users.Parts() {
		if err := t.awaitTable(ctx, part, t.Decoder.Mapping.Password); err != nil {
			return err
		}
	}
	return nil
}

// AwaitTokens is AwaitUsers for the tables of tokens.
func (t *Target) AwaitTokens(ctx context.Context) error {
	for _, table := range t.shape.Tokens {
		if err := t.awaitTable(ctx, table.Table, "created"); err != nil {
			return err
		}
	}
	return nil
}

// awaitTable takes a lock that waits for all who have written to a table, and gives it back. It never holds two, so that it can't be
// part of a deadlock.
func (t *Target) awaitTable(ctx context.Context, table Table, column string) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if !table.Has(column) {
		column = table.KeyColumn()
	}
	if err := t.awaitWriters(ctx, tx, t.TableName(table), t.Quote(column)); err != nil {
		return fmt.Errorf("wait for what is being written to %s: %w", table, err)
	}
	return nil
}

// awaitWriters waits for writers of the table briefly, since those who come later wait behind it.
func (postgres) awaitWriters(ctx context.Context, tx *sql.Tx, table, _ string) error {
	_, err := tx.ExecContext(ctx, `SET LOCAL lock_timeout = '2s'; LOCK TABLE `+table+` IN SHARE MODE`)
	return err
}

// awaitWriters reads all rows as they are once their writers are over: MySQL locks rows, and not tables. The column is one that no
// other index has, so that the rows themselves are read.
func (mysql) awaitWriters(ctx context.Context, tx *sql.Tx, table, column string) error {
	var n int
	return tx.QueryRowContext(ctx, `SELECT count(`+column+`) FROM `+table+` LOCK IN SHARE MODE`).Scan(&n)
}

// awaitWriters has waited already: the transaction has the file's only lock for writing.
func (sqliteFile) awaitWriters(context.Context, *sql.Tx, string, string) error { return nil }
