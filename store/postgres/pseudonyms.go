package postgres

import (
	"context"
	"database/sql"
	"errors"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

// databaseKey is the name of the database's key.
const databaseKey = "database"

// DatabaseKey implements [core.PrivacyStore].
func (s *Store) DatabaseKey(ctx context.Context, fresh func() ([]byte, error)) (key []byte, err error) {
	const query = `SELECT value FROM @secrets WHERE name = $1`
	err = s.read(ctx, func(ctx context.Context) error {
		return s.db.GetContext(ctx, &key, s.qualify(query), databaseKey)
	})
	if !errors.Is(err, sql.ErrNoRows) {
		return key, err
	}
	drawn, err := fresh()
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		_, err := tx.ExecContext(ctx, s.qualify(`INSERT INTO @secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`), databaseKey, drawn)
		return wrap("keep key", err)
	})
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, func(ctx context.Context) error {
		return wrap("read key", s.db.GetContext(ctx, &key, s.qualify(query), databaseKey))
	})
	return key, err
}

// selectMix groups passwords by their parameters, which in scrypt's format are on both
// sides of the salt.
const selectMix = `
	SELECT max(h) AS example, count(*) AS accounts FROM (
		SELECT password_hash AS h, CASE
			WHEN password_hash LIKE 'pbkdf2\_%' THEN split_part(password_hash, '$', 1) || '$' || split_part(password_hash, '$', 2)
			WHEN password_hash LIKE 'argon2$%' THEN split_part(password_hash, '$', 2) || '$' ||
				split_part(password_hash, '$', 3) || '$' || split_part(password_hash, '$', 4)
			WHEN password_hash LIKE 'bcrypt%' THEN split_part(password_hash, '$', 1) || '$' || split_part(password_hash, '$', 4)
			WHEN password_hash LIKE 'scrypt$%' THEN 'scrypt$' || split_part(password_hash, '$', 2) || '$' ||
				split_part(password_hash, '$', 4) || '$' || split_part(password_hash, '$', 5)
			WHEN position('$' in password_hash) = 0 THEN length(password_hash)::text
			ELSE split_part(password_hash, '$', 1) || '$' || (split_part(password_hash, '$', 2) = '')::text
		END AS kind
		FROM @users WHERE password_hash NOT LIKE '!%'
	) AS groups GROUP BY kind`

// PasswordFormatCounts implements [core.PrivacyStore]. It reads all users.
func (s *Store) PasswordFormatCounts(ctx context.Context) (mix []core.PasswordFormatCount, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		var rows []struct {
			Example  string `db:"example"`
			Accounts int    `db:"accounts"`
		}
		if err := s.db.SelectContext(ctx, &rows, s.qualify(selectMix)); err != nil {
			return wrap("count passwords", err)
		}
		mix = nil
		for _, r := range rows {
			mix = append(mix, core.PasswordFormatCount{Example: r.Example, Accounts: r.Accounts})
		}
		return nil
	})
	return mix, err
}
