package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

var _ transfer.Exporter = (*Store)(nil)

// ExportUsers implements [transfer.Exporter].
func (s *Store) ExportUsers(ctx context.Context, after int64, limit int) (accounts []core.Account, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var rows []record.Account
		if err := s.reader.SelectContext(ctx, &rows, `
			SELECT id, username, email, password_hash, active, attributes, created_at, last_login
			FROM users WHERE id > ? ORDER BY id LIMIT ?`, after, limit); err != nil {
			return fmt.Errorf("select users: %w", err)
		}
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
	err = s.read(ctx, func(ctx context.Context) error {
		var rows []record.Token
		digest := []byte(after.Digest)
		if digest == nil {
			digest = []byte{}
		}
		if err := s.reader.SelectContext(ctx, &rows, `
			SELECT `+tokenColumns+` FROM tokens WHERE (user_id, digest) > (?, ?) AND realm = ? ORDER BY user_id, digest LIMIT ?`,
			after.UserID, digest, realm, limit); err != nil {
			return fmt.Errorf("select tokens: %w", err)
		}
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
	err = s.read(ctx, func(ctx context.Context) error {
		links, err = readLinks(ctx, s.reader, len(userIDs), selectLinks+`WHERE source = ? AND user_id IN (SELECT value FROM json_each(?))`, source, jsonList(userIDs))
		return err
	})
	return links, err
}

// DeletedUsers implements [transfer.Exporter].
func (s *Store) DeletedUsers(ctx context.Context, source, after int64, limit int) (links []transfer.UserLink, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		links, err = readLinks(ctx, s.reader, 0, selectLinks+`i WHERE source = ? AND user_id > ? AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = i.user_id) ORDER BY user_id LIMIT ?`, source, after, limit)
		return err
	})
	return links, err
}

// NoteExported implements [transfer.Exporter].
func (s *Store) NoteExported(ctx context.Context, source int64, noted transfer.NotedExport) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		if err := forgetNoted(ctx, tx, source); err != nil {
			return err
		}
		if len(noted.Users) > 0 {
			// Also one that has begun to read, and has written nothing yet: it has the next number.
			if _, err := tx.ExecContext(ctx, `UPDATE imports SET run = run + 1, stage = '', reached = '' WHERE id = ?`, source); err != nil {
				return fmt.Errorf("end import: %w", err)
			}
		}
		insert := newInserter(tx, `exporting (source, user_id, name, mark)`)
		for _, n := range record.Noted(noted) {
			if err := insert.add(ctx, source, n.UserID, n.Name, n.Mark); err != nil {
				return fmt.Errorf("note export: %w", err)
			}
		}
		if err := insert.finish(ctx); err != nil {
			return fmt.Errorf("note export: %w", err)
		}
		return nil
	})
}

// forgetNoted deletes what was noted of a source.
func forgetNoted(ctx context.Context, tx *sqlx.Tx, source int64) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM exporting WHERE source = ?`, source); err != nil {
		return fmt.Errorf("forget noted export: %w", err)
	}
	return nil
}

// NotedExport implements [transfer.ImportReader].
func (s *Store) NotedExport(ctx context.Context, source int64) (noted transfer.NotedExport, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var rows []record.Note
		if err := s.reader.SelectContext(ctx, &rows, `SELECT user_id, name, mark FROM exporting WHERE source = ? ORDER BY rowid`, source); err != nil {
			return fmt.Errorf("select noted export: %w", err)
		}
		noted = record.NotedExport(source, rows)
		return nil
	})
	return noted, err
}

// MarkExported implements [transfer.Exporter].
func (s *Store) MarkExported(ctx context.Context, checkpoint transfer.Checkpoint, users []transfer.ImportedUser, tokens map[string][]core.Digest) error {
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		if err := forgetNoted(ctx, tx, checkpoint.Source); err != nil {
			return err
		}
		mark, err := tx.PreparexContext(ctx, markUser)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		defer mark.Close()
		for _, u := range users {
			if _, err := mark.ExecContext(ctx, u.ID, checkpoint.Source, record.KeyColumn(u.ID, u.Key), record.Fingerprint(u)); err != nil {
				return fmt.Errorf("mark user %d: %w", u.ID, err)
			}
		}
		for table, digests := range tokens {
			if err := linkTokens(ctx, tx, checkpoint.Source, table, digests); err != nil {
				return err
			}
			if err := keepExported(ctx, tx, checkpoint.Source, digests); err != nil {
				return err
			}
			// Who logged out while the page was written was not known to be there.
			if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO imported_tokens (digest, source, origin)
				SELECT e.digest, ?2, ?3 FROM (SELECT unhex(value) AS digest FROM json_each(?1)) e
				WHERE NOT EXISTS (SELECT 1 FROM tokens t WHERE t.digest = e.digest)
				AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.twin = e.digest AND t.twin IS NOT NULL)`,
				hexList(digests), checkpoint.Source, table); err != nil {
				return fmt.Errorf("keep ended tokens: %w", err)
			}
		}
		if len(tokens) == 0 {
			return nil
		}
		// A first run that is under way has not noted what it has seen, and goes on without.
		if _, err := tx.ExecContext(ctx, `UPDATE imports SET handed = 1 WHERE id = ? AND NOT (run = 1 AND stage <> '')`, checkpoint.Source); err != nil {
			return fmt.Errorf("save checkpoint: %w", err)
		}
		return nil
	})
}

