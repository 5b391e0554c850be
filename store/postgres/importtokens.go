package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// allColumns are the columns of a record.Token.
const allColumns = `digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key, generation, prefix, salt, twin`

// shareOwners locks the users of tokens to be inserted, so that none of them gets a
// reusable token by another login meanwhile.
const shareOwners = `ORDER BY u.id FOR SHARE OF u`

// ImportTokens implements [transfer.Importer].
func (s *Store) ImportTokens(ctx context.Context, checkpoint transfer.Checkpoint, tokens []transfer.ImportedToken) (results []transfer.ImportResult, err error) {
	if len(tokens) > transfer.MaxImport {
		return nil, errors.New("more tokens than a batch may have")
	}
	digests := record.Digests(tokens)
	// The guess that all tokens are new is wrong at once if one would not be added even then.
	careful := slices.ContainsFunc(tokens, func(t transfer.ImportedToken) bool {
		return !transfer.MergeToken(t, transfer.TokenState{UserImported: true, Now: checkpoint.Now}).Insert
	})
	err = s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		if !careful {
			guessed, err := s.likelyNew(ctx, tx, digests)
			if err != nil {
				return err
			}
			if guessed {
				results, err = s.addNewTokens(ctx, tx, checkpoint, tokens, digests)
				careful = errors.Is(err, pgconn.ErrConflict)
				return err
			}
		}
		results, err = s.importKnown(ctx, tx, checkpoint, tokens, digests)
		return err
	})
	return results, err
}

// importKnown imports a batch of which some tokens may be here.
func (s *Store) importKnown(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, tokens []transfer.ImportedToken, digests []core.Digest) ([]transfer.ImportResult, error) {
	results := slices.Repeat([]transfer.ImportResult{{Outcome: transfer.ImportUnchanged}}, len(tokens))
	others, places, err := s.seeUnchanged(ctx, tx, checkpoint, tokens, digests)
	if err != nil {
		return nil, err
	}
	if len(others) == 0 {
		return results, s.saveCheckpoint(ctx, tx, checkpoint)
	}
	if len(others) < len(tokens) {
		digests = record.Digests(others)
	}
	facts, err := s.existingTokens(ctx, tx, others, digests)
	if err != nil {
		return nil, err
	}
	batch, err := s.tokenFacts(ctx, tx, checkpoint, others, digests, &facts, shareOwners)
	if err != nil {
		return nil, err
	}
	merged := record.MergeTokens(batch, others)
	for i, result := range merged.Results {
		results[places[i]] = result
	}
	return results, s.writeTokens(ctx, tx, checkpoint, merged)
}

// likelyNew reports whether none of a sample of the digests is here. Most tokens of a first
// run are new, and to look up each takes a fifth of the time of adding it.
func (s *Store) likelyNew(ctx context.Context, q sqlx.QueryerContext, digests []core.Digest) (yes bool, err error) {
	err = sqlx.GetContext(ctx, q, &yes, s.qualify(`SELECT NOT EXISTS (SELECT 1 FROM @tokens WHERE digest = `+anyOf(1, "bytea")+`)`), pq.ByteaArray(raw(record.Sample(digests))))
	return yes, wrap("select tokens", err)
}

// addNewTokens adds a batch whose tokens all seem to be new: it decides about them while the database adds those
// before. If one is not to be added, or is here, it fails with pgconn.ErrConflict.
func (s *Store) addNewTokens(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, tokens []transfer.ImportedToken, digests []core.Digest) ([]transfer.ImportResult, error) {
	var facts transfer.ImportFacts
	batch, err := s.tokenFacts(ctx, tx, checkpoint, tokens, digests, &facts, shareOwners)
	if err != nil {
		return nil, err
	}
	m := record.NewTokenMerges(len(tokens))
	err = s.addTokens(ctx, tx, checkpoint, len(tokens), func(yield func(core.Token, error) bool) {
		for _, in := range tokens {
			merged := batch.Merge(in)
			m.Keep(merged)
			if !merged.Insert {
				yield(merged.Token, pgconn.ErrConflict)
				return
			}
			if !yield(merged.Token, nil) {
				return
			}
		}
	})
	if pgconn.IsDuplicate(err, "") { // the table's key checks the guess
		return nil, pgconn.ErrConflict
	}
	if err != nil {
		return nil, err
	}
	return m.Results, s.writeTokens(ctx, tx, checkpoint, m)
}

