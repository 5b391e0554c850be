package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

const selectLinks = `SELECT user_id, source, key, mark, rehashed FROM imported_users `

func reachOf(ctx context.Context, q sqlx.QueryerContext, source int64) (r record.Reach, err error) {
	if err := q.QueryRowxContext(ctx, `
		SELECT (SELECT coalesce(max(id), 0) FROM users), (SELECT coalesce(max(user_id), 0) FROM imported_users), (SELECT coalesce(max(user_id), 0) FROM deleted_users),
		       EXISTS (SELECT 1 FROM imported_users WHERE source = ? AND key IS NOT NULL)`, source).Scan(&r.Users, &r.Links, &r.Deleted, &r.Keyed); err != nil {
		return r, fmt.Errorf("select ids: %w", err)
	}
	return r, nil
}

// linksOf reads the links of a source to users with one of the keys.
func linksOf(ctx context.Context, q sqlx.QueryerContext, r record.Reach, source int64, keys []string) (links []transfer.UserLink, err error) {
	if ids := record.UpTo(record.NumericKeys(keys), r.Links); len(ids) > 0 {
		links, err = readLinksOf(ctx, q, ids, selectLinks+`WHERE source = ? AND key IS NULL AND `, source)
	}
	if err != nil || !r.Keyed {
		return links, err
	}
	keyed, err := readLinks(ctx, q, len(keys), selectLinks+`WHERE source = ?1 AND key IS NOT NULL AND key IN (SELECT value FROM json_each(?2))`, source, jsonList(keys))
	return append(links, keyed...), err
}

// linksOfUsers reads the links of users.
func linksOfUsers(ctx context.Context, q sqlx.QueryerContext, ids []int64) ([]transfer.UserLink, error) {
	return readLinksOf(ctx, q, ids, selectLinks+`WHERE `)
}

// among returns the condition that column, its table's key, is one of the ids. The rows
// read are those that keep accepts.
func among(column string, ids []int64) (where string, args []any, keep func(id int64) bool) {
	if span, ok := record.SpanOf(ids); ok {
		return column + ` BETWEEN ? AND ?`, []any{span.From, span.To}, span.Asked
	}
	return column + ` IN (SELECT value FROM json_each(?))`, []any{jsonList(ids)}, func(int64) bool { return true }
}

// readLinksOf reads the links of users by a query that lacks the condition for them.
func readLinksOf(ctx context.Context, q sqlx.QueryerContext, ids []int64, query string, args ...any) ([]transfer.UserLink, error) {
	where, more, keep := among("user_id", ids)
	links, err := readLinks(ctx, q, len(ids), query+where, append(args, more...)...)
	return slices.DeleteFunc(links, func(l transfer.UserLink) bool { return !keep(l.UserID) }), err
}

// readLinks reads links, of which n are expected at most.
func readLinks(ctx context.Context, q sqlx.QueryerContext, n int, query string, args ...any) ([]transfer.UserLink, error) {
	rows, err := q.QueryxContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("select imported users: %w", err)
	}
	defer rows.Close()
	var links []transfer.UserLink
	for rows.Next() {
		var r record.UserLink
		if err := rows.Scan(&r.UserID, &r.Source, &r.Key, &r.Mark, &r.Rehashed); err != nil {
			return nil, fmt.Errorf("select imported users: %w", err)
		}
		links = append(record.Room(links, n), r.Core())
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("select imported users: %w", err)
	}
	return links, nil
}

