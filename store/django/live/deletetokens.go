package live

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/record"
)

// DeleteToken implements [core.Store].
func (s *Store) DeleteToken(ctx context.Context, d core.Digest, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		key, err := l.keyOfDigest(ctx, tx, d)
		if err != nil {
			return err
		}
		return l.deleteRow(ctx, tx, key)
	})
}

// deleteRow deletes Django's row and that of the auxiliary table, or fails with
// core.ErrNotFound.
func (l *layout) deleteRow(ctx context.Context, tx *sql.Tx, key string) error {
	result, err := tx.ExecContext(ctx, l.sql(`DELETE FROM `+l.django.TableName(l.tokens.Table)+` WHERE `+l.django.Quote(l.tokens.IDColumn())+` = ?`), key)
	if err := changed("delete token", result, err); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, l.sql(`DELETE FROM authcompat_tokens WHERE token = ?`), key); err != nil {
		return fmt.Errorf("delete auxiliary row of token: %w", err)
	}
	return nil
}

// DeleteUserTokens implements [core.Store]. Tokens that Django issued belong to
// core.DefaultRealm.
func (s *Store) DeleteUserTokens(ctx context.Context, userID int64, realm string, audit *core.AuditEntry) (n int, err error) {
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) (err error) {
		// Also those that others of them are being issued by: such a login holds the user's row.
		if err := l.readCommitted(ctx, tx); err != nil {
			return err
		}
		if _, err := l.find(ctx, tx, `"users".`+l.django.Quote(l.decoder.Mapping.ID)+` = ?`, l.django.LockUsers(), userID); err != nil {
			return fmt.Errorf("lock user: %w", err)
		}
		n, err = l.deleteTokens(ctx, tx, userID, realm, "")
		return err
	})
	return n, err
}

// deleteTokens deletes the user's tokens in the realm, or with an empty one in all, but Django's row with the primary key
// keep, and returns their number.
func (l *layout) deleteTokens(ctx context.Context, tx *sql.Tx, userID int64, realm, keep string) (int, error) {
	id := l.django.Quote(l.tokens.IDColumn())
	result, err := tx.ExecContext(ctx, l.sql(`DELETE FROM `+l.django.TableName(l.tokens.Table)+` AS t WHERE user_id = ? AND t.`+id+` <> ? AND (CAST(? AS text) = '' OR coalesce(
		(SELECT realm FROM authcompat_tokens o WHERE o.token = t.`+id+`), ?) = ?)`), userID, keep, realm, core.DefaultRealm, realm)
	if err != nil {
		return 0, fmt.Errorf("delete tokens: %w", err)
	}
	deleted, err := result.RowsAffected()
	return int(deleted), err
}

// TrimTokens implements [core.Store].
func (s *Store) TrimTokens(ctx context.Context, userID int64, realm string, most int) (n int, err error) {
	more := false
	err = s.read(ctx, func(ctx context.Context, l *layout) error {
		return l.db.QueryRowContext(ctx, l.sql(`SELECT EXISTS (SELECT 1 FROM (`+l.tokensOf()+` LIMIT 1 OFFSET ?) t)`), tokensOfArgs(userID, realm, most)...).Scan(&more)
	})
	if err == nil && more {
		err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, l *layout) error {
			if _, err := l.find(ctx, tx, l.id()+` = ?`, l.django.LockUsers(), userID); err != nil {
				return fmt.Errorf("lock user: %w", err)
			}
			gone, err := record.Affected(tx.ExecContext(ctx, l.sql(`DELETE FROM `+l.django.TableName(l.tokens.Table)+` WHERE `+l.django.Quote(l.tokens.IDColumn())+` IN (`+l.tokensOf()+` LIMIT ?)`),
				tokensOfArgs(userID, realm, most)...))
			n = int(gone)
			return err
		})
	}
	if err != nil {
		return 0, fmt.Errorf("delete tokens: %w", err)
	}
	return n, nil
}

// tokensOf returns the query of the primary keys of a user's tokens in a realm, or in all. They come in the order of Django's
// index by user: where a user has many, PostgreSQL would look for the first of them in all tokens.
func (l *layout) tokensOf() string {
	id := l.django.Quote(l.tokens.IDColumn())
	return `SELECT t.` + id + ` FROM ` + l.django.TableName(l.tokens.Table) + ` t WHERE t.user_id >= ? AND t.user_id <= ? AND
		(CAST(? AS text) = '' OR coalesce((SELECT realm FROM authcompat_tokens o WHERE o.token = t.` + id + `), ?) = ?) ORDER BY t.user_id`
}

// tokensOfArgs returns the parameters of tokensOf, and its limit.
func tokensOfArgs(userID int64, realm string, limit int) []any {
	return []any{userID, userID, realm, core.DefaultRealm, realm, limit}
}
