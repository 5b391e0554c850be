package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"strconv"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// TokenFacts implements [transfer.ImportReader].
func (s *Store) TokenFacts(ctx context.Context, source int64, tokens []transfer.ImportedToken) (facts transfer.ImportFacts, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		digests := record.Digests(tokens)
		facts, err = s.factsOfDigests(ctx, s.db, digests)
		if err == nil {
			_, err = s.tokenFacts(ctx, s.db, transfer.Checkpoint{Source: source}, tokens, digests, &facts, "")
		}
		return err
	})
	return facts, err
}

// factsOfDigests reads the tokens that have one of the digests.
func (s *Store) factsOfDigests(ctx context.Context, q sqlx.QueryerContext, digests []core.Digest) (facts transfer.ImportFacts, err error) {
	err = s.factsOfTokens(ctx, q, &facts, len(digests), `digest = `+anyOf(1, "bytea"), pq.ByteaArray(raw(digests)))
	return facts, err
}

// existingTokens reads the tokens that have one of the digests, which are sorted and those of
// tokens. In a later run most are here, and belong to users whose ids are close together:
// all tokens of these users take half the time of a look-up of each digest, since they
// lie in the order in which they came.
func (s *Store) existingTokens(ctx context.Context, tx *sqlx.Tx, tokens []transfer.ImportedToken, digests []core.Digest) (facts transfer.ImportFacts, err error) {
	users := make([]int64, len(tokens))
	for i, t := range tokens {
		users[i] = t.UserID
	}
	rest := digests
	if span, ok := record.SpanOf(users); ok {
		facts, err = s.inHalves(ctx, tx, len(tokens), func(q sqlx.QueryerContext, from, to int) (transfer.ImportFacts, error) {
			return s.factsOfSpan(ctx, q, span.Part(from, to, len(tokens)), to-from)
		})
		if err != nil {
			return facts, err
		}
		facts, rest = tokensAmong(facts, digests)
	}
	if len(rest) == 0 {
		return facts, nil
	}
	more, err := s.inHalves(ctx, tx, len(rest), func(q sqlx.QueryerContext, from, to int) (transfer.ImportFacts, error) {
		return s.factsOfDigests(ctx, q, rest[from:to])
	})
	return facts.And(more), err
}

// factsOfSpan reads tokens of users, of which n are expected. Users may have many more:
// those beyond twice as many are left to a look-up of their digests.
func (s *Store) factsOfSpan(ctx context.Context, q sqlx.QueryerContext, users record.Span, n int) (facts transfer.ImportFacts, err error) {
	err = s.factsOfTokens(ctx, q, &facts, n, `user_id BETWEEN $1 AND $2 LIMIT $3`, users.From, users.To, 2*n)
	return facts, err
}

// tokensAmong returns the facts about the tokens that have one of the digests, which are
// sorted, and the digests that none has.
func tokensAmong(facts transfer.ImportFacts, digests []core.Digest) (among transfer.ImportFacts, rest []core.Digest) {
	index := func(d core.Digest) (int, bool) {
		return slices.BinarySearchFunc(digests, d, func(a, b core.Digest) int { return bytes.Compare(a, b) })
	}
	found := make([]bool, len(digests))
	facts.Tokens = slices.DeleteFunc(facts.Tokens, func(t core.Token) bool {
		i, ok := index(t.Digest)
		if ok {
			found[i] = true
		}
		return !ok
	})
	facts.TokenLinks = slices.DeleteFunc(facts.TokenLinks, func(l transfer.TokenLink) bool {
		_, ok := index(l.Digest)
		return !ok
	})
	for i, d := range digests {
		if !found[i] {
			rest = append(rest, d)
		}
	}
	return facts, rest
}

// tokenFacts adds to the tokens that have one of the digests the other facts that
// decide about tokens, and also returns the facts as a batch. lock locks the users of
// tokens that may have to be written.
func (s *Store) tokenFacts(ctx context.Context, q sqlx.QueryerContext, checkpoint transfer.Checkpoint, tokens []transfer.ImportedToken, digests []core.Digest, facts *transfer.ImportFacts, lock string) (batch transfer.TokenBatch, err error) {
	// With ORDER BY, PostgreSQL uses the index, which is small.
	var twins, gone, keyed bool
	if err := q.QueryRowxContext(ctx, s.qualify(`
		SELECT (SELECT twin FROM @tokens WHERE twin IS NOT NULL ORDER BY twin LIMIT 1) IS NOT NULL, EXISTS (SELECT 1 FROM @imported_tokens),
		       EXISTS (SELECT 1 FROM @imported_users WHERE source = $1 AND key IS NOT NULL)`), checkpoint.Source).
		Scan(&twins, &gone, &keyed); err != nil {
		return batch, wrap("select tokens", err)
	}
	if twins {
		if err := s.factsOfTokens(ctx, q, facts, len(digests), `twin IS NOT NULL AND twin = `+anyOf(1, "bytea"), pq.ByteaArray(raw(digests))); err != nil {
			return batch, err
		}
	}
	if gone {
		if err := s.linksOfGone(ctx, q, facts, pq.ByteaArray(raw(digests))); err != nil {
			return batch, err
		}
	}
	batch = transfer.NewTokenBatch(checkpoint, *facts)
	users := batch.Unlinked(tokens)
	if len(users) == 0 {
		return batch, nil
	}
	owners := owners{source: checkpoint.Source, users: users, keyed: keyed, lock: lock}
	more, err := s.factsOfOwners(ctx, q, owners, slices.ContainsFunc(tokens, func(t transfer.ImportedToken) bool { return t.Reusable }))
	batch.Add(more)
	*facts = facts.And(more)
	return batch, err
}

