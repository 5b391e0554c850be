package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// allColumns are the columns of a tokenRow.
const allColumns = `digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key, generation, prefix, salt, twin`

// ImportTokens implements [core.Importer]. The users of the batch are locked, so
// that none of them gets a reusable token of another login meanwhile.
func (s *Store) ImportTokens(ctx context.Context, place core.ImportPlace, tokens []core.ImportedToken) (results []core.ImportResult, err error) {
	if len(tokens) > core.MaxImport {
		return nil, errors.New("more tokens than a batch may have")
	}
	err = s.bulk().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		ids := make([]int64, len(tokens))
		for i, t := range tokens {
			ids[i] = t.UserID
		}
		if _, err := tx.ExecContext(ctx, s.in(`SELECT id FROM @users WHERE id = ANY ($1::bigint[]) ORDER BY id FOR SHARE`), pq.Array(ids)); err != nil {
			return fmt.Errorf("lock users: %w", err)
		}
		facts, err := s.tokenFacts(ctx, tx, tokens)
		if err != nil {
			return err
		}
		batch := core.NewTokenBatch(place, facts)
		results = make([]core.ImportResult, len(tokens))
		var added tokenColumns
		var seen [][]byte
		for i, in := range tokens {
			merged := batch.Merge(in)
			results[i] = merged.Result
			switch {
			case merged.Insert:
				added.add(rowOf(merged.Token))
			case merged.Move:
				if _, err := tx.ExecContext(ctx, s.in(`UPDATE @tokens SET expires_at = $1 WHERE digest = $2`),
					merged.ExpiresAt.UnixMicro(), []byte(merged.Digest)); err != nil {
					return fmt.Errorf("move expiry: %w", err)
				}
			}
			if o := merged.Result.Outcome; o != core.ImportRefused && o != core.ImportExpired {
				seen = append(seen, in.Digest)
			}
		}
		if err := s.addTokens(ctx, tx, added); err != nil {
			return err
		}
		if err := s.markTokens(ctx, tx, place, place.Stage, seen); err != nil {
			return err
		}
		return s.keepPlace(ctx, tx, place)
	})
	return results, err
}

// markTokens keeps that the run of place has seen tokens of a table.
func (s *Store) markTokens(ctx context.Context, tx *sqlx.Tx, place core.ImportPlace, table string, digests [][]byte) error {
	_, err := tx.ExecContext(ctx, s.in(`
		INSERT INTO @imported_tokens (digest, source, run, origin)
		SELECT DISTINCT digest, $2::bigint, $3::bigint, $4::text FROM unnest($1::bytea[]) AS n (digest)
		ON CONFLICT (digest) DO UPDATE SET source = excluded.source, run = excluded.run, origin = excluded.origin, absent = false`),
		pq.ByteaArray(digests), place.Source, place.Run, table)
	return wrap("mark tokens", err)
}

// tokenColumns are tokens, column by column. Empty texts and bytes stand for
// NULL, which these columns never have otherwise.
type tokenColumns struct {
	digests, sealed, salts, twins       [][]byte
	users, created, expires, sliding    []int64
	realms, issuers, keys, forms, first []string
	ends, reusable                      []bool
}

func (c *tokenColumns) add(r tokenRow) {
	c.digests, c.sealed = append(c.digests, r.Digest), append(c.sealed, r.Sealed)
	c.salts, c.twins = append(c.salts, r.Salt), append(c.twins, r.Twin)
	c.users, c.created, c.sliding = append(c.users, r.UserID), append(c.created, r.CreatedAt), append(c.sliding, r.Sliding)
	c.expires, c.ends = append(c.expires, r.ExpiresAt.Int64), append(c.ends, r.ExpiresAt.Valid)
	c.realms, c.issuers, c.keys = append(c.realms, r.Realm), append(c.issuers, r.Issuer), append(c.keys, r.SealKey)
	c.forms, c.first = append(c.forms, r.Generation.String), append(c.first, r.Prefix.String)
	c.reusable = append(c.reusable, r.Reusable)
}

// addTokens inserts the tokens of a batch.
func (s *Store) addTokens(ctx context.Context, tx *sqlx.Tx, c tokenColumns) error {
	_, err := tx.ExecContext(ctx, s.in(`
		INSERT INTO @tokens (`+allColumns+`)
		SELECT digest, user_id, realm, issuer, created_at, CASE WHEN ends THEN expires_at END, sliding, reusable,
		       nullif(sealed, ''), seal_key, nullif(generation, ''), nullif(prefix, ''), nullif(salt, ''), nullif(twin, '')
		FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[], $8::bigint[],
		            $9::boolean[], $10::bytea[], $11::text[], $12::text[], $13::text[], $14::bytea[], $15::bytea[])
		AS n (digest, user_id, realm, issuer, created_at, expires_at, ends, sliding, reusable, sealed, seal_key, generation, prefix, salt, twin)`),
		pq.ByteaArray(c.digests), pq.Array(c.users), pq.Array(c.realms), pq.Array(c.issuers), pq.Array(c.created),
		pq.Array(c.expires), pq.Array(c.ends), pq.Array(c.sliding), pq.Array(c.reusable), pq.ByteaArray(c.sealed),
		pq.Array(c.keys), pq.Array(c.forms), pq.Array(c.first), pq.ByteaArray(c.salts), pq.ByteaArray(c.twins))
	return wrap("insert tokens", err)
}
