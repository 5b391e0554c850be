package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

const markToken = `
	INSERT INTO imported_tokens (digest, source, run) VALUES (?, ?, ?)
	ON CONFLICT (digest) DO UPDATE SET source = excluded.source, run = excluded.run`

// ImportTokens implements [core.Importer].
func (s *Store) ImportTokens(ctx context.Context, place core.ImportPlace, tokens []core.Token) (results []core.ImportResult, err error) {
	if len(tokens) > core.MaxImport {
		return nil, errors.New("more tokens than a batch may have")
	}
	err = s.writeWithin(ctx, max(s.wait, bulkWait), func(ctx context.Context, tx *sqlx.Tx) error {
		batch, err := knownTokens(ctx, tx, place, tokens)
		if err != nil {
			return err
		}
		insert, err := tx.PrepareNamedContext(ctx, insertToken)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		defer insert.Close()
		mark, err := tx.PreparexContext(ctx, markToken)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		defer mark.Close()

		results = make([]core.ImportResult, len(tokens))
		for i, in := range tokens {
			merged := batch.Merge(in)
			results[i] = merged.Result
			switch {
			case merged.Insert:
				if _, err := insert.ExecContext(ctx, rowOf(merged.Token)); err != nil {
					return fmt.Errorf("insert token: %w", err)
				}
			case merged.Move:
				if _, err := tx.ExecContext(ctx, `UPDATE tokens SET expires_at = ? WHERE digest = ?`,
					merged.ExpiresAt.UnixMicro(), []byte(merged.Digest)); err != nil {
					return fmt.Errorf("move expiry: %w", err)
				}
			}
			if o := merged.Result.Outcome; o == core.ImportRefused || o == core.ImportExpired {
				continue
			}
			if _, err := mark.ExecContext(ctx, []byte(in.Digest), place.Source, place.Run); err != nil {
				return fmt.Errorf("mark token: %w", err)
			}
		}
		return keepPlace(ctx, tx, place)
	})
	return results, rehearsed(err)
}

// knownTokens reads what is here of the tokens of a batch, and of their users.
func knownTokens(ctx context.Context, tx *sqlx.Tx, place core.ImportPlace, tokens []core.Token) (core.TokenBatch, error) {
	b := core.NewTokenBatch(place)
	ids, digests := make([]int64, 0, len(tokens)), make([]core.Digest, 0, len(tokens))
	for _, t := range tokens {
		ids, digests = append(ids, t.UserID), append(digests, t.Digest)
	}
	users, list := jsonList(ids), hexList(digests)
	for _, read := range []func() error{
		func() error { return readCame(ctx, tx, b, place.Source, users) },
		func() error { return readSeen(ctx, tx, b, list) },
		func() error { return readHere(ctx, tx, b, users, list) },
	} {
		if err := read(); err != nil {
			return b, err
		}
	}
	return b, nil
}

// readCame reads which of the users came from the source and are still here.
func readCame(ctx context.Context, tx *sqlx.Tx, b core.TokenBatch, source int64, users string) error {
	var ids []int64
	if err := tx.SelectContext(ctx, &ids, `
		SELECT i.user_id FROM imported_users i JOIN users u ON u.id = i.user_id
		WHERE i.source = ? AND i.user_id IN (SELECT value FROM json_each(?))`, source, users); err != nil {
		return fmt.Errorf("select imported users: %w", err)
	}
	for _, id := range ids {
		b.Came(id)
	}
	return nil
}

// readSeen reads which of the tokens an earlier run has seen.
func readSeen(ctx context.Context, tx *sqlx.Tx, b core.TokenBatch, digests string) error {
	var seen [][]byte
	if err := tx.SelectContext(ctx, &seen,
		`SELECT digest FROM imported_tokens WHERE digest IN (SELECT unhex(value) FROM json_each(?))`, digests); err != nil {
		return fmt.Errorf("select imported tokens: %w", err)
	}
	for _, d := range seen {
		b.Seen(d)
	}
	return nil
}

// readHere reads which of the tokens are here, and the reusable ones of the users.
func readHere(ctx context.Context, tx *sqlx.Tx, b core.TokenBatch, users, digests string) error {
	const columns = `SELECT digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key, generation, prefix, salt, twin FROM tokens `
	for _, q := range []struct{ condition, list string }{
		{`WHERE digest IN (SELECT unhex(value) FROM json_each(?))`, digests},
		{`WHERE twin IS NOT NULL AND twin IN (SELECT unhex(value) FROM json_each(?))`, digests},
		{`WHERE reusable = 1 AND user_id IN (SELECT value FROM json_each(?))`, users},
	} {
		var rows []tokenRow
		if err := tx.SelectContext(ctx, &rows, columns+q.condition, q.list); err != nil {
			return fmt.Errorf("select tokens: %w", err)
		}
		for _, row := range rows {
			token := row.token()
			token.Legacy = row.legacy()
			b.Here(token)
		}
	}
	return nil
}
