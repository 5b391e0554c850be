package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// Users implements [core.Admin].
func (s *Store) Users(ctx context.Context, f core.UserFilter, limit int) (users []core.User, err error) {
	condition, args := "", []any{f.After, f.Inactive}
	if f.IDs != nil {
		ids, err := json.Marshal(f.IDs)
		if err != nil {
			return nil, fmt.Errorf("select users: %w", err)
		}
		condition, args = ` AND id IN (SELECT value FROM json_each(?))`, append(args, string(ids))
	}
	query := `
		SELECT id, username, email, '' AS password_hash, active, attributes, created_at
		FROM users WHERE id > ? AND (active = 0 OR NOT ?)` + condition + ` ORDER BY id LIMIT ?`
	var rows []record.Account
	err = s.read(ctx, func(ctx context.Context) error {
		if err := s.reader.SelectContext(ctx, &rows, query, append(args, limit)...); err != nil {
			return fmt.Errorf("select users: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		account, err := r.Core()
		if err != nil {
			return nil, err
		}
		users = append(users, account.User)
	}
	return users, nil
}

// SetActive implements [core.Admin].
func (s *Store) SetActive(ctx context.Context, userID int64, active bool, audit *core.AuditEntry) error {
	return s.change(ctx, audit, "set active", `UPDATE users SET active = ? WHERE id = ?`, active, userID)
}

// DeleteUser implements [core.Admin].
func (s *Store) DeleteUser(ctx context.Context, userID int64, audit *core.AuditEntry) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		n, err := deleteUser(ctx, tx, userID)
		if err == nil && n == 0 {
			err = core.ErrNotFound
		}
		return err
	})
}

// deleteUser deletes a user, whose id nobody else gets.
func deleteUser(ctx context.Context, tx *sqlx.Tx, userID int64) (n int64, err error) {
	if n, err = record.Affected(tx.ExecContext(ctx, `DELETE FROM users WHERE id = ?`, userID)); err == nil && n > 0 {
		_, err = tx.ExecContext(ctx, `INSERT OR IGNORE INTO deleted_users (user_id) VALUES (?)`, userID)
	}
	if err != nil {
		return 0, fmt.Errorf("delete user: %w", err)
	}
	return n, nil
}

// change runs a statement that has to affect a row.
func (s *Store) change(ctx context.Context, audit *core.AuditEntry, doing, statement string, args ...any) error {
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		n, err := record.Affected(tx.ExecContext(ctx, statement, args...))
		if err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		if n == 0 {
			return core.ErrNotFound
		}
		return nil
	})
}

const selectTokens = `
	SELECT digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key FROM tokens`

// Tokens implements [core.Admin].
func (s *Store) Tokens(ctx context.Context, f core.TokenFilter, limit int) ([]core.Token, error) {
	const byUser = ` WHERE user_id = ? AND digest > ? AND substr(digest, 1, length(?)) = ? ORDER BY digest LIMIT ?`
	const byDigest = ` WHERE digest > ? AND digest >= ? AND substr(digest, 1, length(?)) = ? ORDER BY digest LIMIT ?`
	after, prefix := blob(f.After), blob(f.Prefix)
	if f.UserID != 0 {
		return s.tokens(ctx, selectTokens+byUser, f.UserID, after, prefix, prefix, limit)
	}
	return s.tokens(ctx, selectTokens+byDigest, after, prefix, prefix, prefix, limit)
}

// SealedTokens implements [core.Admin].
func (s *Store) SealedTokens(ctx context.Context, key string, after core.Digest, limit int) ([]core.Token, error) {
	const sealed = ` WHERE seal_key = ? AND digest > ? ORDER BY digest LIMIT ?`
	return s.tokens(ctx, selectTokens+sealed, key, blob(after), limit)
}

func (s *Store) tokens(ctx context.Context, query string, args ...any) (tokens []core.Token, err error) {
	var rows []record.Token
	err = s.read(ctx, func(ctx context.Context) error {
		if err := s.reader.SelectContext(ctx, &rows, query, args...); err != nil {
			return fmt.Errorf("select tokens: %w", err)
		}
		return nil
	})
	for _, r := range rows {
		tokens = append(tokens, r.Core())
	}
	return tokens, err
}

// blob returns a digest as an argument: an empty one is not NULL.
func blob(d core.Digest) []byte { return append([]byte{}, d...) }

// CountTokens implements [core.Admin].
func (s *Store) CountTokens(ctx context.Context, now time.Time) (live int64, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		const query = `SELECT (SELECT count(*) FROM tokens) - (SELECT count(*) FROM tokens WHERE expires_at <= ?)`
		if err := s.reader.GetContext(ctx, &live, query, now.UnixMicro()); err != nil {
			return fmt.Errorf("count tokens: %w", err)
		}
		return nil
	})
	return live, err
}