// owners are the users of tokens, of whom it has to be known whether they were imported.
type owners struct {
	source int64
	users  []int64
	keyed  bool   // some have a key at the source that is not their ID here
	lock   string // ends the statement that reads the users, and locks them
}

// factsOfOwners reads which users were imported from a source and, if reusing is set,
// their reusable tokens.
func (s *Store) factsOfOwners(ctx context.Context, q sqlx.QueryerContext, o owners, reusing bool) (facts transfer.ImportFacts, err error) {
	if facts.UserLinks, err = s.linksOfOwners(ctx, q, o); err != nil || !reusing {
		return facts, err
	}
	var last int64
	if err := sqlx.GetContext(ctx, q, &last, s.qualify(`SELECT coalesce(max(user_id), 0) FROM @tokens`)); err != nil {
		return facts, wrap("select tokens", err)
	}
	if users := record.UpTo(o.users, last); len(users) > 0 {
		err = s.factsOfTokens(ctx, q, &facts, len(users), `reusable AND user_id = `+anyOf(1, "bigint"), pq.Array(users))
	}
	return facts, err
}

// linksOfOwners reads which of the users were imported from a source, without their marks. Mostly
// all were, and it takes half the time to count them.
func (s *Store) linksOfOwners(ctx context.Context, q sqlx.QueryerContext, o owners) ([]transfer.UserLink, error) {
	where, args := `= `+anyOf(2, "bigint"), []any{o.source, pq.Array(o.users)}
	if span, ok := record.SpanOf(o.users); ok && span.Whole { // with gaps, it would lock other rows
		where, args = `BETWEEN $2 AND $3`, []any{o.source, span.From, span.To}
	}
	if !o.keyed {
		distinct := slices.Compact(slices.Sorted(slices.Values(o.users)))
		var here, linked int
		if err := q.QueryRowxContext(ctx, s.qualify(`
			WITH here AS (SELECT u.id FROM @users u WHERE u.id `+where+` `+o.lock+`)
			SELECT (SELECT count(*) FROM here), (SELECT count(*) FROM @imported_users WHERE user_id `+where+` AND source = $1 AND key IS NULL)`), args...).Scan(&here, &linked); err != nil {
			return nil, wrap("select imported users", err)
		}
		if here == len(distinct) && linked == here {
			links := make([]transfer.UserLink, here)
			for i, id := range distinct {
				links[i] = transfer.UserLink{UserID: id, Source: o.source, Key: strconv.FormatInt(id, 10)}
			}
			return links, nil
		}
	}
	// A join would be planned, for thousands of users, as a scan of the whole table.
	rows, err := q.QueryxContext(ctx, s.qualify(`
		SELECT u.id, (SELECT coalesce(i.key, i.user_id::text) FROM @imported_users i WHERE i.user_id = u.id AND i.source = $1)
		FROM @users u WHERE u.id `+where+` `+o.lock), args...)
	if err != nil {
		return nil, wrap("select imported users", err)
	}
	defer rows.Close()
	var links []transfer.UserLink
	for rows.Next() {
		var key sql.NullString
		l := transfer.UserLink{Source: o.source}
		if err := rows.Scan(&l.UserID, &key); err != nil {
			return nil, wrap("select imported users", err)
		}
		if l.Key = key.String; key.Valid {
			links = append(record.Room(links, len(o.users)), l)
		}
	}
	return links, wrap("select imported users", rows.Err())
}

// factsOfTokens reads the facts that decide about existing tokens, of which n are
// expected at most.
func (s *Store) factsOfTokens(ctx context.Context, q sqlx.QueryerContext, facts *transfer.ImportFacts, n int, where string, args ...any) error {
	rows, err := q.QueryxContext(ctx, s.qualify(`SELECT digest, user_id, realm, issuer, expires_at, reusable, twin, source, origin FROM @tokens WHERE `+where), args...)
	if err != nil {
		return wrap("select tokens", err)
	}
	defer rows.Close()
	for rows.Next() {
		var (
			r      record.Token
			source sql.NullInt64
			origin sql.NullString
		)
		if err := rows.Scan(&r.Digest, &r.UserID, &r.Realm, &r.Issuer, &r.ExpiresAt, &r.Reusable, &r.LegacyDigest, &source, &origin); err != nil {
			return wrap("select tokens", err)
		}
		token := r.Core()
		token.Legacy = r.Legacy()
		facts.Tokens = append(record.Room(facts.Tokens, n), token)
		if source.Valid {
			facts.TokenLinks = append(record.Room(facts.TokenLinks, n), transfer.TokenLink{Digest: r.Digest, Source: source.Int64, Table: origin.String})
		}
	}
	return wrap("select tokens", rows.Err())
}

// linksOfGone reads the links of deleted tokens.
func (s *Store) linksOfGone(ctx context.Context, q sqlx.QueryerContext, facts *transfer.ImportFacts, digests any) error {
	var links []struct {
		Digest []byte
		Source int64
		Origin string
		Absent bool
	}
	if err := sqlx.SelectContext(ctx, q, &links,
		s.qualify(`SELECT digest, source, origin, absent FROM @imported_tokens WHERE digest = ANY ($1::bytea[])`), digests); err != nil {
		return wrap("select imported tokens", err)
	}
	for _, l := range links {
		facts.TokenLinks = append(facts.TokenLinks, transfer.TokenLink{Digest: l.Digest, Source: l.Source, Table: l.Origin, Absent: l.Absent})
	}
	return nil
}
