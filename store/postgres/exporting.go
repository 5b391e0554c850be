package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

var _ transfer.Exporter = (*Store)(nil)

// ExportUsers implements [transfer.Exporter].
func (s *Store) ExportUsers(ctx context.Context, after int64, limit int) (accounts []core.Account, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		var rows []record.Account
		if err := s.db.SelectContext(ctx, &rows, s.qualify(`
			SELECT id, username, email, password_hash, active, attributes, created_at, last_login
			FROM @users WHERE id > $1 ORDER BY id LIMIT $2`), after, limit); err != nil {
			return wrap("select users", err)
		}
		accounts = nil
		for _, row := range rows {
			account, err := row.Core()
			if err != nil {
				return err
			}
			accounts = append(accounts, account)
		}
		return nil
	})
	return accounts, err
}

// ExportTokens implements [transfer.Exporter].
func (s *Store) ExportTokens(ctx context.Context, realm string, after core.Token, limit int) (tokens []core.Token, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		var rows []record.Token
		digest := []byte(after.Digest)
		if digest == nil {
			digest = []byte{}
		}
		if err := s.db.SelectContext(ctx, &rows, s.qualify(`
			SELECT `+allColumns+` FROM @tokens
			WHERE (user_id, digest) > ($1, $2) AND realm = $3 ORDER BY user_id, digest LIMIT $4`),
			after.UserID, digest, realm, limit); err != nil {
			return wrap("select tokens", err)
		}
		tokens = nil
		for _, row := range rows {
			token := row.Core()
			token.Legacy = row.Legacy()
			tokens = append(tokens, token)
		}
		return nil
	})
	return tokens, err
}

// LinkedFingerprints implements [transfer.Exporter].
func (s *Store) LinkedFingerprints(ctx context.Context, source int64, userIDs []int64) (links []transfer.UserLink, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) (err error) {
		links, err = s.readLinks(ctx, s.db, len(userIDs), selectLinks+`WHERE source = $1 AND user_id = ANY ($2::bigint[])`, source, pq.Array(userIDs))
		return err
	})
	return links, err
}

// DeletedUsers implements [transfer.Exporter].
func (s *Store) DeletedUsers(ctx context.Context, source, after int64, limit int) (links []transfer.UserLink, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) (err error) {
		links, err = s.readLinks(ctx, s.db, 0, selectLinks+`i WHERE source = $1 AND user_id > $2 AND NOT EXISTS (SELECT 1 FROM @users u WHERE u.id = i.user_id) ORDER BY user_id LIMIT $3`, source, after, limit)
		return err
	})
	return links, err
}

