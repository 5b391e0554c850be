// Package pgencoding reads whether a database of PostgreSQL can hold all text.
package pgencoding

import (
	"context"
	"database/sql"
	"fmt"
)

// A querier runs a query with one row.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// limited returns the encoding of the database if that does not have all characters of
// Unicode; else "". In SQL_ASCII the server converts nothing and keeps any bytes
// (https://www.postgresql.org/docs/current/multibyte.html).
func limited(ctx context.Context, q querier) (name string, err error) {
	if err := q.QueryRowContext(ctx, `SELECT coalesce(current_setting('server_encoding', true), '')`).Scan(&name); err != nil {
		return "", fmt.Errorf("read encoding: %w", err)
	}
	switch name {
	case "", "UTF8", "SQL_ASCII":
		return "", nil
	}
	return name, nil
}

// Check fails, and says what to do, if the database can't hold all text.
func Check(ctx context.Context, q querier) error {
	name, err := limited(ctx, q)
	if err == nil && name != "" {
		err = fmt.Errorf("its encoding is %s, which does not have all characters of names: create a database with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0 (createdb --encoding=UTF8 --template=template0)", name)
	}
	return err
}

// Warning returns what that means for a database that is in use already; empty if it can
// hold all text.
func Warning(ctx context.Context, q querier) (string, error) {
	name, err := limited(ctx, q)
	if err != nil || name == "" {
		return "", err
	}
	return "the encoding of the database is " + name + ": users whose names or addresses have other characters can't register. " +
		"To change that, dump the database and restore it into one that was created with ENCODING 'UTF8' TEMPLATE template0", nil
}
