package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	sqlite3 "modernc.org/sqlite/lib"
)

// errNotNew says that a token of a batch is here that was taken for new.
var errNotNew = errors.New("not all tokens are new")

// ImportTokens implements [transfer.Importer].
func (s *Store) ImportTokens(ctx context.Context, checkpoint transfer.Checkpoint, tokens []transfer.ImportedToken) (results []transfer.ImportResult, err error) {
	if len(tokens) > transfer.MaxImport {
		return nil, errors.New("more tokens than a batch may have")
	}
	results, err = s.importTokens(ctx, checkpoint, tokens, true)
	if errors.Is(err, errNotNew) {
		results, err = s.importTokens(ctx, checkpoint, tokens, false)
	}
	return results, err
}

// importTokens imports a batch. With guess it does not look up its tokens if all seem to be
// new, and fails with errNotNew if that is wrong: the table's key checks those that are
// added.
func (s *Store) importTokens(ctx context.Context, checkpoint transfer.Checkpoint, tokens []transfer.ImportedToken, guess bool) (results []transfer.ImportResult, err error) {
	err = s.writeBulk(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		digests := record.Digests(tokens)
		guessed, err := false, error(nil)
		if guess {
			if guessed, err = likelyNew(ctx, tx, digests); err != nil {
				return err
			}
		}
		if !guessed {
			results, err = s.importKnown(ctx, tx, checkpoint, tokens, digests)
			return err
		}
		merged, err := mergeTokens(ctx, tx, checkpoint, tokens, digests, transfer.ImportFacts{})
		if err != nil {
			return err
		}
		if len(merged.Added) < len(tokens) {
			return errNotNew
		}
		results = merged.Results
		err = writeTokens(ctx, tx, checkpoint, merged)
		if duplicate(err) || code(err) == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
			return errNotNew
		}
		return err
	})
	return results, err
}

// importKnown imports a batch of which some tokens are here.
func (s *Store) importKnown(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, tokens []transfer.ImportedToken, digests []core.Digest) ([]transfer.ImportResult, error) {
	others, places, err := seeUnchanged(ctx, tx, checkpoint, tokens, digests)
	if err != nil {
		return nil, err
	}
	if len(others) < len(tokens) {
		digests = record.Digests(others)
	}
	facts, err := s.inHalves(tx, len(digests), func(q sqlx.QueryerContext, from, to int) (facts transfer.ImportFacts, err error) {
		err = factsOfDigests(ctx, q, &facts, digests[from:to])
		return facts, err
	})
	if err != nil {
		return nil, err
	}
	merged, err := mergeTokens(ctx, tx, checkpoint, others, digests, facts)
	if err != nil {
		return nil, err
	}
	results := slices.Repeat([]transfer.ImportResult{{Outcome: transfer.ImportUnchanged}}, len(tokens))
	for i, result := range merged.Results {
		results[places[i]] = result
	}
	return results, writeTokens(ctx, tx, checkpoint, merged)
}

// mergeTokens decides about a batch, given the tokens here that have one of its digests.
func mergeTokens(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, tokens []transfer.ImportedToken, digests []core.Digest, facts transfer.ImportFacts) (m record.TokenMerges, err error) {
	batch, err := tokenFacts(ctx, tx, checkpoint, tokens, digests, &facts)
	if err != nil {
		return m, err
	}
	return record.MergeTokens(batch, tokens), nil
}

// likelyNew reports whether none of a sample of the digests is here. Most tokens of a first
// run are new, and to look up each takes a quarter of the time of adding it.
func likelyNew(ctx context.Context, q sqlx.QueryerContext, digests []core.Digest) (yes bool, err error) {
	err = sqlx.GetContext(ctx, q, &yes, `SELECT NOT EXISTS (SELECT 1 FROM tokens WHERE digest IN (SELECT unhex(value) FROM json_each(?)))`, hexList(record.Sample(digests)))
	if err != nil {
		return false, fmt.Errorf("select tokens: %w", err)
	}
	return yes, nil
}

