package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

const selectLinks = `SELECT user_id, source, key, mark, rehashed FROM @imported_users `

func (s *Store) reachOf(ctx context.Context, q sqlx.QueryerContext, source int64) (r record.Reach, err error) {
	err = q.QueryRowxContext(ctx, s.qualify(`
		SELECT (SELECT coalesce(max(id), 0) FROM @users), (SELECT coalesce(max(user_id), 0) FROM @imported_users), (SELECT coalesce(max(user_id), 0) FROM @deleted_users),
		       EXISTS (SELECT 1 FROM @imported_users WHERE source = $1 AND key IS NOT NULL)`), source).Scan(&r.Users, &r.Links, &r.Deleted, &r.Keyed)
	return r, wrap("select ids", err)
}

// linksOf reads the links of a source to users with one of the keys.
func (s *Store) linksOf(ctx context.Context, q sqlx.QueryerContext, r record.Reach, source int64, keys []string) (links []transfer.UserLink, err error) {
	if ids := record.UpTo(record.NumericKeys(keys), r.Links); len(ids) > 0 {
		links, err = s.readLinksOf(ctx, q, ids, selectLinks+`WHERE source = $1 AND key IS NULL AND `, source)
	}
	if err != nil || !r.Keyed {
		return links, err
	}
	keyed, err := s.readLinks(ctx, q, len(keys), selectLinks+`WHERE source = $1 AND key IS NOT NULL AND key = ANY ($2::text[])`, source, pq.Array(keys))
	return append(links, keyed...), err
}

// linksOfUsers reads the links of users.
func (s *Store) linksOfUsers(ctx context.Context, q sqlx.QueryerContext, ids []int64) ([]transfer.UserLink, error) {
	return s.readLinksOf(ctx, q, ids, selectLinks+`WHERE `)
}

// among returns the condition that column, its table's key, is one of the ids, with
// parameters from $first on. The rows read are those that keep accepts.
func among(column string, first int, ids []int64) (where string, args []any, keep func(id int64) bool) {
	if span, ok := record.SpanOf(ids); ok {
		return fmt.Sprintf(`%s BETWEEN $%d AND $%d`, column, first, first+1), []any{span.From, span.To}, span.Asked
	}
	return column + ` = ` + anyOf(first, "bigint"), []any{pq.Array(ids)}, func(int64) bool { return true }
}

// anyOf is an ANY condition on the list $parameter. As it is a subquery, PostgreSQL
// does not know the list's length and uses the index: for thousands of elements it
// would plan to read the whole table, in each batch.
func anyOf(parameter int, element string) string {
	return fmt.Sprintf(`ANY ((SELECT $%d::%s[])::%[2]s[])`, parameter, element)
}

// readLinksOf reads the links of users by a query that lacks the condition for them;
// args are the query's other parameters.
func (s *Store) readLinksOf(ctx context.Context, q sqlx.QueryerContext, ids []int64, query string, args ...any) ([]transfer.UserLink, error) {
	where, more, keep := among("user_id", len(args)+1, ids)
	links, err := s.readLinks(ctx, q, len(ids), query+where, append(args, more...)...)
	return slices.DeleteFunc(links, func(l transfer.UserLink) bool { return !keep(l.UserID) }), err
}

// readLinks reads links, of which n are expected at most.
func (s *Store) readLinks(ctx context.Context, q sqlx.QueryerContext, n int, query string, args ...any) ([]transfer.UserLink, error) {
	rows, err := q.QueryxContext(ctx, s.qualify(query), args...)
	if err != nil {
		return nil, wrap("select imported users", err)
	}
	defer rows.Close()
	var links []transfer.UserLink
	for rows.Next() {
		var r record.UserLink
		if err := rows.Scan(&r.UserID, &r.Source, &r.Key, &r.Mark, &r.Rehashed); err != nil {
			return nil, wrap("select imported users", err)
		}
		links = append(record.Room(links, n), r.Core())
	}
	return links, wrap("select imported users", rows.Err())
}

// ImportOwners implements [transfer.ImportReader].
func (s *Store) ImportOwners(ctx context.Context, source int64, keys, names []string) (byKey, byName map[string]transfer.ImportedUser, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		byKey, byName = map[string]transfer.ImportedUser{}, map[string]transfer.ImportedUser{}
		const owners = `SELECT i.user_id, i.key, u.username FROM @imported_users i JOIN @users u ON u.id = i.user_id WHERE i.source = $1 AND `
		for _, condition := range []struct {
			where string
			list  any
		}{
			{`i.key IS NULL AND i.user_id = ANY ($2::bigint[])`, pq.Array(record.NumericKeys(keys))},
			{`i.key IS NOT NULL AND i.key = ANY ($2::text[])`, pq.Array(keys)},
			{`u.username = ANY ($2::text[])`, pq.Array(names)},
		} {
			var rows []struct {
				record.UserLink
				Username string
			}
			if err := s.db.SelectContext(ctx, &rows, s.qualify(owners+condition.where), source, condition.list); err != nil {
				return wrap("select imported users", err)
			}
			for _, row := range rows {
				owner := transfer.ImportedUser{Key: row.Core().Key, Account: core.Account{User: core.User{ID: row.UserID, Username: row.Username}}}
				byKey[owner.Key], byName[row.Username] = owner, owner
			}
		}
		return nil
	})
	return byKey, byName, err
}

