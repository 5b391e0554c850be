package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

// ImportTokens implements [core.Importer].
func (s *Store) ImportTokens(ctx context.Context, place core.ImportPlace, tokens []core.ImportedToken) (results []core.ImportResult, err error) {
	if len(tokens) > core.MaxImport {
		return nil, errors.New("more tokens than a batch may have")
	}
	err = s.writeWithin(ctx, max(s.wait, bulkWait), func(ctx context.Context, tx *sqlx.Tx) error {
		ctx = unwatched(ctx)
		facts, err := tokenFacts(ctx, tx, tokens)
		if err != nil {
			return err
		}
		batch := core.NewTokenBatch(place, facts)
		insert, err := tx.PreparexContext(ctx, `INSERT INTO tokens (`+tokenColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		defer insert.Close()

		results = make([]core.ImportResult, len(tokens))
		var seen []core.Digest
		var writes []core.TokenMerge
		for i, in := range tokens {
			merged := batch.Merge(in)
			results[i] = merged.Result
			if merged.Insert || merged.Move {
				writes = append(writes, merged)
			}
			if o := merged.Result.Outcome; o != core.ImportRefused && o != core.ImportExpired {
				seen = append(seen, in.Digest)
			}
		}
		// In the order of the table it takes half the time.
		slices.SortFunc(writes, func(a, b core.TokenMerge) int { return bytes.Compare(a.Digest, b.Digest) })
		for _, merged := range writes {
			if err := writeToken(ctx, tx, insert, merged); err != nil {
				return err
			}
		}
		slices.SortFunc(seen, func(a, b core.Digest) int { return bytes.Compare(a, b) })
		if err := markTokens(ctx, tx, place, place.Stage, seen); err != nil {
			return err
		}
		return keepPlace(ctx, tx, place)
	})
	return results, err
}

// writeToken does what was decided.
func writeToken(ctx context.Context, tx *sqlx.Tx, insert *sqlx.Stmt, m core.TokenMerge) error {
	switch {
	case m.Insert:
		r := rowOf(m.Token)
		if _, err := insert.ExecContext(ctx, r.Digest, r.UserID, r.Realm, r.Issuer, r.CreatedAt, r.ExpiresAt, r.Sliding, r.Reusable,
			r.Sealed, r.SealKey, r.Generation, r.Prefix, r.Salt, r.Twin); err != nil {
			return fmt.Errorf("insert token: %w", err)
		}
	case m.Move:
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET expires_at = ? WHERE digest = ?`, m.ExpiresAt.UnixMicro(), []byte(m.Digest)); err != nil {
			return fmt.Errorf("move expiry: %w", err)
		}
	}
	return nil
}

// markTokens keeps that the run of place has seen tokens of a table.
func markTokens(ctx context.Context, tx *sqlx.Tx, place core.ImportPlace, table string, digests []core.Digest) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO imported_tokens (digest, source, run, origin)
		SELECT unhex(value), ?2, ?3, ?4 FROM json_each(?1) WHERE true
		ON CONFLICT (digest) DO UPDATE SET source = excluded.source, run = excluded.run, origin = excluded.origin, absent = 0`,
		hexList(digests), place.Source, place.Run, table); err != nil {
		return fmt.Errorf("mark tokens: %w", err)
	}
	return nil
}