// PurgeTokens implements [core.Admin].
func (s *Store) PurgeTokens(ctx context.Context, before time.Time, issuers []string, limit int) (n int, err error) {
	query, args := `DELETE FROM tokens WHERE digest IN (SELECT digest FROM tokens WHERE expires_at < ? LIMIT ?)`, []any{before.UnixMicro(), limit}
	if len(issuers) > 0 {
		found, err := s.expiredTokens(ctx, before, issuers, limit)
		if err != nil || len(found) == 0 {
			return 0, err
		}
		if query, args, err = sqlx.In(`DELETE FROM tokens WHERE expires_at < ? AND digest IN (?)`, before.UnixMicro(), found); err != nil {
			return 0, fmt.Errorf("purge tokens: %w", err)
		}
	}
	err = s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		gone, err := record.Affected(tx.ExecContext(ctx, query, args...))
		if err != nil {
			return fmt.Errorf("purge tokens: %w", err)
		}
		n = int(gone)
		return nil
	})
	return n, err
}

// expiredTokens returns at most limit tokens of the issuers that expired before a time. No index has the issuers, and
// millions of others may have to be passed over: that is done in short reads, and not under the write lock, which would keep
// everybody from logging in.
func (s *Store) expiredTokens(ctx context.Context, before time.Time, issuers []string, limit int) (found [][]byte, err error) {
	const page = 1000
	const query = `SELECT digest, issuer, expires_at AS at FROM tokens WHERE expires_at < ? AND (expires_at, digest) > (?, ?) ORDER BY expires_at, digest LIMIT ?`
	type token struct {
		Digest []byte
		Issuer string
		At     int64
	}
	for last := (token{Digest: []byte{}, At: math.MinInt64}); ; {
		var tokens []token
		if err := s.read(ctx, func(ctx context.Context) error {
			return s.reader.SelectContext(ctx, &tokens, query, before.UnixMicro(), last.At, last.Digest, page)
		}); err != nil {
			return nil, fmt.Errorf("select expired tokens: %w", err)
		}
		for _, t := range tokens {
			if slices.Contains(issuers, t.Issuer) && len(found) < limit {
				found = append(found, t.Digest)
			}
		}
		if len(tokens) < page || len(found) == limit {
			return found, nil
		}
		last = tokens[page-1]
	}
}

// RevokeTokens implements [core.Admin].
func (s *Store) RevokeTokens(ctx context.Context, before time.Time, after core.Digest, limit int, audit *core.AuditEntry) (n int, last core.Digest, err error) {
	err = s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		const next = `SELECT ifnull(max(digest), x'') FROM (SELECT digest FROM tokens WHERE digest > ? ORDER BY digest LIMIT ?)`
		if err := tx.GetContext(ctx, (*[]byte)(&last), next, blob(after), limit); err != nil {
			return fmt.Errorf("revoke tokens: %w", err)
		}
		const remove = `DELETE FROM tokens WHERE digest > ? AND digest <= ? AND (created_at < ? OR ?)`
		gone, err := record.Affected(tx.ExecContext(ctx, remove, blob(after), blob(last), before.UnixMicro(), before.IsZero()))
		if err != nil {
			return fmt.Errorf("revoke tokens: %w", err)
		}
		n = int(gone)
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	return n, last, nil
}

// TokenOwners implements [core.Admin].
func (s *Store) TokenOwners(ctx context.Context) (owners []core.TokenOwner, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		const query = `SELECT DISTINCT user_id AS userid, realm FROM tokens`
		if err := s.reader.SelectContext(ctx, &owners, query); err != nil {
			return fmt.Errorf("select owners of tokens: %w", err)
		}
		return nil
	})
	return owners, err
}

// SealKeys implements [core.Admin].
func (s *Store) SealKeys(ctx context.Context) (map[string]int64, error) {
	var rows []struct {
		Key    string `db:"seal_key"`
		Tokens int64  `db:"tokens"`
	}
	err := s.read(ctx, func(ctx context.Context) error {
		const query = `SELECT seal_key, count(*) AS tokens FROM tokens WHERE seal_key <> '' GROUP BY seal_key`
		if err := s.reader.SelectContext(ctx, &rows, query); err != nil {
			return fmt.Errorf("count sealed tokens: %w", err)
		}
		return nil
	})
	keys := make(map[string]int64, len(rows))
	for _, r := range rows {
		keys[r.Key] = r.Tokens
	}
	return keys, err
}

// Reseal implements [core.Admin].
func (s *Store) Reseal(ctx context.Context, was string, tokens []core.Token) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		for _, t := range tokens {
			_, err := tx.ExecContext(ctx, `UPDATE tokens SET sealed = ?, seal_key = ? WHERE digest = ? AND seal_key = ?`,
				t.Sealed, t.SealKey, []byte(t.Digest), was)
			if err != nil {
				return fmt.Errorf("reseal token: %w", err)
			}
		}
		return nil
	})
}
