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
		var facts transfer.ImportFacts
		guessed, err := false, error(nil)
		if guess {
			if guessed, err = likelyNew(ctx, tx, digests); err != nil {
				return err
			}
		}
		if !guessed {
			facts, err = s.inHalves(tx, len(digests), func(q sqlx.QueryerContext, from, to int) (facts transfer.ImportFacts, err error) {
				err = factsOfDigests(ctx, q, &facts, digests[from:to])
				return facts, err
			})
			if err != nil {
				return err
			}
		}
		batch, err := tokenFacts(ctx, tx, checkpoint, tokens, digests, &facts)
		if err != nil {
			return err
		}
		results = make([]transfer.ImportResult, len(tokens))
		var seen, linked, returned []core.Digest
		var writes []transfer.TokenMerge
		added := 0
		for i, in := range tokens {
			merged := batch.Merge(in)
			results[i] = merged.Result
			if merged.Insert || merged.Move {
				writes = append(record.Room(writes, len(tokens)), merged)
			}
			if merged.Insert {
				added++
			}
			if merged.Seen != nil {
				seen = append(seen, merged.Seen)
			}
			if merged.Link {
				linked = append(linked, merged.Seen)
			}
			if merged.Returned {
				returned = append(returned, merged.Digest)
			}
		}
		if guessed && added < len(tokens) {
			return errNotNew
		}
		if err := writeTokens(ctx, tx, checkpoint, writes); err != nil {
			if guessed && (duplicate(err) || code(err) == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) {
				return errNotNew
			}
			return err
		}
		if err := linkTokens(ctx, tx, checkpoint.Source, checkpoint.Stage, linked); err != nil {
			return err
		}
		if err := forgetGone(ctx, tx, returned); err != nil {
			return err
		}
		if err := keepSeen(ctx, tx, checkpoint, seen); err != nil {
			return err
		}
		return saveCheckpoint(ctx, tx, checkpoint)
	})
	return results, err
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
func writeTokens(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, writes []transfer.TokenMerge) error {
	var added []core.Token
	for _, m := range writes {
		if m.Insert {
			added = append(record.Room(added, len(writes)), m.Token)
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET expires_at = ? WHERE digest = ?`, m.ExpiresAt.UnixMicro(), []byte(m.Digest)); err != nil {
			return fmt.Errorf("move expiry: %w", err)
		}
	}
	if len(added) == 0 {
		return nil
	}
	return withoutTriggers(ctx, tx, func() error { return addTokens(ctx, tx, checkpoint, added) })
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
