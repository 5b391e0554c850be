package sqlite

import (
	"context"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// insertUser has a user come after all who have the address, also where their clocks were ahead.
var insertUser = `
	INSERT INTO users (username, email, password_hash, active, attributes, created_at, email_since)
	VALUES (:username, :email, :password_hash, :active, :attributes, :created_at, nullif(max(:created_at, ` + afterAll(`lower(:email)`) + `), :created_at))`

const selectAccount = `
	SELECT id, username, email, password_hash, active, attributes, created_at, last_login
	FROM users WHERE username = ?`

// CreateUser implements [core.Store]. mint runs while all other writers wait.
func (s *Store) CreateUser(ctx context.Context, u core.NewUser, mint func(core.User) (core.Token, error), audit *core.AuditEntry) (core.User, error) {
	row := record.Account{
		Username: u.Username, Email: u.Email, PasswordHash: u.PasswordHash,
		Active: !u.Inactive, CreatedAt: u.CreatedAt.UnixMicro(),
	}
	var err error
	if row.Attributes, err = record.EncodeAttributes(u.Attributes); err != nil {
		return core.User{}, err
	}
	var added core.Account
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		if err := distinct(ctx, tx, u.Distinct, 0, u.Username, u.Email); err != nil {
			return err
		}
		result, err := tx.NamedExecContext(ctx, insertUser, row)
		if duplicate(err) {
			return core.ErrUsernameTaken
		}
		if err != nil {
			return fmt.Errorf("insert user: %w", explainFull(ctx, tx, err))
		}
		if row.ID, err = result.LastInsertId(); err != nil {
			return fmt.Errorf("insert user: %w", err)
		}
		if added, err = row.Core(); err != nil {
			return err
		}
		if audit != nil {
			audit.UserID = row.ID
		}
		if u.KeepAddress && u.Email != "" {
			if err := s.addresses().Add(ctx, tx.Tx, row.ID, u.Email, u.AddressVerified); err != nil {
				return err
			}
		}
		if mint == nil {
			return nil
		}
		token, err := mint(added.User)
		if err != nil {
			return err
		}
		return addToken(ctx, tx, token)
	})
	if err != nil {
		return core.User{}, err
	}
	return added.User, nil
}

// Account implements [core.Store].
func (s *Store) Account(ctx context.Context, username string) (account core.Account, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var row record.Account
		if err := s.account.GetContext(ctx, &row, username); err != nil {
			return orNotFound(err)
		}
		account, err = row.Core()
		return err
	})
	return account, err
}

// UpdatePassword implements [core.Store].
func (s *Store) UpdatePassword(ctx context.Context, userID int64, old, encoded string, rehash bool, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		n, err := record.Affected(tx.ExecContext(ctx,
			`UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?`, encoded, userID, old))
		if err != nil {
			return fmt.Errorf("update password: %w", err)
		}
		if n == 0 {
			return core.ErrNotFound
		}
		if !rehash {
			return nil
		}
		was := transfer.PasswordFingerprint(old)
		_, err = tx.ExecContext(ctx, `UPDATE imported_users SET rehashed = ? WHERE user_id = ? AND (substr(mark, 1, 16) = ? OR rehashed = ?)`,
			transfer.PasswordFingerprint(encoded), userID, was, was)
		if err != nil {
			return fmt.Errorf("mark password: %w", err)
		}
		return nil
	})
}
