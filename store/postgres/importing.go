package postgres

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

var _ transfer.Importer = (*Store)(nil)

const selectImport = `SELECT id, run, options, stage, reached, tables FROM @imports WHERE source = $1`

// FindImport implements [transfer.ImportReader].
func (s *Store) FindImport(ctx context.Context, source string) (checkpoint transfer.Checkpoint, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		var row record.Import
		err := s.db.GetContext(ctx, &row, s.qualify(selectImport), source)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return wrap("select import", err)
		}
		checkpoint, err = row.Checkpoint()
		return err
	})
	return checkpoint, err
}

// BeginImport implements [transfer.Importer].
func (s *Store) BeginImport(ctx context.Context, source, options string) (checkpoint transfer.Checkpoint, err error) {
	err = s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		var row record.Import
		err := tx.GetContext(ctx, &row, s.qualify(selectImport), source)
		if errors.Is(err, sql.ErrNoRows) {
			err = tx.GetContext(ctx, &row, s.qualify(`
				INSERT INTO @imports (source, options, run, stage, reached) VALUES ($1, '', 0, '', '')
				RETURNING id, run, options, stage, reached, tables`), source)
		}
		if err != nil {
			return fmt.Errorf("select import: %w", err)
		}
		if checkpoint, err = row.Checkpoint(); err != nil {
			return err
		}
		if row.Stage == "" || row.Options != options {
			checkpoint.Run, checkpoint.Stage, checkpoint.Cursor = row.Run+1, "", ""
		}
		checkpoint.Options = options
		return nil
	})
	return checkpoint, err
}

// currentRun is the condition, on the row of a source, for its run $1 to go on, or to begin.
const currentRun = `(run < $1 OR run = $1 AND stage <> '')`

// checkCurrent fails unless the run may go on. No other can end before the transaction.
func (s *Store) checkCurrent(ctx context.Context, tx *sqlx.Tx, p transfer.Checkpoint) error {
	var id int64
	err := tx.GetContext(ctx, &id, s.qualify(`SELECT id FROM @imports WHERE `+currentRun+` AND id = $2 FOR UPDATE`), p.Run, p.Source)
	if errors.Is(err, sql.ErrNoRows) {
		return transfer.ErrOvertaken
	}
	return wrap("select import", err)
}

// saveCheckpoint writes the checkpoint of the import. It fails unless the run may go on.
func (s *Store) saveCheckpoint(ctx context.Context, tx *sqlx.Tx, p transfer.Checkpoint) error {
	tables, err := json.Marshal(append([]string{}, p.Tables...))
	if err != nil {
		return wrap("encode tables", err)
	}
	n, err := record.Affected(tx.ExecContext(ctx, s.qualify(`
		UPDATE @imports SET run = $1, options = $2, stage = $3, reached = $4, tables = $5 WHERE `+currentRun+` AND id = $6`),
		p.Run, p.Options, p.Stage, p.Cursor, string(tables), p.Source))
	if err == nil && n == 0 {
		return transfer.ErrOvertaken
	}
	return wrap("save checkpoint", err)
}

// FinishImport implements [transfer.Importer].
func (s *Store) FinishImport(ctx context.Context, checkpoint transfer.Checkpoint, tables []string) (ended int, err error) {
	for len(tables) > 0 {
		n, err := s.revokeUnseen(ctx, checkpoint, tables)
		if err != nil {
			return ended, err
		}
		if n == 0 {
			break
		}
		ended += n
	}
	err = s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		err := s.saveCheckpoint(ctx, tx, transfer.Checkpoint{Source: checkpoint.Source, Run: checkpoint.Run, Tables: checkpoint.Tables})
		if retryAfterAmbiguous && errors.Is(err, transfer.ErrOvertaken) {
			return nil // the attempt before has ended the run
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, s.qualify(`DELETE FROM @import_seen WHERE source = $1`), checkpoint.Source)
		return wrap("forget seen tokens", err)
	})
	return ended, err
}

// linkedTokens is the condition for tokens imported from these tables of a source: $1
// is the source, $2 the tables. A token whose table is unknown may be from any of them.
// unseenTokens is the condition for those that run $3 has not seen.
const (
	linkedTokens = `t.source = $1 AND (t.origin = '' OR t.origin = ANY ($2::text[]))`
	unseenTokens = `NOT EXISTS (SELECT 1 FROM @import_seen s WHERE s.digest = t.digest AND s.source = $1 AND s.run = $3)`
)

// CountImported implements [transfer.ImportReader].
func (s *Store) CountImported(ctx context.Context, checkpoint transfer.Checkpoint, tables []string) (here, unseen int, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) (err error) {
		here, unseen, err = s.countImported(ctx, checkpoint, tables)
		return err
	})
	return here, unseen, err
}

