package postgres

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

var _ core.Exporter = (*Store)(nil)

// ExportUsers implements [core.Exporter].
func (s *Store) ExportUsers(ctx context.Context, after int64, limit int) (accounts []core.Account, err error) {
	err = s.bulk().read(ctx, func(ctx context.Context) error {
		var rows []accountRow
		if err := s.db.SelectContext(ctx, &rows, s.in(`
			SELECT id, username, email, password_hash, active, attributes, created_at
			FROM @users WHERE id > $1 ORDER BY id LIMIT $2`), after, limit); err != nil {
			return wrap("select users", err)
		}
		accounts = nil
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
	err = s.bulk().read(ctx, func(ctx context.Context) error {
		var rows []tokenRow
		digest := []byte(after.Digest)
		if digest == nil {
			digest = []byte{}
		}
		if err := s.db.SelectContext(ctx, &rows, s.in(`
			SELECT `+allColumns+` FROM @tokens
			WHERE (user_id, digest) > ($1, $2) AND realm = $3 ORDER BY user_id, digest LIMIT $4`),
			after.UserID, digest, realm, limit); err != nil {
			return wrap("select tokens", err)
		}
		tokens = nil
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
	err = s.bulk().read(ctx, func(ctx context.Context) (err error) {
		marks, err = s.selectMarks(ctx, s.db, source, userIDs)
		return err
	})
	return marks, err
}

// selectMarks reads the marks of users.
func (s *Store) selectMarks(ctx context.Context, q sqlx.QueryerContext, source int64, userIDs []int64) (map[int64][]byte, error) {
	var found []struct {
		UserID int64 `db:"user_id"`
		Mark   []byte
	}
	if err := sqlx.SelectContext(ctx, q, &found,
		s.in(`SELECT user_id, mark FROM @imported_users WHERE source = $1 AND user_id = ANY ($2::bigint[])`),
		source, pq.Array(userIDs)); err != nil {
		return nil, wrap("select marks", err)
	}
	marks := make(map[int64][]byte, len(found))
	for _, m := range found {
		marks[m.UserID] = m.Mark
	}
	return marks, nil
}

// Link implements [core.Exporter].
func (s *Store) Link(ctx context.Context, place core.ImportPlace, users []core.Account, tokens []core.Digest) error {
	marks := make(map[int64][]byte, len(users))
	for _, u := range users {
		marks[u.ID] = core.UserMark(u)
	}
	return s.bulk().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		if err := s.markUsers(ctx, tx, place.Source, marks); err != nil {
			return err
		}
		return s.markTokens(ctx, tx, place.Source, place.Run-1, raw(tokens))
	})
}

// Ended implements [core.Exporter].
func (s *Store) Ended(ctx context.Context, digests []core.Digest, now time.Time) (ended []core.Digest, err error) {
	err = s.bulk().read(ctx, func(ctx context.Context) error {
		ended = nil
		return wrap("select ended tokens", s.db.SelectContext(ctx, &ended, s.in(`
			SELECT digest FROM @imported_tokens i WHERE digest = ANY ($1::bytea[])
			AND NOT EXISTS (SELECT 1 FROM @tokens t WHERE t.digest = i.digest AND (t.expires_at IS NULL OR t.expires_at > $2))
			AND NOT EXISTS (SELECT 1 FROM @tokens t WHERE t.twin = i.digest AND t.twin IS NOT NULL AND (t.expires_at IS NULL OR t.expires_at > $2))`),
			pq.ByteaArray(raw(digests)), now.UnixMicro()))
	})
	return ended, err
}

// raw gives digests as the driver takes them.
func raw(digests []core.Digest) [][]byte {
	all := make([][]byte, len(digests))
	for i, d := range digests {
		all[i] = d
	}
	return all
}
