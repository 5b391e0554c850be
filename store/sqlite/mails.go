package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/mails"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// mailStore is a [core.MailStore].
type mailStore struct {
	*mails.Queue
	s *Store
}

func (s *Store) mails() core.MailStore {
	return mailStore{mails.New(mails.Access{
		Table: "mails",
		Bind:  func(statement string) string { return statement },
		Read: func(ctx context.Context, do func(context.Context, mails.Querier) error) error {
			return s.read(ctx, func(ctx context.Context) error { return do(ctx, s.reader) })
		},
		Write: func(ctx context.Context, audit *core.AuditEntry, do func(context.Context, *sql.Tx) error) error {
			return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error { return do(ctx, tx.Tx) })
		},
	}), s}
}

// AccountByID implements [core.MailStore].
func (m mailStore) AccountByID(ctx context.Context, userID int64) (account core.Account, err error) {
	err = m.s.read(ctx, func(ctx context.Context) error {
		var row record.Account
		err := m.s.reader.GetContext(ctx, &row, `
			SELECT id, username, email, password_hash, active, attributes, created_at, last_login FROM users WHERE id = ?`, userID)
		if errors.Is(err, sql.ErrNoRows) {
			return core.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("select user: %w", err)
		}
		account, err = row.Core()
		return err
	})
	return account, err
}

// ActivateUser implements [core.MailStore].
func (m mailStore) ActivateUser(ctx context.Context, userID int64, passwordHash string, audit *core.AuditEntry) error {
	return m.s.change(ctx, audit, "activate user", `UPDATE users SET active = 1 WHERE id = ? AND active = 0 AND password_hash = ?`, userID, passwordHash)
}