// ImportOwners implements [transfer.ImportReader].
func (s *Store) ImportOwners(ctx context.Context, source int64, keys, names []string) (byKey, byName map[string]transfer.ImportedUser, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		byKey, byName = map[string]transfer.ImportedUser{}, map[string]transfer.ImportedUser{}
		const owners = `SELECT i.user_id, i.key, u.username FROM imported_users i JOIN users u ON u.id = i.user_id WHERE i.source = ?1 AND `
		for _, condition := range []struct{ where, list string }{
			{`i.key IS NULL AND i.user_id IN (SELECT value FROM json_each(?2))`, jsonList(record.NumericKeys(keys))},
			{`i.key IS NOT NULL AND i.key IN (SELECT value FROM json_each(?2))`, jsonList(keys)},
			{`u.username IN (SELECT value FROM json_each(?2))`, jsonList(names)},
		} {
			rows, err := s.reader.QueryxContext(ctx, owners+condition.where, source, condition.list)
			if err == nil {
				err = readOwners(rows, byKey, byName)
			}
			if err != nil {
				return fmt.Errorf("select imported users: %w", err)
			}
		}
		return nil
	})
	return byKey, byName, err
}

// readOwners reads users by key and by name, and closes the rows.
func readOwners(rows *sqlx.Rows, byKey, byName map[string]transfer.ImportedUser) error {
	defer rows.Close()
	for rows.Next() {
		var link record.UserLink
		var name string
		if err := rows.Scan(&link.UserID, &link.Key, &name); err != nil {
			return err
		}
		owner := transfer.ImportedUser{Key: link.Core().Key, Account: core.Account{User: core.User{ID: link.UserID, Username: name}}}
		byKey[owner.Key], byName[name] = owner, owner
	}
	return rows.Err()
}

// accountsOf reads the users who have one of the IDs or names.
func accountsOf(ctx context.Context, q sqlx.QueryerContext, ids []int64, names []string) (accounts []core.Account, err error) {
	found := make(map[string]bool, len(names))
	read := func(where string, args []any, keep func(int64) bool) error {
		rows, err := q.QueryxContext(ctx, `SELECT id, username, email, password_hash, active, attributes, created_at, last_login FROM users WHERE `+where, args...)
		if err != nil {
			return fmt.Errorf("select users: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var r record.Account
			if err := rows.Scan(&r.ID, &r.Username, &r.Email, &r.PasswordHash, &r.Active, &r.Attributes, &r.CreatedAt, &r.LastLogin); err != nil {
				return fmt.Errorf("select users: %w", err)
			}
			if !keep(r.ID) {
				continue
			}
			account, err := r.Core()
			if err != nil {
				return err
			}
			found[r.Username] = true
			accounts = append(record.Room(accounts, len(names)), account)
		}
		return rows.Err()
	}
	if len(ids) > 0 {
		if err := read(among("id", ids)); err != nil {
			return nil, err
		}
	}
	var others []string // most are found by their IDs
	for _, name := range names {
		if !found[name] {
			others = append(others, name)
		}
	}
	if len(others) == 0 {
		return accounts, nil
	}
	return accounts, read(`username IN (SELECT value FROM json_each(?))`, []any{jsonList(others)}, func(int64) bool { return true })
}

// UserFacts implements [transfer.ImportReader].
func (s *Store) UserFacts(ctx context.Context, source int64, users []transfer.ImportedUser) (facts transfer.ImportFacts, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		facts, err = userFacts(ctx, s.reader, source, users)
		return err
	})
	return facts, err
}

func userFacts(ctx context.Context, q sqlx.QueryerContext, source int64, users []transfer.ImportedUser) (facts transfer.ImportFacts, err error) {
	keys, names, ids := make([]string, len(users)), make([]string, len(users)), make([]int64, 0, len(users))
	for i, u := range users {
		keys[i], names[i] = u.Key, u.Username
		if u.ID != 0 {
			ids = append(ids, u.ID)
		}
	}
	r, err := reachOf(ctx, q, source)
	if err != nil {
		return facts, err
	}
	if facts.UserLinks, err = linksOf(ctx, q, r, source, keys); err != nil {
		return facts, err
	}
	ids = append(ids, record.UserIDs(facts.UserLinks)...)
	if facts.Users, err = accountsOf(ctx, q, record.UpTo(ids, r.Users), names); err != nil {
		return facts, err
	}
	known := make(map[int64]bool, len(facts.UserLinks))
	for _, l := range facts.UserLinks {
		known[l.UserID] = true
	}
	unknown := slices.DeleteFunc(ids, func(id int64) bool { return known[id] })
	for _, u := range facts.Users {
		if !known[u.ID] {
			unknown = append(unknown, u.ID)
		}
	}
	if gone := record.UpTo(unknown, r.Deleted); len(gone) > 0 {
		if err := sqlx.SelectContext(ctx, q, &facts.Deleted, `SELECT user_id FROM deleted_users WHERE user_id IN (SELECT value FROM json_each(?))`, jsonList(gone)); err != nil {
			return facts, fmt.Errorf("select deleted users: %w", err)
		}
	}
	if unknown = record.UpTo(unknown, r.Links); len(unknown) == 0 {
		return facts, nil
	}
	more, err := linksOfUsers(ctx, q, unknown)
	facts.UserLinks = append(facts.UserLinks, more...)
	return facts, err
}

