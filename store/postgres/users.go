package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// insertUser returns no row if the username is taken. It has a user come after all who have the address, also
// where their clocks were ahead.
var insertUser = `
	INSERT INTO @users (username, email, password_hash, active, attributes, created_at, email_since)
	VALUES ($1, $2::text, $3, $4, $5, $6::bigint, nullif(greatest($6::bigint, ` + afterAll(`$2::text`) + `), $6::bigint))
	ON CONFLICT (username) DO NOTHING RETURNING id`

const selectAccount = `
	SELECT id, username, email, password_hash, active, attributes, created_at, last_login
	FROM @users WHERE username = $1`

// CreateUser implements [core.Store]. mint runs in the transaction.
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
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		if err := beginDistinct(ctx, tx, u.Distinct); err != nil {
			return err
		}
		if retryAfterAmbiguous {
			// Only the last attempt that inserted can have been committed: it found the
			// username free, so no earlier one was.
			there, err := s.wasWritten(ctx, tx, row)
			if there || err != nil {
				return err
			}
		}
		if err := s.distinct(ctx, tx, u.Distinct, row.ID, u.Username, u.Email); err != nil {
			return err
		}
		id, err := s.addUser(ctx, tx, row, retryAfterAmbiguous)
		if err != nil {
			return err
		}
		row.ID = id
		if audit != nil {
			audit.UserID = id
		}
		if u.KeepAddress && u.Email != "" {
			if err := s.addresses().Add(ctx, tx.Tx, id, u.Email, u.AddressVerified); err != nil {
				return err
			}
		}
		if added, err = row.Core(); err != nil || mint == nil {
			return err
		}
		token, err := mint(added.User)
		if err != nil {
			return err
		}
		return s.addToken(ctx, tx, token, false)
	})
	if errors.Is(err, pgconn.ErrEncoding) {
		err = fmt.Errorf("%w: %w", core.ErrInvalidUser, err)
	}
	if err != nil {
		return core.User{}, err
	}
	return added.User, nil
}

// addUser inserts the row and returns its id, or fails with core.ErrUsernameTaken.
func (s *Store) addUser(ctx context.Context, tx *sqlx.Tx, row record.Account, retryAfterAmbiguous bool) (id int64, err error) {
	err = tx.QueryRowxContext(ctx, s.qualify(insertUser),
		row.Username, row.Email, row.PasswordHash, row.Active, row.Attributes, row.CreatedAt).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, wrap("insert user", err)
	}
	if retryAfterAmbiguous {
		// The ambiguous commit may have completed just now.
		there, err := s.wasWritten(ctx, tx, row)
		if err != nil {
			return 0, err
		}
		if there {
			return 0, pgconn.ErrConflict
		}
	}
	return 0, core.ErrUsernameTaken
}

// wasWritten reports whether users has exactly this row of an earlier attempt. The
// password hash has a random salt.
func (s *Store) wasWritten(ctx context.Context, tx *sqlx.Tx, row record.Account) (there bool, err error) {
	err = tx.GetContext(ctx, &there, s.qualify(`
		SELECT EXISTS (SELECT 1 FROM @users WHERE id = $1 AND username = $2 AND password_hash = $3 AND created_at = $4)`),
		row.ID, row.Username, row.PasswordHash, row.CreatedAt)
	return there, wrap("look for user", err)
}

// Account implements [core.Store].
func (s *Store) Account(ctx context.Context, username string) (account core.Account, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var row record.Account
		err := s.db.GetContext(ctx, &row, s.qualify(selectAccount), username)
		if errors.Is(err, sql.ErrNoRows) {
			return core.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("select user: %w", err)
		}
		account, err = row.Core()
		return err
	})
	return account, absent(err)
}

// absent returns core.ErrNotFound where the text that was looked for can't be in the
// database.
func absent(err error) error {
	if errors.Is(err, pgconn.ErrEncoding) {
		return core.ErrNotFound
	}
	return err
}

// UpdatePassword implements [core.Store].
func (s *Store) UpdatePassword(ctx context.Context, userID int64, old, encoded string, rehash bool, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		n, err := record.Affected(tx.ExecContext(ctx,
			s.qualify(`UPDATE @users SET password_hash = $1 WHERE id = $2 AND password_hash = $3`), encoded, userID, old))
		if err != nil {
			return fmt.Errorf("update password: %w", err)
		}
		if n > 0 && rehash {
			_, err = tx.ExecContext(ctx, s.qualify(`
				UPDATE @imported_users SET rehashed = $1 WHERE user_id = $2 AND (substr(mark, 1, 16) = $3 OR rehashed = $3)`),
				transfer.PasswordFingerprint(encoded), userID, transfer.PasswordFingerprint(old))
		}
		if n > 0 {
			return wrap("mark password", err)
		}
		var written bool // by an attempt whose commit was ambiguous
		if retryAfterAmbiguous {
			err = tx.GetContext(ctx, &written, s.qualify(
				`SELECT EXISTS (SELECT 1 FROM @users WHERE id = $1 AND password_hash = $2)`), userID, encoded)
		}
		if err == nil && !written {
			err = core.ErrNotFound
		}
		return wrap("look for password", err)
	})
}

// wrap adds what failed to err, unless it is nil.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
