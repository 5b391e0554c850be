package live

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/store/django/tables"
)

// DatabaseKey implements [core.PrivacyStore].
func (s *Store) DatabaseKey(ctx context.Context, fresh func() ([]byte, error)) (key []byte, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		drawn, err := fresh()
		if err != nil {
			return err
		}
		// With this key, digests were once made of names that nobody has.
		if _, err := tx.ExecContext(ctx, `DELETE FROM authcompat_secrets WHERE name = 'disguise'`); err != nil {
			return fmt.Errorf("remove old key: %w", err)
		}
		if _, err := tx.ExecContext(ctx, l.sql(`INSERT INTO authcompat_secrets (name, value) VALUES ('database', ?) ON CONFLICT DO NOTHING`), hex.EncodeToString(drawn)); err != nil {
			return fmt.Errorf("keep key: %w", err)
		}
		var text string
		if err := tx.QueryRowContext(ctx, `SELECT value FROM authcompat_secrets WHERE name = 'database'`).Scan(&text); err != nil {
			return fmt.Errorf("read key: %w", err)
		}
		if key, err = hex.DecodeString(text); err != nil {
			return errors.New("the key of the database is damaged")
		}
		return nil
	})
	return key, err
}

// PasswordFormatCounts implements [core.PrivacyStore]. It reads all users.
func (s *Store) PasswordFormatCounts(ctx context.Context) ([]core.PasswordFormatCount, error) {
	var groups map[password.Cost]*core.PasswordFormatCount
	err := s.readAll(ctx, func(reading context.Context, l *layout) error {
		groups = map[password.Cost]*core.PasswordFormatCount{}
		return l.django.Each(reading, l.shape.Users, "", func(row tables.Row) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			encoded := row.Text(l.decoder.Mapping.Password)
			cost, err := password.CostOf(encoded)
			if err != nil {
				return nil // costs what a new one does
			}
			if groups[cost] == nil {
				groups[cost] = &core.PasswordFormatCount{Example: encoded}
			}
			groups[cost].Accounts++
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	var mix []core.PasswordFormatCount
	for _, g := range groups {
		mix = append(mix, *g)
	}
	return mix, nil
}
