package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

// databaseKey is the name of the database's key.
const databaseKey = "database"

// DatabaseKey implements [core.PrivacyStore].
func (s *Store) DatabaseKey(ctx context.Context, fresh func() ([]byte, error)) (key []byte, err error) {
	const query = `SELECT value FROM secrets WHERE name = ?`
	err = s.read(ctx, func(ctx context.Context) error { return s.reader.GetContext(ctx, &key, query, databaseKey) })
	if !errors.Is(err, sql.ErrNoRows) {
		return key, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		drawn, err := fresh()
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, databaseKey, drawn); err != nil {
			return fmt.Errorf("keep key: %w", err)
		}
		return tx.GetContext(ctx, &key, query, databaseKey)
	})
	return key, err
}

// selectMix groups passwords by their parameters: those up to the second dollar, or the
// fourth in bcrypt and argon2; in scrypt's format they are on both sides of the salt.
const selectMix = `
	WITH hashes AS (
		SELECT password_hash AS h, instr(password_hash, '$') AS d1 FROM users
		WHERE password_hash NOT LIKE '!%'
	), parts AS (
		SELECT h, d1, d1 + instr(substr(h, d1 + 1), '$') AS d2 FROM hashes
	), groups AS (
		SELECT h, CASE
			WHEN h LIKE 'pbkdf2\_%' ESCAPE '\' THEN substr(h, 1, d2)
			WHEN h LIKE 'argon2$%' THEN substr(h, 1, instr(h, ',p=') + 4)
			WHEN h LIKE 'bcrypt$%' THEN substr(h, 1, 14)
			WHEN h LIKE 'bcrypt\_sha256$%' ESCAPE '\' THEN substr(h, 1, 21)
			WHEN h LIKE 'scrypt$%' THEN substr(h, 1, d2) ||
				substr(substr(h, d2 + 1), instr(substr(h, d2 + 1), '$') + 1, 4)
			WHEN d1 = 0 THEN length(h)
			ELSE substr(h, 1, d1) || (d2 = d1 + 1)
		END AS kind FROM parts
	)
	SELECT max(h) AS example, count(*) AS accounts FROM groups GROUP BY kind`

// PasswordFormatCounts implements [core.PrivacyStore]. It reads all users.
func (s *Store) PasswordFormatCounts(ctx context.Context) ([]core.PasswordFormatCount, error) {
	var rows []struct {
		Example  string `db:"example"`
		Accounts int    `db:"accounts"`
	}
	err := s.read(ctx, func(ctx context.Context) error {
		if err := s.reader.SelectContext(ctx, &rows, selectMix); err != nil {
			return fmt.Errorf("count passwords: %w", err)
		}
		return nil
	})
	var mix []core.PasswordFormatCount
	for _, r := range rows {
		mix = append(mix, core.PasswordFormatCount{Example: r.Example, Accounts: r.Accounts})
	}
	return mix, err
}
