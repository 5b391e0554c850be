package postgres

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/addresses"
	"github.com/authcompat/authcompat/store/internal/callers"
	"github.com/authcompat/authcompat/store/internal/mails"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/pgdurability"
	"github.com/authcompat/authcompat/store/internal/pgencoding"
	"github.com/authcompat/authcompat/store/internal/pgprivileges"
	"github.com/jmoiron/sqlx"
)

// Store is a [core.Store] on PostgreSQL. Its methods are safe for concurrent
// use.
type Store struct {
	pool   *pgconn.Pool
	db     *sqlx.DB // the pool's
	prefix string   // of table names: the schema and a dot, or empty

	findToken string // selectToken, qualified
}

// Backend returns the store with all the interfaces that it implements.
func (s *Store) Backend() core.Backend {
	return core.Backend{Store: s, RateLimiter: s, Auditor: s, Accounts: s, Admin: s, Privacy: s, Cutover: s, Callers: s.callers(), Mail: s.mails(), Addresses: s.addresses(), Warner: s, DatabaseClock: s, ExpiryBatcher: s, Writers: s.pool.Writers()}
}

func (s *Store) callers() *callers.Store {
	bulk := s.withBulkTimeout()
	return callers.New(callers.Access{
		Table: s.qualify("@callers"),
		Bind:  callers.PositionalParameters,
		Read: func(ctx context.Context, do func(context.Context, callers.Querier) error) error {
			return bulk.read(ctx, func(ctx context.Context) error { return do(ctx, bulk.db) })
		},
		Write: func(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
			return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error { return do(ctx, tx.Tx) })
		},
		Unencodable: pgconn.ErrEncoding,
	})
}

func (s *Store) mails() *mails.Queue {
	return mails.New(mails.Access{
		Table: s.qualify("@mails"),
		// Whoever changes the address waits until the mail is there, to find it.
		Email: func(ctx context.Context, tx *sql.Tx, userID int64) (email string, err error) {
			err = tx.QueryRowContext(ctx, s.qualify(`SELECT email FROM @users WHERE id = $1 FOR SHARE`), userID).Scan(&email)
			if errors.Is(err, sql.ErrNoRows) {
				return "", core.ErrNotFound
			}
			return email, wrap("select user", err)
		},
		Bind: callers.PositionalParameters,
		Read: func(ctx context.Context, do func(context.Context, mails.Querier) error) error {
			return s.read(ctx, func(ctx context.Context) error { return do(ctx, s.db) })
		},
		Write: func(ctx context.Context, audit *core.AuditEntry, do func(context.Context, *sql.Tx) error) error {
			return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, _ bool) error { return do(ctx, tx.Tx) })
		},
	})
}

func (s *Store) addresses() *addresses.Book {
	lower := func(column string) string { return `lower(` + column + ` COLLATE "C")` }
	return addresses.New(addresses.Access{
		Table: s.qualify("@email_addresses"),
		Bind:  callers.PositionalParameters,
		Lower: lower, Exactly: func(column string) string { return column },
		InsertAs:    s.qualify(`INSERT INTO @email_addresses (id, user_id, email, verified) SELECT ?::bigint, id, ?, ?::boolean FROM @users WHERE id = ? ON CONFLICT DO NOTHING`),
		Insert:      s.qualify(`INSERT INTO @email_addresses (user_id, email, verified) SELECT id, ?, ?::boolean FROM @users WHERE id = ? ON CONFLICT DO NOTHING`),
		Unencodable: pgconn.ErrEncoding, ReadCommitted: readCommitted,
		AfterAll: pgconn.AfterAll, Lock: pgconn.LockAddress,
		Read: func(ctx context.Context, do func(context.Context, addresses.Querier) error) error {
			return s.read(ctx, func(ctx context.Context) error { return do(ctx, s.db) })
		},
		Write: func(ctx context.Context, audit *core.AuditEntry, do func(context.Context, *sql.Tx) error) error {
			return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, _ bool) error { return do(ctx, tx.Tx) })
		},
	})
}

// qualify replaces each @, which precedes table names, by the store's schema.
func (s *Store) qualify(statement string) string { return strings.ReplaceAll(statement, "@", s.prefix) }

// bulkTimeout is the timeout for work on many rows, such as a batch of an import or a
// count of all tokens.
const bulkTimeout = time.Minute

// withBulkTimeout returns the store with the timeout for work on many rows. No client's
// request uses it.
func (s *Store) withBulkTimeout() *Store {
	bulk := *s
	bulk.pool = s.pool.WithTimeout(bulkTimeout)
	return &bulk
}

// Ping implements [core.Store]. It reads a table, and fails if the server is read-only.
func (s *Store) Ping(ctx context.Context) error {
	return s.pool.Ping(ctx, s.qualify(`SELECT 1 FROM @users`))
}

// Warnings implements [core.Warner].
func (s *Store) Warnings(ctx context.Context) (warnings []string, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		warnings, err = pgdurability.Warnings(func(query string, into ...any) error {
			return s.db.QueryRowContext(ctx, query).Scan(into...)
		})
		if err != nil {
			return err
		}
		text, err := pgencoding.Warning(ctx, s.db)
		if err != nil {
			return err
		}
		if text != "" {
			warnings = append(warnings, text)
		}
		text, err = pgprivileges.Warning(ctx, s.db, s.needs())
		if err == nil && text != "" {
			warnings = append(warnings, text)
		}
		return err
	})
	return warnings, err
}

// needs returns what a server does with the tables. FOR SHARE takes the right to UPDATE.
func (s *Store) needs() []pgprivileges.Need {
	return []pgprivileges.Need{
		{Table: s.qualify("@users"), Rights: []string{"INSERT", "UPDATE"}},
		{Table: s.qualify("@tokens"), Rights: []string{"INSERT", "UPDATE", "DELETE"}},
		{Table: s.qualify("@guesses"), Rights: []string{"INSERT", "UPDATE", "DELETE"}},
		{Table: s.qualify("@audit"), Rights: []string{"INSERT"}},
		{Table: s.qualify("@callers"), Rights: []string{"INSERT", "UPDATE", "DELETE"}},
		{Table: s.qualify("@mails"), Rights: []string{"INSERT", "UPDATE", "DELETE"}},
		{Table: s.qualify("@fence"), Rights: []string{"UPDATE"}},
		{Table: s.qualify("@imported_users"), Rights: []string{"UPDATE"}},
		{Table: s.qualify("@deleted_users"), Rights: []string{"INSERT"}},
		{Table: s.qualify("@imported_tokens"), Rights: []string{"INSERT", "UPDATE"}},
		{Table: s.qualify("@cutover"), Rights: []string{"SELECT", "INSERT", "UPDATE"}},
	}
}

// Close implements [core.Store].
func (s *Store) Close() error { return s.pool.Close() }

// read is [pgconn.Pool.Read].
func (s *Store) read(ctx context.Context, do func(context.Context) error) error {
	return s.pool.Read(ctx, do)
}

// write is [pgconn.Pool.Write].
func (s *Store) write(ctx context.Context, do pgconn.TxFunc) error { return s.pool.Write(ctx, do) }

// writeAudited is write that also adds an audit entry in the transaction, unless it is
// nil.
func (s *Store) writeAudited(ctx context.Context, audit *core.AuditEntry, do pgconn.TxFunc) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		if err := do(ctx, tx, retryAfterAmbiguous); err != nil {
			return err
		}
		return s.writeAuditEntry(ctx, tx, audit, retryAfterAmbiguous)
	})
}
