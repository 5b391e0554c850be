package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Users implements [core.Admin].
func (s *Store) Users(ctx context.Context, f core.UserFilter, limit int) (users []core.User, err error) {
	condition, args := "", []any{f.After, f.Inactive, limit}
	if f.IDs != nil {
		condition, args = ` AND id = ANY($4)`, append(args, pq.Array(f.IDs))
	}
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		var rows []record.Account
		if err := s.db.SelectContext(ctx, &rows, s.qualify(`
			SELECT id, username, email, '' AS password_hash, active, attributes, created_at
			FROM @users WHERE id > $1 AND (NOT active OR NOT $2::boolean)`+condition+` ORDER BY id LIMIT $3`), args...); err != nil {
			return fmt.Errorf("select users: %w", err)
		}
		users = nil
		for _, r := range rows {
			account, err := r.Core()
			if err != nil {
				return err
			}
			users = append(users, account.User)
		}
		return nil
	})
	return users, err
}

// SetActive implements [core.Admin].
func (s *Store) SetActive(ctx context.Context, userID int64, active bool, audit *core.AuditEntry) error {
	return s.change(ctx, audit, "set active", `UPDATE @users SET active = $1 WHERE id = $2`, active, userID)
}

// DeleteUser implements [core.Admin].
func (s *Store) DeleteUser(ctx context.Context, userID int64, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		// The row is locked, so that no import inserts further tokens.
		if _, err := tx.ExecContext(ctx, s.qualify(lockUser), userID); err != nil {
			return fmt.Errorf("lock user: %w", err)
		}
		if _, err := tx.ExecContext(ctx, s.qualify(removeTokens(`user_id = $1`)), userID); err != nil {
			return fmt.Errorf("delete tokens: %w", err)
		}
		if err := s.changed(ctx, tx, retryAfterAmbiguous, "delete user", `DELETE FROM @users WHERE id = $1`, userID); err != nil {
			return err
		}
		return s.keepID(ctx, tx, userID)
	})
}

// deleteRow deletes the row of a user, who has no tokens.
func (s *Store) deleteRow(ctx context.Context, tx *sqlx.Tx, userID int64) error {
	if _, err := tx.ExecContext(ctx, s.qualify(`DELETE FROM @users WHERE id = $1`), userID); err != nil {
		return wrap("delete user", err)
	}
	return s.keepID(ctx, tx, userID)
}

// keepID keeps the id of a user who is deleted from everybody else.
func (s *Store) keepID(ctx context.Context, tx *sqlx.Tx, userID int64) error {
	_, err := tx.ExecContext(ctx, s.qualify(`INSERT INTO @deleted_users (user_id) VALUES ($1) ON CONFLICT DO NOTHING`), userID)
	return wrap("keep the id of a deleted user", err)
}

// change runs a statement that has to affect a row, at least in an earlier attempt
// whose commit was ambiguous.
func (s *Store) change(ctx context.Context, audit *core.AuditEntry, doing, statement string, args ...any) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		return s.changed(ctx, tx, retryAfterAmbiguous, doing, statement, args...)
	})
}

func (s *Store) changed(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool, doing, statement string, args ...any) error {
	n, err := record.Affected(tx.ExecContext(ctx, s.qualify(statement), args...))
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if n == 0 && !retryAfterAmbiguous {
		return core.ErrNotFound
	}
	return nil
}

const selectTokens = `
	SELECT digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key FROM @tokens`

// Tokens implements [core.Admin].
func (s *Store) Tokens(ctx context.Context, f core.TokenFilter, limit int) ([]core.Token, error) {
	const byUser = ` WHERE user_id = $1 AND digest > $2 AND substr(digest, 1, length($3::bytea)) = $3 ORDER BY digest LIMIT $4`
	const byDigest = ` WHERE digest > $1 AND digest >= $2::bytea AND substr(digest, 1, length($2)) = $2 ORDER BY digest LIMIT $3`
	after, prefix := bytea(f.After), bytea(f.Prefix)
	if f.UserID != 0 {
		return s.selectTokens(ctx, selectTokens+byUser, f.UserID, after, prefix, limit)
	}
	return s.selectTokens(ctx, selectTokens+byDigest, after, prefix, limit)
}