// accountsOf reads the users who have one of the IDs or names. Unless skipped is nil, it does
// not look up the names, and sets skipped, if nobody has one of the IDs, or of a sample of
// the names.
func (s *Store) accountsOf(ctx context.Context, q sqlx.QueryerContext, ids []int64, names []string, skipped *atomic.Bool) (accounts []core.Account, err error) {
	found := make(map[string]bool, len(names))
	read := func(where string, args []any, keep func(int64) bool) error {
		rows, err := q.QueryxContext(ctx, s.qualify(`
			SELECT id, username, email, password_hash, active, attributes, created_at, last_login FROM @users WHERE `+where), args...)
		if err != nil {
			return wrap("select users", err)
		}
		defer rows.Close()
		for rows.Next() {
			var r record.Account
			if err := rows.Scan(&r.ID, &r.Username, &r.Email, &r.PasswordHash, &r.Active, &r.Attributes, &r.CreatedAt, &r.LastLogin); err != nil {
				return wrap("select users", err)
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
		return wrap("select users", rows.Err())
	}
	if len(ids) > 0 {
		if err := read(among("id", 1, ids)); err != nil {
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
	if skipped != nil && len(accounts) == 0 {
		var none bool
		err := sqlx.GetContext(ctx, q, &none, s.qualify(`SELECT NOT EXISTS (SELECT 1 FROM @users WHERE username = `+anyOf(1, "text")+`)`), pq.Array(record.Sample(others)))
		if err != nil {
			return nil, wrap("select users", err)
		}
		if none {
			skipped.Store(true)
			return nil, nil
		}
	}
	return accounts, read(`username = `+anyOf(1, "text"), []any{pq.Array(others)}, func(int64) bool { return true })
}

// UserFacts implements [transfer.ImportReader].
func (s *Store) UserFacts(ctx context.Context, source int64, users []transfer.ImportedUser) (facts transfer.ImportFacts, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		r, err := s.reachOf(ctx, s.db, source)
		if err == nil {
			facts, err = s.userFacts(ctx, s.db, r, source, users, nil)
		}
		return err
	})
	return facts, err
}

// userFacts reads the facts about users. Unless skipped is nil, it may leave out who else has
// their names, and sets skipped then, for a caller that adds all of them: the table lets
// nobody have a name twice.
func (s *Store) userFacts(ctx context.Context, q sqlx.QueryerContext, r record.Reach, source int64, users []transfer.ImportedUser, skipped *atomic.Bool) (facts transfer.ImportFacts, err error) {
	keys, ids := make([]string, 0, len(users)), make([]int64, 0, len(users))
	var names []string
	for _, u := range users {
		if !strings.ContainsRune(u.Key, 0) && utf8.ValidString(u.Key) {
			keys = append(keys, u.Key)
		}
		if u.ID != 0 {
			ids = append(ids, u.ID)
		}
		if transfer.MergeUser(u, transfer.UserState{}).Result.Outcome != transfer.ImportRefused {
			names = append(names, u.Username) // refused ones may not be valid text in PostgreSQL
		}
	}
	if facts.UserLinks, err = s.linksOf(ctx, q, r, source, keys); err != nil {
		return facts, err
	}
	ids = append(ids, record.UserIDs(facts.UserLinks)...)
	if facts.Users, err = s.accountsOf(ctx, q, record.UpTo(ids, r.Users), names, skipped); err != nil {
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
		if err := sqlx.SelectContext(ctx, q, &facts.Deleted, s.qualify(`SELECT user_id FROM @deleted_users WHERE user_id = ANY ($1)`), pq.Array(gone)); err != nil {
			return facts, wrap("select deleted users", err)
		}
	}
	if unknown = record.UpTo(unknown, r.Links); len(unknown) == 0 {
		return facts, nil
	}
	more, err := s.linksOfUsers(ctx, q, unknown)
	facts.UserLinks = append(facts.UserLinks, more...)
	return facts, err
}

// KeysAreIDs implements [transfer.ImportReader].
func (s *Store) KeysAreIDs(ctx context.Context, source int64) (all bool, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		const query = `SELECT NOT EXISTS (SELECT 1 FROM @imported_users WHERE source = $1 AND key IS NOT NULL)`
		return wrap("select imported users", s.db.GetContext(ctx, &all, s.qualify(query), source))
	})
	return all, err
}

// inHalves runs read over the first n rows of a batch: in two concurrent halves, if
// there are many rows and a connection is free. That requires READ COMMITTED, where
// each statement sees what is committed, and a transaction that has not written yet: at
// another level, the second half would not be part of the transaction's snapshot, and a
// conflict with later changes would go unnoticed.
func (s *Store) inHalves(ctx context.Context, tx *sqlx.Tx, n int, read func(q sqlx.QueryerContext, from, to int) (transfer.ImportFacts, error)) (transfer.ImportFacts, error) {
	if n < record.MinHalved {
		return read(tx, 0, n)
	}
	var level string
	if err := tx.GetContext(ctx, &level, `SHOW transaction_isolation`); err != nil {
		return transfer.ImportFacts{}, wrap("show isolation level", err)
	}
	if level != "read committed" {
		return read(tx, 0, n)
	}
	second, release, ok := s.pool.TryConn(ctx)
	if !ok {
		return read(tx, 0, n) // a server without a free connection still has this one
	}
	defer release()
	return record.InHalves(n, tx, second, read)
}
