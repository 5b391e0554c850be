package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

var _ core.Exporter = (*Store)(nil)

// ExportUsers implements [core.Exporter].
func (s *Store) ExportUsers(ctx context.Context, after int64, limit int) (accounts []core.Account, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var rows []accountRow
		if err := s.reader.SelectContext(ctx, &rows, `
			SELECT id, username, email, password_hash, active, attributes, created_at
			FROM users WHERE id > ? ORDER BY id LIMIT ?`, after, limit); err != nil {
			return fmt.Errorf("select users: %w", err)
		}
		for _, row := range rows {
			account, err := row.account()
			if err != nil {
				return err
			}
			accounts = append(accounts, account)
		}
		return nil
	})
	return accounts, err
}

// ExportTokens implements [core.Exporter].
func (s *Store) ExportTokens(ctx context.Context, realm string, after core.Token, limit int) (tokens []core.Token, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var rows []tokenRow
		digest := []byte(after.Digest)
		if digest == nil {
			digest = []byte{}
		}
		if err := s.reader.SelectContext(ctx, &rows, `
			SELECT digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key, generation, prefix, salt, twin
			FROM tokens WHERE (user_id, digest) > (?, ?) AND realm = ? ORDER BY user_id, digest LIMIT ?`,
			after.UserID, digest, realm, limit); err != nil {
			return fmt.Errorf("select tokens: %w", err)
		}
		for _, row := range rows {
			token := row.token()
			token.Legacy = row.legacy()
			tokens = append(tokens, token)
		}
		return nil
	})
	return tokens, err
}

// Links implements [core.Exporter].
func (s *Store) Links(ctx context.Context, source int64, userIDs []int64) (marks map[int64][]byte, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		marks, err = selectMarks(ctx, s.reader, source, userIDs)
		return err
	})
	return marks, err
}

// selectMarks reads the marks of users.
func selectMarks(ctx context.Context, q sqlx.QueryerContext, source int64, userIDs []int64) (map[int64][]byte, error) {
	var found []struct {
		UserID int64 `db:"user_id"`
		Mark   []byte
	}
	if err := sqlx.SelectContext(ctx, q, &found, `
		SELECT user_id, mark FROM imported_users WHERE source = ? AND user_id IN (SELECT value FROM json_each(?))`,
		source, jsonList(userIDs)); err != nil {
		return nil, fmt.Errorf("select marks: %w", err)
	}
	marks := make(map[int64][]byte, len(found))
	for _, m := range found {
		marks[m.UserID] = m.Mark
	}
	return marks, nil
}

// Link implements [core.Exporter].
func (s *Store) Link(ctx context.Context, place core.ImportPlace, users []core.Account, tokens []core.Digest) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		for _, u := range users {
			if _, err := tx.ExecContext(ctx, markUser, u.ID, place.Source, core.UserMark(u)); err != nil {
				return fmt.Errorf("mark user %d: %w", u.ID, err)
			}
		}
		for _, d := range tokens {
			if _, err := tx.ExecContext(ctx, markToken, []byte(d), place.Source, place.Run-1); err != nil {
				return fmt.Errorf("mark token: %w", err)
			}
		}
		return nil
	})
}

// Ended implements [core.Exporter].
func (s *Store) Ended(ctx context.Context, digests []core.Digest, now time.Time) (ended []core.Digest, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		err := s.reader.SelectContext(ctx, &ended, `
			SELECT digest FROM imported_tokens i WHERE digest IN (SELECT unhex(value) FROM json_each(?1))
			AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.digest = i.digest AND (t.expires_at IS NULL OR t.expires_at > ?2))
			AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.twin = i.digest AND t.twin IS NOT NULL AND (t.expires_at IS NULL OR t.expires_at > ?2))`,
			hexList(digests), now.UnixMicro())
		if err != nil {
			return fmt.Errorf("select ended tokens: %w", err)
		}
		return nil
	})
	return ended, err
}
