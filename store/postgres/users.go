package postgres

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

// insertUser gives no row where the name is taken.
const insertUser = `
	INSERT INTO @users (username, email, password_hash, active, attributes, created_at)
	VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (username) DO NOTHING RETURNING id`

const selectAccount = `
	SELECT id, username, email, password_hash, active, attributes, created_at
	FROM @users WHERE username = $1`

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

// CreateUser implements [core.Store]. mint runs in the transaction.
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
	entry := core.AuditOf(ctx)
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, doubt bool) error {
		if doubt {
			// Only the last attempt that inserted can be the one that was
			// committed: while it was, the name was free.
			there, err := s.wasWritten(ctx, tx, row)
			if there || err != nil {
				return err
			}
		}
		id, err := s.addUser(ctx, tx, row, doubt)
		if err != nil {
			return err
		}
		row.ID = id
		if entry != nil {
			entry.UserID = id
		}
		if added, err = row.account(); err != nil || mint == nil {
			return err
		}
		token, err := mint(added.User)
		if err != nil {
			return err
		}
		return s.addToken(ctx, tx, token, false)
	})
	if err != nil {
		return core.User{}, err
	}
	return added.User, nil
}

// addUser inserts the row and gives its id, or fails with core.ErrUsernameTaken.
func (s *Store) addUser(ctx context.Context, tx *sqlx.Tx, row accountRow, doubt bool) (id int64, err error) {
	err = tx.QueryRowxContext(ctx, s.in(insertUser),
		row.Username, row.Email, row.PasswordHash, row.Active, row.Attributes, row.CreatedAt).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, wrap("insert user", err)
	}
	if doubt {
		// The attempt that is in doubt may have been committed just now.
		there, err := s.wasWritten(ctx, tx, row)
		if err != nil {
			return 0, err
		}
		if there {
			return 0, errConflict
		}
	}
	return 0, core.ErrUsernameTaken
}

// wasWritten tells whether users has exactly this row of an earlier attempt. The
// password hash has a random salt.
func (s *Store) wasWritten(ctx context.Context, tx *sqlx.Tx, row accountRow) (there bool, err error) {
	err = tx.GetContext(ctx, &there, s.in(`
		SELECT EXISTS (SELECT 1 FROM @users WHERE id = $1 AND username = $2 AND password_hash = $3 AND created_at = $4)`),
		row.ID, row.Username, row.PasswordHash, row.CreatedAt)
	return there, wrap("look for user", err)
}

// Account implements [core.Store].
func (s *Store) Account(ctx context.Context, username string) (account core.Account, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var row accountRow
		err := s.db.GetContext(ctx, &row, s.in(selectAccount), username)
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
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, doubt bool) error {
		n, err := affected(tx.ExecContext(ctx,
			s.in(`UPDATE @users SET password_hash = $1 WHERE id = $2 AND password_hash = $3`), encoded, userID, old))
		if err != nil {
			return fmt.Errorf("update password: %w", err)
		}
		if n > 0 && rehash {
			_, err = tx.ExecContext(ctx, s.in(`
				UPDATE @imported_users SET rehashed = $1 WHERE user_id = $2 AND (substr(mark, 1, 16) = $3 OR rehashed = $3)`),
				core.PasswordMark(encoded), userID, core.PasswordMark(old))
		}
		if n > 0 {
			return wrap("mark password", err)
		}
		var written bool // by the attempt that is in doubt
		if doubt {
			err = tx.GetContext(ctx, &written, s.in(
				`SELECT EXISTS (SELECT 1 FROM @users WHERE id = $1 AND password_hash = $2)`), userID, encoded)
		}
		if err == nil && !written {
			err = core.ErrNotFound
		}
		return wrap("look for password", err)
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

// wrap tells what was being done when err came, if there is one.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