// NoteExported implements [transfer.Exporter].
func (s *Store) NoteExported(ctx context.Context, source int64, noted transfer.NotedExport) error {
	return s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		if err := s.forgetNoted(ctx, tx, source); err != nil {
			return err
		}
		if len(noted.Users) > 0 {
			// Also one that has begun to read, and has written nothing yet: it has the next number.
			if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @imports SET run = run + 1, stage = '', reached = '' WHERE id = $1`), source); err != nil {
				return wrap("end import", err)
			}
		}
		notes := record.Noted(noted)
		_, err := s.copyInto(ctx, tx, `@exporting (source, user_id, name, mark)`, len(notes), func(add func(...any) error) error {
			for _, n := range notes {
				if err := add(source, n.UserID, n.Name, n.Mark); err != nil {
					return err
				}
			}
			return nil
		})
		return wrap("note export", err)
	})
}

// forgetNoted deletes what was noted of a source.
func (s *Store) forgetNoted(ctx context.Context, tx *sqlx.Tx, source int64) error {
	_, err := tx.ExecContext(ctx, s.qualify(`DELETE FROM @exporting WHERE source = $1`), source)
	return wrap("forget noted export", err)
}

// NotedExport implements [transfer.ImportReader].
func (s *Store) NotedExport(ctx context.Context, source int64) (noted transfer.NotedExport, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		var rows []record.Note
		if err := s.db.SelectContext(ctx, &rows, s.qualify(`SELECT user_id, name, mark FROM @exporting WHERE source = $1`), source); err != nil {
			return wrap("select noted export", err)
		}
		noted = record.NotedExport(source, rows)
		return nil
	})
	return noted, err
}

// MarkExported implements [transfer.Exporter].
func (s *Store) MarkExported(ctx context.Context, checkpoint transfer.Checkpoint, users []transfer.ImportedUser, tokens map[string][]core.Digest) error {
	links := make(map[int64]userMark, len(users))
	for _, u := range users {
		links[u.ID] = userMark{id: u.ID, key: u.Key, mark: record.Fingerprint(u)}
	}
	return s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		if err := s.forgetNoted(ctx, tx, checkpoint.Source); err != nil {
			return err
		}
		if err := s.markUsers(ctx, tx, checkpoint.Source, slices.SortedFunc(maps.Values(links), byID)); err != nil {
			return err
		}
		for table, digests := range tokens {
			if err := s.linkTokens(ctx, tx, checkpoint.Source, table, digests); err != nil {
				return err
			}
			if err := s.keepExported(ctx, tx, checkpoint.Source, digests); err != nil {
				return err
			}
			// Who logged out while the page was written was not known to be there.
			if _, err := tx.ExecContext(ctx, s.qualify(`INSERT INTO @imported_tokens (digest, source, origin)
				SELECT e.digest, $2, $3 FROM (SELECT DISTINCT unnest($1::bytea[]) AS digest) e
				WHERE NOT EXISTS (SELECT 1 FROM @tokens t WHERE t.digest = e.digest)
				AND NOT EXISTS (SELECT 1 FROM @tokens t WHERE t.twin = e.digest AND t.twin IS NOT NULL)
				ON CONFLICT (digest) DO NOTHING`), pq.ByteaArray(raw(digests)), checkpoint.Source, table); err != nil {
				return wrap("keep ended tokens", err)
			}
		}
		if len(tokens) == 0 {
			return nil
		}
		// A first run that is under way has not noted what it has seen, and goes on without.
		_, err := tx.ExecContext(ctx, s.qualify(`UPDATE @imports SET handed = true WHERE id = $1 AND NOT (run = 1 AND stage <> '')`), checkpoint.Source)
		return wrap("save checkpoint", err)
	})
}

// keepExported has an import that is under way see tokens, with these digests or twins: it may have read the source's table
// before they were there.
func (s *Store) keepExported(ctx context.Context, tx *sqlx.Tx, source int64, digests []core.Digest) error {
	var run int64
	err := tx.GetContext(ctx, &run, s.qualify(`SELECT run FROM @imports WHERE id = $1 AND stage <> ''`), source)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return wrap("select import", err)
	}
	for _, column := range []string{"digest", "twin IS NOT NULL AND twin"} {
		if _, err := tx.ExecContext(ctx, s.qualify(`INSERT INTO @import_seen (source, run, digest) SELECT $2, $3, digest FROM @tokens WHERE `+column+` = ANY ($1::bytea[])`),
			pq.ByteaArray(raw(digests)), source, run); err != nil {
			return fmt.Errorf("keep exported tokens: %w", err)
		}
	}
	return nil
}

// UnlinkedTokens implements [transfer.Exporter].
func (s *Store) UnlinkedTokens(ctx context.Context, source int64, tables []string, digests []core.Digest) (unlinked []core.Digest, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		unlinked = nil
		err := s.db.SelectContext(ctx, &unlinked, s.qualify(`SELECT digest FROM @tokens t WHERE digest = ANY ($3::bytea[]) AND (`+linkedTokens+`) IS NOT TRUE`),
			source, pq.Array(tables), pq.ByteaArray(raw(digests)))
		return wrap("select tokens", err)
	})
	return unlinked, err
}

// KeepForms implements [transfer.Exporter].
func (s *Store) KeepForms(ctx context.Context, tokens []core.Token) error {
	if len(tokens) == 0 {
		return nil
	}
	return s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		for _, t := range tokens {
			// An import that did not know the form has taken it for another token.
			if _, err := tx.ExecContext(ctx, s.qualify(`DELETE FROM @tokens WHERE digest = $1 AND EXISTS (SELECT 1 FROM @tokens WHERE digest = $2)`),
				[]byte(t.Legacy.Digest), []byte(t.Digest)); err != nil {
				return wrap("delete a second entry", err)
			}
			if _, err := tx.NamedExecContext(ctx, s.qualify(`UPDATE @tokens SET generation = :generation, prefix = :prefix, salt = :salt, twin = :twin WHERE digest = :digest`),
				record.OfToken(t)); err != nil {
				return wrap("keep a token's form", err)
			}
		}
		return nil
	})
}

// RevokedAmong implements [transfer.Exporter].
func (s *Store) RevokedAmong(ctx context.Context, digests []core.Digest, now time.Time) (ended []core.Digest, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		ended = nil
		return wrap("select ended tokens", s.db.SelectContext(ctx, &ended, s.qualify(`
			SELECT digest FROM @imported_tokens i WHERE digest = ANY ($1::bytea[]) AND NOT absent
			AND NOT EXISTS (SELECT 1 FROM @tokens t WHERE t.digest = i.digest)
			AND NOT EXISTS (SELECT 1 FROM @tokens t WHERE t.twin = i.digest AND t.twin IS NOT NULL)
			UNION ALL SELECT digest FROM @tokens WHERE digest = ANY ($1::bytea[]) AND source IS NOT NULL AND expires_at <= $2
			UNION ALL SELECT twin FROM @tokens
			WHERE twin IS NOT NULL AND twin = ANY ($1::bytea[]) AND source IS NOT NULL AND expires_at <= $2`),
			pq.ByteaArray(raw(digests)), now.UnixMicro()))
	})
	return ended, err
}

// raw converts digests to the driver's type.
func raw(digests []core.Digest) [][]byte {
	all := make([][]byte, len(digests))
	for i, d := range digests {
		all[i] = d
	}
	return all
}
