// Package pgprivileges reads which rights a role of PostgreSQL lacks that a store needs.
package pgprivileges

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/lib/pq"
)

// Need is what a store does with a table.
type Need struct {
	Table  string // as in a statement, with its schema if need be
	Rights []string
}

// A querier runs a query with one row.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Warning returns which of the rights the role of the connection lacks, and how to grant
// them; empty if it has all. Tables that are not there are left out. A right to some
// columns is taken for the right.
func Warning(ctx context.Context, q querier, needs []Need) (string, error) {
	var tables, rights []string
	for _, n := range needs {
		for _, right := range n.Rights {
			tables, rights = append(tables, n.Table), append(rights, right)
		}
	}
	var role, grants string
	err := q.QueryRowContext(ctx, `
		SELECT quote_ident(current_user), coalesce((SELECT string_agg('GRANT ' || missing || ' ON ' || t, '; ' ORDER BY first) FROM (
			SELECT t, min(i) AS first, string_agg(r, ', ' ORDER BY i) AS missing
			FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS n (t, r, i)
			WHERE to_regclass(t) IS NOT NULL
			  AND NOT CASE r WHEN 'DELETE' THEN has_table_privilege(t, r) ELSE has_any_column_privilege(t, r) END
			GROUP BY t) AS lacks), '')`, pq.Array(tables), pq.Array(rights)).Scan(&role, &grants)
	if err != nil {
		return "", fmt.Errorf("read rights: %w", err)
	}
	if grants == "" {
		return "", nil
	}
	return "the role " + role + " lacks rights to the database, and what needs them fails with 503: " + strings.ReplaceAll(grants, ";", " TO "+role+";") + " TO " + role, nil
}