// SealedTokens implements [core.Admin].
func (s *Store) SealedTokens(ctx context.Context, key string, after core.Digest, limit int) ([]core.Token, error) {
	const sealed = ` WHERE seal_key = $1 AND seal_key <> '' AND digest > $2 ORDER BY digest LIMIT $3`
	return s.selectTokens(ctx, selectTokens+sealed, key, bytea(after), limit)
}

func (s *Store) selectTokens(ctx context.Context, query string, args ...any) (tokens []core.Token, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		var rows []record.Token
		if err := s.db.SelectContext(ctx, &rows, s.qualify(query), args...); err != nil {
			return fmt.Errorf("select tokens: %w", err)
		}
		tokens = nil
		for _, r := range rows {
			tokens = append(tokens, r.Core())
		}
		return nil
	})
	return tokens, err
}

// bytea returns a digest as an argument: an empty one is not NULL.
func bytea(d core.Digest) []byte { return append([]byte{}, d...) }

// CountTokens implements [core.Admin].
func (s *Store) CountTokens(ctx context.Context, now time.Time) (live int64, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		return wrap("count tokens", s.db.GetContext(ctx, &live,
			s.qualify(`SELECT count(*) FROM @tokens WHERE expires_at IS NULL OR expires_at > $1`), now.UnixMicro()))
	})
	return live, err
}

// PurgeTokens implements [core.Admin].
func (s *Store) PurgeTokens(ctx context.Context, before time.Time, issuers []string, limit int) (int, error) {
	var gone int
	err := s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		return wrap("purge tokens", tx.GetContext(ctx, &gone, s.qualify(removeTokens(`expires_at < $1 AND digest IN (
			SELECT digest FROM @tokens WHERE expires_at < $1 AND ($2::text[] IS NULL OR issuer = ANY ($2::text[])) LIMIT $3)`)),
			before.UnixMicro(), pq.Array(issuers), limit))
	})
	return gone, err
}

// RevokeTokens implements [core.Admin].
func (s *Store) RevokeTokens(ctx context.Context, before time.Time, after core.Digest, limit int, audit *core.AuditEntry) (n int, last core.Digest, err error) {
	err = s.withBulkTimeout().writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		var digests []core.Digest
		if err := tx.SelectContext(ctx, &digests, s.qualify(`SELECT digest FROM @tokens WHERE digest > $1 ORDER BY digest LIMIT $2`), bytea(after), limit); err != nil {
			return wrap("revoke tokens", err)
		}
		if n, last = 0, nil; len(digests) == 0 {
			return nil
		}
		last = digests[len(digests)-1]
		return wrap("revoke tokens", tx.GetContext(ctx, &n, s.qualify(removeTokens(`digest > $1 AND digest <= $2 AND (created_at < $3 OR $4)`)),
			bytea(after), bytea(last), before.UnixMicro(), before.IsZero()))
	})
	if err != nil {
		return 0, nil, err
	}
	return n, last, nil
}

// TokenOwners implements [core.Admin].
func (s *Store) TokenOwners(ctx context.Context) (owners []core.TokenOwner, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		owners = nil
		return wrap("select owners of tokens", s.db.SelectContext(ctx, &owners, s.qualify(`SELECT DISTINCT user_id AS userid, realm FROM @tokens`)))
	})
	return owners, err
}

// SealKeys implements [core.Admin].
func (s *Store) SealKeys(ctx context.Context) (keys map[string]int64, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		var rows []struct {
			Key    string `db:"seal_key"`
			Tokens int64  `db:"tokens"`
		}
		if err := s.db.SelectContext(ctx, &rows,
			s.qualify(`SELECT seal_key, count(*) AS tokens FROM @tokens WHERE seal_key <> '' GROUP BY seal_key`)); err != nil {
			return fmt.Errorf("count sealed tokens: %w", err)
		}
		keys = make(map[string]int64, len(rows))
		for _, r := range rows {
			keys[r.Key] = r.Tokens
		}
		return nil
	})
	return keys, err
}

// Reseal implements [core.Admin].
func (s *Store) Reseal(ctx context.Context, was string, tokens []core.Token) error {
	return s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		for _, t := range tokens {
			if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @tokens SET sealed = $1, seal_key = $2 WHERE digest = $3 AND seal_key = $4`),
				t.Sealed, t.SealKey, []byte(t.Digest), was); err != nil {
				return fmt.Errorf("reseal token: %w", err)
			}
		}
		return nil
	})
}
