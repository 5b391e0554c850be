package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

// linkRow is a row of imported_users.
type linkRow struct {
	UserID   int64 `db:"user_id"`
	Source   int64
	Key      sql.NullString
	Mark     []byte
	Rehashed []byte
}

const selectLinks = `SELECT user_id, source, key, mark, rehashed FROM imported_users `

// link gives the row as the engine knows it.
func (r linkRow) link() core.UserLink {
	l := core.UserLink{UserID: r.UserID, Source: r.Source, Key: r.Key.String, Mark: r.Mark, Rehashed: r.Rehashed}
	if !r.Key.Valid {
		l.Key = strconv.FormatInt(r.UserID, 10)
	}
	return l
}

// keyColumn gives the column key for a user whom the source knows by a key.
func keyColumn(userID int64, key string) sql.NullString {
	return sql.NullString{String: key, Valid: key != strconv.FormatInt(userID, 10)}
}

// numbers gives the keys that may stand for an id.
func numbers(keys []string) []int64 {
	var ids []int64
	for _, key := range keys {
		if id, err := strconv.ParseInt(key, 10, 64); err == nil && strconv.FormatInt(id, 10) == key {
			ids = append(ids, id)
		}
	}
	return ids
}

// linksOf reads the links of a source that have one of the keys.
func linksOf(ctx context.Context, q sqlx.QueryerContext, source int64, keys []string) ([]core.UserLink, error) {
	return readLinks(ctx, q, selectLinks+`WHERE source = ?1 AND key IS NULL AND user_id IN (SELECT value FROM json_each(?2))
		UNION ALL `+selectLinks+`WHERE source = ?1 AND key IS NOT NULL AND key IN (SELECT value FROM json_each(?3))`,
		source, jsonList(numbers(keys)), jsonList(keys))
}

// linksOfUsers reads the links of users.
func linksOfUsers(ctx context.Context, q sqlx.QueryerContext, ids []int64) ([]core.UserLink, error) {
	return readLinks(ctx, q, selectLinks+`WHERE user_id IN (SELECT value FROM json_each(?))`, jsonList(ids))
}

func readLinks(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) ([]core.UserLink, error) {
	var rows []linkRow
	if err := sqlx.SelectContext(ctx, q, &rows, query, args...); err != nil {
		return nil, fmt.Errorf("select imported users: %w", err)
	}
	links := make([]core.UserLink, len(rows))
	for i, row := range rows {
		links[i] = row.link()
	}
	return links, nil
}

// ImportOwners implements [core.ImportReader].
func (s *Store) ImportOwners(ctx context.Context, source int64, keys, names []string) (byKey, byName map[string]core.ImportedUser, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		byKey, byName = map[string]core.ImportedUser{}, map[string]core.ImportedUser{}
		links, err := linksOf(ctx, s.reader, source, keys)
		if err != nil {
			return err
		}
		accounts, err := accountsOf(ctx, s.reader, userIDs(links), names)
		if err != nil {
			return err
		}
		ids := make([]int64, len(accounts))
		byID := make(map[int64]core.Account, len(accounts))
		for i, a := range accounts {
			ids[i], byID[a.ID] = a.ID, a
		}
		if len(names) > 0 {
			if links, err = linksOfUsers(ctx, s.reader, ids); err != nil {
				return err
			}
		}
		for _, l := range links {
			if account, here := byID[l.UserID]; here && l.Source == source {
				owner := core.ImportedUser{Key: l.Key, Account: account}
				byKey[l.Key], byName[account.Username] = owner, owner
			}
		}
		return nil
	})
	return byKey, byName, err
}

func userIDs(links []core.UserLink) []int64 {
	ids := make([]int64, len(links))
	for i, l := range links {
		ids[i] = l.UserID
	}
	return ids
}