// KeysAreIDs implements [transfer.ImportReader].
func (s *Store) KeysAreIDs(ctx context.Context, source int64) (all bool, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		const query = `SELECT NOT EXISTS (SELECT 1 FROM imported_users WHERE source = ? AND key IS NOT NULL)`
		if err := s.reader.GetContext(ctx, &all, query, source); err != nil {
			return fmt.Errorf("select imported users: %w", err)
		}
		return nil
	})
	return all, err
}

// TokenFacts implements [transfer.ImportReader].
func (s *Store) TokenFacts(ctx context.Context, source int64, tokens []transfer.ImportedToken) (facts transfer.ImportFacts, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		digests := record.Digests(tokens)
		err := factsOfDigests(ctx, s.reader, &facts, digests)
		if err == nil {
			_, err = tokenFacts(ctx, s.reader, transfer.Checkpoint{Source: source}, tokens, digests, &facts)
		}
		return err
	})
	return facts, err
}

// inHalves runs read over the first n rows of a batch: in two concurrent halves, if
// there are many rows and a reader is free. The transaction holds the write lock and
// has not written yet, so that the reader sees the same rows.
func (s *Store) inHalves(tx *sqlx.Tx, n int, read func(q sqlx.QueryerContext, from, to int) (transfer.ImportFacts, error)) (transfer.ImportFacts, error) {
	if n < record.MinHalved || !s.tryAcquireReader() {
		return read(tx, 0, n)
	}
	defer s.releaseReader()
	return record.InHalves(n, tx, s.reader, read)
}

// tokenColumns are the columns of a record.Token.
const tokenColumns = `digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key, generation, prefix, salt, twin`

// linkColumns are the columns that say where a token was imported from.
type linkColumns struct {
	Source sql.NullInt64
	Origin sql.NullString
}

// factsOfDigests reads the tokens that have one of the digests.
func factsOfDigests(ctx context.Context, q sqlx.QueryerContext, facts *transfer.ImportFacts, digests []core.Digest) error {
	return factsOfTokens(ctx, q, facts, len(digests), `json_each(?) AS list CROSS JOIN tokens ON digest = unhex(list.value)`, hexList(digests))
}

// tokenFacts adds to the tokens that have one of the digests the other facts that
// decide about tokens, and also returns the facts as a batch.
func tokenFacts(ctx context.Context, q sqlx.QueryerContext, checkpoint transfer.Checkpoint, tokens []transfer.ImportedToken, digests []core.Digest, facts *transfer.ImportFacts) (batch transfer.TokenBatch, err error) {
	twins, gone, err := rareTokens(ctx, q)
	if err != nil {
		return batch, err
	}
	if twins {
		if err := factsOfTokens(ctx, q, facts, len(digests), `tokens WHERE twin IS NOT NULL AND twin IN (SELECT unhex(value) FROM json_each(?))`, hexList(digests)); err != nil {
			return batch, err
		}
	}
	if gone {
		if err := linksOfGone(ctx, q, facts, hexList(digests)); err != nil {
			return batch, err
		}
	}
	batch = transfer.NewTokenBatch(checkpoint, *facts)
	users := batch.Unlinked(tokens)
	if len(users) == 0 {
		return batch, nil
	}
	more, err := factsOfOwners(ctx, q, checkpoint.Source, users, slices.ContainsFunc(tokens, func(t transfer.ImportedToken) bool { return t.Reusable }))
	batch.Add(more)
	*facts = facts.And(more)
	return batch, err
}