// keepExported has an import that is under way see tokens, with these digests or twins: it may have read the source's table
// before they were there.
func keepExported(ctx context.Context, tx *sqlx.Tx, source int64, digests []core.Digest) error {
	var run int64
	err := tx.GetContext(ctx, &run, `SELECT run FROM imports WHERE id = ? AND stage <> ''`, source)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("select import: %w", err)
	}
	for _, column := range []string{"digest", "twin IS NOT NULL AND twin"} {
		if _, err := tx.ExecContext(ctx, `INSERT OR FAIL INTO import_seen (source, run, digest) SELECT ?2, ?3, digest FROM tokens WHERE `+column+` IN (SELECT unhex(value) FROM json_each(?1))`,
			hexList(digests), source, run); err != nil {
			return fmt.Errorf("keep exported tokens: %w", err)
		}
	}
	return nil
}

// UnlinkedTokens implements [transfer.Exporter].
func (s *Store) UnlinkedTokens(ctx context.Context, source int64, tables []string, digests []core.Digest) (unlinked []core.Digest, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		if err := s.reader.SelectContext(ctx, &unlinked, `SELECT digest FROM tokens WHERE digest IN (SELECT unhex(value) FROM json_each(?3)) AND (`+linkedTokens+`) IS NOT TRUE`,
			source, jsonList(tables), hexList(digests)); err != nil {
			return fmt.Errorf("select tokens: %w", err)
		}
		return nil
	})
	return unlinked, err
}

// KeepForms implements [transfer.Exporter].
func (s *Store) KeepForms(ctx context.Context, tokens []core.Token) error {
	if len(tokens) == 0 {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		for _, t := range tokens {
			// An import that did not know the form has taken it for another token.
			if _, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE digest = ?1 AND EXISTS (SELECT 1 FROM tokens WHERE digest = ?2)`,
				[]byte(t.Legacy.Digest), []byte(t.Digest)); err != nil {
				return fmt.Errorf("delete a second entry: %w", err)
			}
			if err := forgetGone(ctx, tx, []core.Digest{t.Legacy.Digest}); err != nil { // a trigger has kept its link
				return err
			}
			if _, err := tx.NamedExecContext(ctx, `UPDATE tokens SET generation = :generation, prefix = :prefix, salt = :salt, twin = :twin WHERE digest = :digest`,
				record.OfToken(t)); err != nil {
				return fmt.Errorf("keep a token's form: %w", err)
			}
		}
		return nil
	})
}

// RevokedAmong implements [transfer.Exporter].
func (s *Store) RevokedAmong(ctx context.Context, digests []core.Digest, now time.Time) (ended []core.Digest, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		err := s.reader.SelectContext(ctx, &ended, `
			SELECT digest FROM imported_tokens i WHERE digest IN (SELECT unhex(value) FROM json_each(?1)) AND absent = 0
			AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.digest = i.digest)
			AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.twin = i.digest AND t.twin IS NOT NULL)
			UNION ALL SELECT digest FROM tokens
			WHERE digest IN (SELECT unhex(value) FROM json_each(?1)) AND source IS NOT NULL AND expires_at <= ?2
			UNION ALL SELECT twin FROM tokens
			WHERE twin IS NOT NULL AND twin IN (SELECT unhex(value) FROM json_each(?1)) AND source IS NOT NULL AND expires_at <= ?2`,
			hexList(digests), now.UnixMicro())
		if err != nil {
			return fmt.Errorf("select ended tokens: %w", err)
		}
		return nil
	})
	return ended, err
}