// accountsOf reads the users who have one of the ids or of the names.
func accountsOf(ctx context.Context, q sqlx.QueryerContext, ids []int64, names []string) ([]core.Account, error) {
	var rows []accountRow
	if err := sqlx.SelectContext(ctx, q, &rows, `
		SELECT id, username, email, password_hash, active, attributes, created_at FROM users
		WHERE id IN (SELECT value FROM json_each(?)) OR username IN (SELECT value FROM json_each(?))`,
		jsonList(ids), jsonList(names)); err != nil {
		return nil, fmt.Errorf("select users: %w", err)
	}
	accounts := make([]core.Account, 0, len(rows))
	for _, row := range rows {
		account, err := row.account()
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}

// UserFacts implements [core.ImportReader].
func (s *Store) UserFacts(ctx context.Context, source int64, users []core.ImportedUser) (facts core.ImportFacts, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		facts, err = userFacts(ctx, s.reader, source, users)
		return err
	})
	return facts, err
}

func userFacts(ctx context.Context, q sqlx.QueryerContext, source int64, users []core.ImportedUser) (facts core.ImportFacts, err error) {
	keys, names, ids := make([]string, len(users)), make([]string, len(users)), make([]int64, 0, len(users))
	for i, u := range users {
		keys[i], names[i] = u.Key, u.Username
		if u.ID != 0 {
			ids = append(ids, u.ID)
		}
	}
	if facts.UserLinks, err = linksOf(ctx, q, source, keys); err != nil {
		return facts, err
	}
	ids = append(ids, userIDs(facts.UserLinks)...)
	if facts.Users, err = accountsOf(ctx, q, ids, names); err != nil {
		return facts, err
	}
	known := make(map[int64]bool, len(facts.UserLinks))
	for _, l := range facts.UserLinks {
		known[l.UserID] = true
	}
	for _, u := range facts.Users {
		ids = append(ids, u.ID)
	}
	more, err := linksOfUsers(ctx, q, ids)
	for _, l := range more {
		if !known[l.UserID] {
			facts.UserLinks = append(facts.UserLinks, l)
		}
	}
	return facts, err
}

// TokenFacts implements [core.ImportReader].
func (s *Store) TokenFacts(ctx context.Context, source int64, tokens []core.ImportedToken) (facts core.ImportFacts, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		facts, err = tokenFacts(ctx, s.reader, tokens)
		return err
	})
	return facts, err
}

// tokenColumns are the columns of a tokenRow.
const tokenColumns = `digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, sealed, seal_key, generation, prefix, salt, twin`

func tokenFacts(ctx context.Context, q sqlx.QueryerContext, tokens []core.ImportedToken) (facts core.ImportFacts, err error) {
	ids, digests := make([]int64, 0, len(tokens)), make([]core.Digest, 0, len(tokens))
	for _, t := range tokens {
		ids, digests = append(ids, t.UserID), append(digests, t.Digest)
	}
	if facts.UserLinks, err = linksOfUsers(ctx, q, ids); err != nil {
		return facts, err
	}
	if facts.Users, err = accountsOf(ctx, q, ids, nil); err != nil {
		return facts, err
	}
	list := hexList(digests)
	var links []struct {
		Digest      []byte
		Source, Run int64
		Origin      string
		Absent      bool
	}
	if err := sqlx.SelectContext(ctx, q, &links,
		`SELECT digest, source, run, origin, absent FROM imported_tokens WHERE digest IN (SELECT unhex(value) FROM json_each(?))`, list); err != nil {
		return facts, fmt.Errorf("select imported tokens: %w", err)
	}
	for _, l := range links {
		facts.TokenLinks = append(facts.TokenLinks, core.TokenLink{Digest: l.Digest, Source: l.Source, Table: l.Origin, Run: l.Run, Absent: l.Absent})
	}
	for _, condition := range []struct{ where, list string }{
		{`WHERE digest IN (SELECT unhex(value) FROM json_each(?))`, list},
		{`WHERE twin IS NOT NULL AND twin IN (SELECT unhex(value) FROM json_each(?))`, list},
		{`WHERE reusable = 1 AND user_id IN (SELECT value FROM json_each(?))`, jsonList(ids)},
	} {
		var rows []tokenRow
		if err := sqlx.SelectContext(ctx, q, &rows, `SELECT `+tokenColumns+` FROM tokens `+condition.where, condition.list); err != nil {
			return facts, fmt.Errorf("select tokens: %w", err)
		}
		for _, row := range rows {
			token := row.token()
			token.Legacy = row.legacy()
			facts.Tokens = append(facts.Tokens, token)
		}
	}
	return facts, nil
}