// rareTokens reports whether any token has a twin, and whether there are links of deleted tokens.
func rareTokens(ctx context.Context, q sqlx.QueryerContext) (twins, gone bool, err error) {
	if err := q.QueryRowxContext(ctx, `SELECT EXISTS (SELECT 1 FROM tokens WHERE twin IS NOT NULL), EXISTS (SELECT 1 FROM imported_tokens)`).Scan(&twins, &gone); err != nil {
		return false, false, fmt.Errorf("select tokens: %w", err)
	}
	return twins, gone, nil
}

// factsOfOwners reads which users were imported from a source and, if reusing is set,
// their reusable tokens.
func factsOfOwners(ctx context.Context, q sqlx.QueryerContext, source int64, users []int64, reusing bool) (facts transfer.ImportFacts, err error) {
	if facts.UserLinks, err = readLinksOf(ctx, q, users, selectLinks+`i WHERE source = ? AND EXISTS (SELECT 1 FROM users u WHERE u.id = i.user_id)
		AND `, source); err != nil || !reusing {
		return facts, err
	}
	var last int64
	if err := sqlx.GetContext(ctx, q, &last, `SELECT coalesce(max(user_id), 0) FROM tokens`); err != nil {
		return facts, fmt.Errorf("select tokens: %w", err)
	}
	if users = record.UpTo(users, last); len(users) > 0 {
		err = factsOfTokens(ctx, q, &facts, len(users), `tokens WHERE reusable = 1 AND user_id IN (SELECT value FROM json_each(?))`, jsonList(users))
	}
	return facts, err
}

// factsOfTokens reads the facts that decide about existing tokens, of which n are
// expected at most.
func factsOfTokens(ctx context.Context, q sqlx.QueryerContext, facts *transfer.ImportFacts, n int, from, list string) error {
	rows, err := q.QueryxContext(ctx, `SELECT digest, user_id, realm, issuer, expires_at, reusable, twin, source, origin FROM `+from, list)
	if err != nil {
		return fmt.Errorf("select tokens: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r record.Token
		var l linkColumns
		if err := rows.Scan(&r.Digest, &r.UserID, &r.Realm, &r.Issuer, &r.ExpiresAt, &r.Reusable, &r.LegacyDigest, &l.Source, &l.Origin); err != nil {
			return fmt.Errorf("select tokens: %w", err)
		}
		token := r.Core()
		token.Legacy = r.Legacy()
		facts.Tokens = append(record.Room(facts.Tokens, n), token)
		if l.Source.Valid {
			facts.TokenLinks = append(record.Room(facts.TokenLinks, n), transfer.TokenLink{Digest: r.Digest, Source: l.Source.Int64, Table: l.Origin.String})
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("select tokens: %w", err)
	}
	return nil
}

// linksOfGone reads the links of deleted tokens.
func linksOfGone(ctx context.Context, q sqlx.QueryerContext, facts *transfer.ImportFacts, digests string) error {
	rows, err := q.QueryxContext(ctx, `SELECT digest, source, origin, absent FROM imported_tokens WHERE digest IN (SELECT unhex(value) FROM json_each(?))`, digests)
	if err != nil {
		return fmt.Errorf("select imported tokens: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l transfer.TokenLink
		if err := rows.Scan(&l.Digest, &l.Source, &l.Table, &l.Absent); err != nil {
			return fmt.Errorf("select imported tokens: %w", err)
		}
		facts.TokenLinks = append(facts.TokenLinks, l)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("select imported tokens: %w", err)
	}
	return nil
}