func (s *Store) countImported(ctx context.Context, checkpoint transfer.Checkpoint, tables []string) (here, unseen int, err error) {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return 0, 0, fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	if err := tx.GetContext(ctx, &here, s.qualify(`SELECT count(*) FROM @tokens t WHERE `+linkedTokens), checkpoint.Source, pq.Array(tables)); err != nil {
		return 0, 0, wrap("count imported tokens", err)
	}
	if first, err := s.firstRun(ctx, tx, checkpoint); first || err != nil {
		return here, 0, err
	}
	if err := withoutNestedLoops(ctx, tx); err != nil {
		return 0, 0, err
	}
	err = tx.GetContext(ctx, &unseen, s.qualify(`SELECT count(*) FROM @tokens t WHERE `+linkedTokens+` AND `+unseenTokens),
		checkpoint.Source, pq.Array(tables), checkpoint.Run)
	return here, unseen, wrap("count imported tokens", err)
}

// withoutNestedLoops has the rest of the transaction join by hash. Right after an import
// PostgreSQL has no statistics of what came: it takes both sides of unseenTokens for one
// row, and compares each token with every token seen: 10 s for 20 000. An engine without
// the setting plans as it likes.
func withoutNestedLoops(ctx context.Context, tx *sqlx.Tx) error {
	_, err := tx.ExecContext(ctx, `SELECT set_config(name, 'off', true) FROM pg_settings WHERE name = 'enable_nestloop'`)
	return wrap("plan", err)
}

// showNewest makes the newest imported token of each user reusable, if the user has no
// reusable token: $1 is the source, $2 the users.
const showNewest = `
	UPDATE @tokens SET reusable = true WHERE digest IN (
		SELECT digest FROM (
			SELECT t.digest, row_number() OVER (PARTITION BY t.user_id, t.realm, t.issuer ORDER BY t.created_at DESC, t.digest) AS place,
			       bool_or(t.reusable) OVER (PARTITION BY t.user_id, t.realm, t.issuer) AS shown
			FROM @tokens t WHERE t.user_id = ANY ($2::bigint[]) AND (t.reusable OR t.sealed IS NOT NULL AND t.source = $1 AND t.twin IS NULL)) AS one
		WHERE place = 1 AND NOT shown)`

// revokeUnseen deletes a batch of the tokens that the run did not see, and returns
// their number.
func (s *Store) revokeUnseen(ctx context.Context, checkpoint transfer.Checkpoint, tables []string) (ended int, err error) {
	err = s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		ended = 0
		if err := s.checkCurrent(ctx, tx, checkpoint); err != nil {
			return err
		}
		if first, err := s.firstRun(ctx, tx, checkpoint); first || err != nil {
			return err
		}
		if err := withoutNestedLoops(ctx, tx); err != nil {
			return err
		}
		var tokens []struct {
			Digest       []byte
			LegacyDigest []byte `db:"twin"`
			UserID       int64  `db:"user_id"`
			Reusable     bool
		}
		if err := tx.SelectContext(ctx, &tokens, s.qualify(`SELECT digest, twin, user_id, reusable FROM @tokens t
			WHERE `+linkedTokens+` AND `+unseenTokens+` LIMIT $4 FOR UPDATE OF t`), checkpoint.Source, pq.Array(tables), checkpoint.Run, transfer.MaxImport); err != nil {
			return fmt.Errorf("select unseen tokens: %w", err)
		}
		ended = len(tokens)
		if ended == 0 {
			return nil
		}
		var digests, links [][]byte
		var users []int64 // users whose reusable token is deleted
		for _, t := range tokens {
			digests, links = append(digests, t.Digest), append(links, t.Digest)
			if t.LegacyDigest != nil {
				links = append(links, t.LegacyDigest)
			}
			if t.Reusable {
				users = append(users, t.UserID)
			}
		}
		if _, err := tx.ExecContext(ctx, s.qualify(removeTokens(`digest = ANY ($1::bytea[])`)), pq.ByteaArray(digests)); err != nil {
			return fmt.Errorf("end unseen tokens: %w", err)
		}
		if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @imported_tokens SET absent = true WHERE digest = ANY ($1::bytea[])`), pq.ByteaArray(links)); err != nil {
			return fmt.Errorf("mark unseen tokens: %w", err)
		}
		_, err := tx.ExecContext(ctx, s.qualify(showNewest), checkpoint.Source, pq.Array(users))
		return wrap("show another token", err)
	})
	return ended, err
}

// ImportAddresses implements [transfer.Importer].
func (s *Store) ImportAddresses(ctx context.Context, addresses []core.Address) error {
	bulk := s.withBulkTimeout()
	return bulk.write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		return bulk.addresses().Import(ctx, tx.Tx, addresses)
	})
}
