package live

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/mails"
)

// mailsTable is the name of the table of mails that wait to be sent.
const mailsTable = "authcompat_mails"

// createMails creates it when there is something to put in it: in Django's database there are no
// mails of ours unless an API sends some.
const createMails = `
CREATE TABLE IF NOT EXISTS authcompat_mails (
	id         VARCHAR(64) PRIMARY KEY,
	kind       VARCHAR(64) NOT NULL,
	profile    VARCHAR(64) NOT NULL,
	user_id    BIGINT      NOT NULL,
	created_at BIGINT      NOT NULL,
	due_at     BIGINT      NOT NULL,
	attempts   BIGINT      NOT NULL,
	deliveries BIGINT      NOT NULL
)`

// createMailsDue is the index for those that are due.
const createMailsDue = `CREATE INDEX IF NOT EXISTS authcompat_mails_due ON authcompat_mails (due_at, id)`

// mails returns the store of mails.
func (s *Store) mails() *mails.Queue {
	return mails.New(mails.Access{
		Table: mailsTable,
		Email: func(ctx context.Context, tx *sql.Tx, userID int64) (string, error) {
			l := s.layout.Load()
			account, err := l.accountByID(ctx, tx, userID, l.django.LockUsers())
			return account.Email, err
		},
		Bind: func(statement string) string { return s.layout.Load().sql(statement) },
		Read: func(ctx context.Context, do func(context.Context, mails.Querier) error) error {
			return s.read(ctx, func(ctx context.Context, l *layout) error {
				if there, err := l.auxObjects(ctx, l.db); err != nil || !there[mailsTable] {
					return err
				}
				return do(ctx, l.db)
			})
		},
		Write: s.writeMails,
	})
}

// outdateMails makes the mails of a user outdated that wait, if there is a table of mails that the role may change: another
// server's may send them.
func (s *Store) outdateMails(ctx context.Context, tx *sql.Tx, l *layout, userID int64) error {
	there, err := l.auxObjects(ctx, tx)
	if err != nil || !there[mailsTable] {
		return err
	}
	may := true
	if l.django.IsPostgres() {
		const allowed = `SELECT has_table_privilege('` + mailsTable + `', 'SELECT') AND has_table_privilege('` + mailsTable + `', 'UPDATE')`
		if err := tx.QueryRowContext(ctx, allowed).Scan(&may); err != nil {
			return fmt.Errorf("read privileges of mails: %w", err)
		}
	}
	if !may {
		return nil
	}
	return s.mails().Outdate(ctx, tx, userID)
}

// writeMails runs do in a transaction, with the audit entry, and makes the table before.
func (s *Store) writeMails(ctx context.Context, audit *core.AuditEntry, do func(context.Context, *sql.Tx) error) error {
	return s.onLayout(ctx, func(l *layout) (err error) {
		for tries := 0; tries == 0 || overtaken(err) && tries <= maxOvertaken; tries++ {
			err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
				there, err := l.auxObjects(ctx, tx)
				for _, statement := range []string{createMails, createMailsDue} {
					if err == nil && !there[mailsTable] {
						_, err = tx.ExecContext(ctx, statement)
					}
				}
				if err != nil {
					return fmt.Errorf("create table of mails: %w", err)
				}
				if err := do(ctx, tx); err != nil {
					return err
				}
				return l.writeAuditEntry(ctx, tx, audit)
			})
		}
		return err
	})
}
