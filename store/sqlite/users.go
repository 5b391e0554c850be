package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

const insertUser = `
	INSERT INTO users (username, email, password_hash, active, attributes, created_at)
	VALUES (:username, :email, :password_hash, :active, :attributes, :created_at)`

const selectAccount = `
	SELECT id, username, email, password_hash, active, attributes, created_at
	FROM users WHERE username = ?`

// accountRow is a row of users.
type accountRow struct {
	ID           int64          `db:"id"`
	Username     string         `db:"username"`
	Email        string         `db:"email"`
	PasswordHash string         `db:"password_hash"`
	Active       bool           `db:"active"`
	Attributes   sql.NullString `db:"attributes"`
	CreatedAt    int64          `db:"created_at"`
}

// account gives the row as the engine knows it.
func (r accountRow) account() (core.Account, error) {
	attributes, err := decodeAttributes(r.ID, r.Attributes)
	return core.Account{
		User: core.User{
			ID: r.ID, Username: r.Username, Email: r.Email, Active: r.Active,
			Attributes: attributes, CreatedAt: instant(r.CreatedAt),
		},
		PasswordHash: r.PasswordHash,
	}, err
}

// CreateUser implements [core.Store]. mint runs while all other writers wait.
func (s *Store) CreateUser(ctx context.Context, u core.NewUser, mint func(core.User) (core.Token, error)) (core.User, error) {
	row := accountRow{
		Username: u.Username, Email: u.Email, PasswordHash: u.PasswordHash,
		Active: !u.Inactive, CreatedAt: u.CreatedAt.UnixMicro(),
	}
	var err error
	if row.Attributes, err = encodeAttributes(u.Attributes); err != nil {
		return core.User{}, err
	}
	var added core.Account
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		result, err := tx.NamedExecContext(ctx, insertUser, row)
		if duplicate(err) {
			return core.ErrUsernameTaken
		}
		if err != nil {
			return fmt.Errorf("insert user: %w", err)
		}
		if row.ID, err = result.LastInsertId(); err != nil {
			return fmt.Errorf("insert user: %w", err)
		}
		if added, err = row.account(); err != nil {
			return err
		}
		if e := core.AuditOf(ctx); e != nil {
			e.UserID = row.ID
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
		var row accountRow
		err := s.account.GetContext(ctx, &row, username)
		if errors.Is(err, sql.ErrNoRows) {
			return core.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("select user: %w", err)
		}
		account, err = row.account()
		return err
	})
	return account, err
}

// UpdatePassword implements [core.Store].
func (s *Store) UpdatePassword(ctx context.Context, userID int64, old, encoded string, rehash bool) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		n, err := affected(tx.ExecContext(ctx,
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
		was := core.PasswordMark(old)
		_, err = tx.ExecContext(ctx, `UPDATE imported_users SET rehashed = ? WHERE user_id = ? AND (substr(mark, 1, 16) = ? OR rehashed = ?)`,
			core.PasswordMark(encoded), userID, was, was)
		if err != nil {
			return fmt.Errorf("mark password: %w", err)
		}
		return nil
	})
}

// encodeAttributes gives the column's JSON; none for no attributes.
func encodeAttributes(a map[string]string) (sql.NullString, error) {
	if len(a) == 0 {
		return sql.NullString{}, nil
	}
	text, err := json.Marshal(a)
	if err != nil {
		return sql.NullString{}, fmt.Errorf("encode attributes: %w", err)
	}
	return sql.NullString{String: string(text), Valid: true}, nil
}

// decodeAttributes reads the column of the user; nil where there is none.
func decodeAttributes(userID int64, text sql.NullString) (a map[string]string, err error) {
	if !text.Valid {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text.String), &a); err != nil {
		return nil, fmt.Errorf("attributes of user %d are not an object of texts: %w", userID, err)
	}
	return a, nil
}

// instant gives the time that a column holds.
func instant(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// affected gives the number of rows that a statement changed.
func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
