package live

import (
	"context"
	"database/sql"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/addresses"
	"github.com/authcompat/authcompat/store/internal/pgconn"
)

// addressesTable is django-allauth's table of the addresses that users verify
// (allauth/account/models.py 0.57, EmailAddress).
const addressesTable = "account_emailaddress"

// hasAddresses reports whether allauth's table is there, as 0.57 and the versions before have it.
func (l *layout) hasAddresses() bool {
	t, ok := l.django.Table(addressesTable)
	return ok && !t.View && !t.Unreadable && t.Has("id", "user_id", "email", "verified", "primary")
}

// addresses returns the store of addresses, or nil if allauth's table is not there.
func (s *Store) addresses() core.AddressStore {
	if !s.layout.Load().hasAddresses() {
		return nil
	}
	a := s.layout.Load().addressAccess()
	a.Bind = func(statement string) string { return s.layout.Load().sql(statement) }
	a.Read = func(ctx context.Context, do func(context.Context, addresses.Querier) error) error {
		return s.read(ctx, func(ctx context.Context, l *layout) error { return do(ctx, l.db) })
	}
	a.Write = func(ctx context.Context, audit *core.AuditEntry, do func(context.Context, *sql.Tx) error) error {
		return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, _ *layout) error { return do(ctx, tx) })
	}
	return addresses.New(a)
}

// addressAccess returns how statements are written. The first address of a user is the primary one
// (allauth/account/utils.py, setup_user_email); a verified one is not made it where there is another, as by
// allauth's link (EmailAddress.set_as_primary, conditional).
func (l *layout) addressAccess() addresses.Access {
	t, _ := l.django.Table(addressesTable)
	table, primary := l.django.TableName(t), l.django.Quote("primary")
	a := addresses.Access{
		Table: table, Bind: l.sql, Lower: l.lowered, Exactly: l.exactly, Unencodable: pgconn.ErrEncoding,
		Insert: `INSERT INTO @addresses (user_id, email, verified, ` + primary + `)
			SELECT ` + l.id() + `, ?, CAST(? AS boolean), NOT EXISTS (SELECT 1 FROM @addresses o WHERE o.user_id = ` + l.id() + ` AND o.` + primary + `)
			FROM ` + l.django.FromClause(l.shape.Users, `"users"`) + ` WHERE ` + l.id() + ` = ? ON CONFLICT DO NOTHING`,
	}
	if l.django.IsPostgres() {
		a.ReadCommitted = `SET TRANSACTION ISOLATION LEVEL READ COMMITTED`
		a.AfterAll, a.Lock = pgconn.AfterAll, pgconn.LockAddress
	}
	return a
}

// keepAddress adds the address of a new user to those that users verify. It fails with
// core.ErrEmailTaken where another has it in a table that has each once (allauth with
// ACCOUNT_UNIQUE_EMAIL, before 0.52).
func (l *layout) keepAddress(ctx context.Context, tx *sql.Tx, userID int64, email string, verified bool) error {
	book := addresses.New(l.addressAccess())
	if err := book.Add(ctx, tx, userID, email, verified); err != nil {
		return err
	}
	found, err := book.In(ctx, tx, core.AddressFilter{UserID: userID, Email: email}, 1)
	if err == nil && len(found) == 0 {
		err = core.ErrEmailTaken
	}
	return err
}
