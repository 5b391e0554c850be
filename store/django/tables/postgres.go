package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/authcompat/authcompat/store/internal/pgdsn"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// postgres is the dialect of a PostgreSQL database. It changes no session settings, so
// that it works behind a pooler in transaction mode.
type postgres struct{}

var errPostgresDSN = errors.New("the DSN is no URL of the form postgres://USER@HOST/DATABASE; in a password, / ? # @ : and % are written %2F %3F %23 %40 %3A and %25")

func (postgres) open(dsn string, _ bool) (*sql.DB, error) {
	if _, err := url.Parse(dsn); err != nil || !pgdsn.WellFormed(dsn) {
		return nil, errPostgresDSN
	}
	c, err := newPGConnector(dsn)
	if err != nil {
		return nil, errPostgresDSN
	}
	return sql.OpenDB(c), nil
}

func (postgres) identity(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return "postgres"
	}
	host := u.Host
	if h := u.Query().Get("host"); h != "" {
		host = h
	}
	return "postgres://" + host + u.Path
}

// begin makes row-level security an error, rather than rows silently missing.
func (p postgres) begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `SET LOCAL row_security = off; SET LOCAL timezone = 'UTC'`); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx, nil
}

// beginWriting makes each row fail on its own: Django's foreign keys are deferred to
// the commit.
func (postgres) beginWriting(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL timezone = 'UTC'`)
	return err
}

func (postgres) catalogue(ctx context.Context, q queryer) (c catalogue, err error) {
	var r catalogueRows
	const (
		schema = `CASE WHEN pg_table_is_visible(%[1]s.oid) THEN '' ELSE %[1]s.relnamespace::regnamespace::text END, %[1]s.relname::text`
		ours   = ` c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relnamespace <> 'information_schema'::regnamespace
			AND c.relnamespace::regnamespace::text NOT LIKE 'pg\_%' AND has_schema_privilege(c.relnamespace, 'USAGE')`
	)
	name, target := fmt.Sprintf(schema, "c"), fmt.Sprintf(schema, "u")
	for _, read := range []struct {
		rows  *[][]string
		query string
	}{
		{&r.tables, `SELECT ` + name + `, (c.relkind IN ('v', 'm'))::int, (NOT has_table_privilege(c.oid, 'SELECT'))::int, 0
			FROM pg_class c WHERE` + ours + ` ORDER BY 1, 2`},
		{&r.columns, `SELECT ` + name + `, a.attname::text, format_type(a.atttypid, a.atttypmod), (NOT a.attnotnull)::int,
			(a.atthasdef AND a.attgenerated = '' OR a.attidentity <> '')::int, (a.attgenerated <> '')::int,
			(t.typname = 'citext' OR NOT coalesce(l.collisdeterministic, true))::int
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation WHERE` + ours + ` ORDER BY 1, 2, a.attnum`},
		{&r.keys, `SELECT ` + name + `, a.attname::text FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary,
			unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) JOIN pg_attribute a ON a.attnum = k.attnum
			WHERE a.attrelid = c.oid AND` + ours + ` ORDER BY 1, 2, k.place`},
		{&r.unique, `SELECT ` + name + `, i.indexrelid::text, a.attname::text FROM pg_class c
			JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique AND NOT i.indisprimary AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid,
			unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k (attnum, place) JOIN pg_attribute a ON a.attnum = k.attnum
			WHERE a.attrelid = c.oid AND` + ours + ` ORDER BY 1, 2, 3, k.place`},
		{&r.references, `SELECT ` + name + `, k.oid::text, a.attname::text, ` + target + `, b.attname::text FROM pg_constraint k
			JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class u ON u.oid = k.confrelid,
			unnest(k.conkey, k.confkey) WITH ORDINALITY AS n (mine, theirs, place), pg_attribute a, pg_attribute b
			WHERE k.contype = 'f' AND a.attrelid = c.oid AND a.attnum = n.mine AND b.attrelid = u.oid AND b.attnum = n.theirs AND` + ours + `
			ORDER BY 1, 2, 3, n.place`},
	} {
		if *read.rows, err = textRows(ctx, q, read.query); err != nil {
			return c, err
		}
	}
	path, err := textRows(ctx, q, `SELECT unnest(current_schemas(false))::text`)
	if err != nil {
		return c, err
	}
	var names []string
	for _, row := range path {
		names = append(names, row[0])
	}
	return r.catalogue(names), nil
}

func (postgres) Quote(name string) string                { return quote(name) }
func (postgres) TextExpr(_ Column, quoted string) string { return quoted + "::text" }
func (postgres) Placeholder(n int) string                { return fmt.Sprintf("$%d", n) }
func (postgres) rowID(Table) string                      { return "" }

func (postgres) Encode(v any, _ *time.Location) any {
	if t, ok := v.(time.Time); ok {
		return t.Format(time.RFC3339Nano)
	}
	return v
}

func (p postgres) moveIDs(ctx context.Context, tx *sql.Tx, t Table, id string) (given int64, err error) {
	if c, _ := t.Column(id); !c.IsInteger() || t.View {
		return 0, nil
	}
	name := quote(t.Name)
	if t.Schema != "" {
		name = quote(t.Schema) + "." + name
	}
	// nextval, since a role may use a sequence that it may not read. OFFSET: it must be called once.
	err = tx.QueryRowContext(ctx, fmt.Sprintf(`
		SELECT given FROM (
			SELECT s, greatest((SELECT max(%[1]s) FROM %[2]s), nextval(s) - 1, 0) AS given
			FROM pg_get_serial_sequence($1, $2) s WHERE s IS NOT NULL OFFSET 0
		) q, LATERAL setval(s, greatest(given, 1), given > 0)`, quote(id), name), name, id).Scan(&given)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return given, err
}

func (postgres) LockUsers() string  { return ` FOR UPDATE OF "users"` }
func (postgres) LockTokens() string { return " FOR UPDATE OF k" }
func (postgres) SerialType() string { return "BIGSERIAL PRIMARY KEY" }

func (postgres) IsDuplicate(err error) bool { return pq.As(err, pqerror.UniqueViolation) != nil }

func (postgres) advise(err error) error {
	switch {
	case errors.Is(err, pq.ErrSSLNotSupported):
		return fmt.Errorf("%w: add ?sslmode=disable to the DSN if the connection may be in the clear", err)
	case pq.As(err, pqerror.InsufficientPrivilege) != nil:
		return fmt.Errorf("%w: the role has to read all rows: GRANT SELECT, and with row-level security BYPASSRLS", err)
	}
	return err
}