// writeTokens carries out the decisions.
func (s *Store) writeTokens(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, m record.TokenMerges) error {
	for _, t := range m.Moved {
		if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @tokens SET expires_at = $1 WHERE digest = $2`), t.ExpiresAt.UnixMicro(), []byte(t.Digest)); err != nil {
			return fmt.Errorf("move expiry: %w", err)
		}
	}
	if err := s.addTokens(ctx, tx, checkpoint, len(m.Added), func(yield func(core.Token, error) bool) {
		for _, t := range m.Added {
			if !yield(t, nil) {
				return
			}
		}
	}); err != nil {
		return err
	}
	if err := s.linkTokens(ctx, tx, checkpoint.Source, checkpoint.Stage, m.Linked); err != nil {
		return err
	}
	if err := s.forgetGone(ctx, tx, m.Returned); err != nil {
		return err
	}
	if err := s.keepSeen(ctx, tx, checkpoint, m.Seen); err != nil {
		return err
	}
	return s.saveCheckpoint(ctx, tx, checkpoint)
}

// addTokens inserts n tokens of a batch.
func (s *Store) addTokens(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, n int, tokens iter.Seq2[core.Token, error]) error {
	rows, err := s.copyInto(ctx, tx, `@tokens (`+allColumns+`, source, origin)`, n, func(add func(...any) error) error {
		for t, err := range tokens {
			if err != nil {
				return err
			}
			r := record.OfToken(t)
			if err := add(r.Digest, r.UserID, r.Realm, r.Issuer, r.CreatedAt, r.ExpiresAt, r.Sliding, r.Reusable, null(r.Sealed), r.SealKey,
				r.Format, r.Prefix, null(r.Salt), null(r.LegacyDigest), checkpoint.Source, checkpoint.Stage); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && rows != int64(n) {
		err = fmt.Errorf("%d of %d rows were added", rows, n)
	}
	return wrap("insert tokens", err)
}

// null converts bytes for COPY: empty bytes are NULL.
func null(bytes []byte) any {
	if len(bytes) == 0 {
		return nil
	}
	return bytes
}

// copyInto inserts rows with COPY, and returns their number.
func (s *Store) copyInto(ctx context.Context, tx *sqlx.Tx, table string, rows int, fill func(add func(...any) error) error) (added int64, err error) {
	if rows == 0 {
		return 0, nil
	}
	copied, err := tx.PrepareContext(ctx, s.qualify(`COPY `+table+` FROM STDIN`))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	// A cancelable context would be watched for each row; the transaction still ends
	// with ctx.
	unwatched := context.WithoutCancel(ctx)
	if err := fill(func(values ...any) error {
		_, err := copied.ExecContext(unwatched, values...)
		return err
	}); err != nil {
		return 0, err
	}
	result, err := copied.ExecContext(ctx)
	return record.Affected(result, err)
}

// linkTokens records that existing tokens, with these digests or twins, belong to a
// table of the source.
func (s *Store) linkTokens(ctx context.Context, tx *sqlx.Tx, source int64, table string, digests []core.Digest) error {
	if len(digests) == 0 {
		return nil
	}
	for _, column := range []string{"digest", "twin IS NOT NULL AND twin"} {
		if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @tokens SET source = $2, origin = $3 WHERE `+column+` = ANY ($1::bytea[])`),
			pq.ByteaArray(raw(digests)), source, table); err != nil {
			return fmt.Errorf("link tokens: %w", err)
		}
	}
	return nil
}

// forgetGone deletes the links of deleted tokens that exist again.
func (s *Store) forgetGone(ctx context.Context, tx *sqlx.Tx, digests []core.Digest) error {
	if len(digests) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, s.qualify(`DELETE FROM @imported_tokens WHERE digest = ANY ($1::bytea[])`), pq.ByteaArray(raw(digests)))
	return wrap("link tokens", err)
}

// keepSeen records which tokens a run has seen. A first run does not need that: nothing
// it does not see can have been imported before.
func (s *Store) keepSeen(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, digests []core.Digest) error {
	if len(digests) == 0 {
		return nil
	}
	if first, err := s.firstRun(ctx, tx, checkpoint); first || err != nil {
		return err
	}
	_, err := s.copyInto(ctx, tx, `@import_seen (source, run, digest)`, len(digests), func(add func(...any) error) error {
		for _, d := range digests {
			if err := add(checkpoint.Source, checkpoint.Run, []byte(d)); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap("keep seen tokens", err)
}

// firstRun reports whether nothing can have been imported from the source before the
// run.
func (s *Store) firstRun(ctx context.Context, q sqlx.QueryerContext, checkpoint transfer.Checkpoint) (first bool, err error) {
	if checkpoint.Run > 1 {
		return false, nil
	}
	err = sqlx.GetContext(ctx, q, &first, s.qualify(`SELECT NOT EXISTS (SELECT 1 FROM @imports WHERE id = $1 AND handed)`), checkpoint.Source)
	return first, wrap("select import", err)
}