// writeTokens carries out the decisions.
func writeTokens(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, m record.TokenMerges) error {
	for _, t := range m.Moved {
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET expires_at = ? WHERE digest = ?`, t.ExpiresAt.UnixMicro(), []byte(t.Digest)); err != nil {
			return fmt.Errorf("move expiry: %w", err)
		}
	}
	if len(m.Added) > 0 {
		if err := withoutTriggers(ctx, tx, func() error { return addTokens(ctx, tx, checkpoint, m.Added) }); err != nil {
			return err
		}
	}
	if err := linkTokens(ctx, tx, checkpoint.Source, checkpoint.Stage, m.Linked); err != nil {
		return err
	}
	if err := forgetGone(ctx, tx, m.Returned); err != nil {
		return err
	}
	if err := keepSeen(ctx, tx, checkpoint, m.Seen); err != nil {
		return err
	}
	return saveCheckpoint(ctx, tx, checkpoint)
}

// addTokens inserts the tokens of a batch, sorted like the table, which halves the
// time.
func addTokens(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, tokens []core.Token) error {
	slices.SortFunc(tokens, func(a, b core.Token) int { return bytes.Compare(a.Digest, b.Digest) })
	insert := newInserter(tx, `tokens (`+tokenColumns+`, source, origin)`)
	for _, t := range tokens {
		r := record.OfToken(t)
		if err := insert.add(ctx, r.Digest, r.UserID, r.Realm, r.Issuer, r.CreatedAt, r.ExpiresAt, r.Sliding, r.Reusable,
			r.Sealed, r.SealKey, r.Format, r.Prefix, r.Salt, r.LegacyDigest, checkpoint.Source, checkpoint.Stage); err != nil {
			return fmt.Errorf("insert token: %w", err)
		}
	}
	if err := insert.finish(ctx); err != nil {
		return fmt.Errorf("insert token: %w", err)
	}
	return nil
}

// linkTokens records that existing tokens, with these digests or twins, belong to a
// table of the source.
func linkTokens(ctx context.Context, tx *sqlx.Tx, source int64, table string, digests []core.Digest) error {
	if len(digests) == 0 {
		return nil
	}
	list := hexList(digests)
	for _, column := range []string{"digest", "twin IS NOT NULL AND twin"} {
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET source = ?2, origin = ?3 WHERE `+column+` IN (SELECT unhex(value) FROM json_each(?1))`,
			list, source, table); err != nil {
			return fmt.Errorf("link tokens: %w", err)
		}
	}
	return nil
}

// forgetGone deletes the links of deleted tokens that exist again.
func forgetGone(ctx context.Context, tx *sqlx.Tx, digests []core.Digest) error {
	if len(digests) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM imported_tokens WHERE digest IN (SELECT unhex(value) FROM json_each(?))`, hexList(digests)); err != nil {
		return fmt.Errorf("link tokens: %w", err)
	}
	return nil
}

// keepSeen records which tokens a run has seen. A first run does not need that: nothing
// it does not see can have been imported before.
func keepSeen(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, digests []core.Digest) error {
	if len(digests) == 0 {
		return nil
	}
	if first, err := firstRun(ctx, tx, checkpoint); first || err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT OR FAIL INTO import_seen (source, run, digest) SELECT ?2, ?3, unhex(value) FROM json_each(?1)`,
		hexList(digests), checkpoint.Source, checkpoint.Run); err != nil {
		return fmt.Errorf("keep seen tokens: %w", err)
	}
	return nil
}

// firstRun reports whether nothing can have been imported from the source before the
// run.
func firstRun(ctx context.Context, q sqlx.QueryerContext, checkpoint transfer.Checkpoint) (first bool, err error) {
	if checkpoint.Run > 1 {
		return false, nil
	}
	if err := sqlx.GetContext(ctx, q, &first, `SELECT NOT EXISTS (SELECT 1 FROM imports WHERE id = ? AND handed = 1)`, checkpoint.Source); err != nil {
		return false, fmt.Errorf("select import: %w", err)
	}
	return first, nil
}
