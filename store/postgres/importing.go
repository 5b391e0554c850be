package postgres

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

var _ transfer.Importer = (*Store)(nil)

const selectImport = `SELECT id, run, options, stage, reached, tables FROM @imports WHERE source = $1`

// FindImport implements [transfer.ImportReader].
func (s *Store) FindImport(ctx context.Context, source string) (place transfer.Checkpoint, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		var row record.Import
		err := s.db.GetContext(ctx, &row, s.qualify(selectImport), source)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return wrap("select import", err)
		}
		place, err = row.Place()
		return err
	})
	return place, err
}

// BeginImport implements [transfer.Importer].
func (s *Store) BeginImport(ctx context.Context, source, options string) (place transfer.Checkpoint, err error) {
	err = s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		var row record.Import
		err := tx.GetContext(ctx, &row, s.qualify(selectImport), source)
		if errors.Is(err, sql.ErrNoRows) {
			err = tx.GetContext(ctx, &row, s.qualify(`
				INSERT INTO @imports (source, options, run, stage, reached) VALUES ($1, '', 0, '', '')
				RETURNING id, run, options, stage, reached, tables`), source)
		}
		if err != nil {
			return fmt.Errorf("select import: %w", err)
		}
		if place, err = row.Place(); err != nil {
			return err
		}
		if row.Stage == "" || row.Options != options {
			place.Run, place.Stage, place.Cursor = row.Run+1, "", ""
		}
		place.Options = options
		return nil
	})
	return place, err
}

// keepPlace writes how far the import has come.
func (s *Store) keepPlace(ctx context.Context, tx *sqlx.Tx, p transfer.Checkpoint) error {
	tables, err := json.Marshal(append([]string{}, p.Tables...))
	if err != nil {
		return wrap("encode tables", err)
	}
	_, err = tx.ExecContext(ctx, s.qualify(`UPDATE @imports SET run = $1, options = $2, stage = $3, reached = $4, tables = $5 WHERE id = $6`),
		p.Run, p.Options, p.Stage, p.Cursor, string(tables), p.Source)
	return wrap("keep place", err)
}

// FinishImport implements [transfer.Importer].
func (s *Store) FinishImport(ctx context.Context, place transfer.Checkpoint, tables []string) (ended int, err error) {
	for len(tables) > 0 {
		n, err := s.endUnseen(ctx, place, tables)
		if err != nil {
			return ended, err
		}
		if n == 0 {
			break
		}
		ended += n
	}
	err = s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		if _, err := tx.ExecContext(ctx, s.qualify(`DELETE FROM @import_seen WHERE source = $1`), place.Source); err != nil {
			return fmt.Errorf("forget seen tokens: %w", err)
		}
		return s.keepPlace(ctx, tx, transfer.Checkpoint{Source: place.Source, Run: place.Run, Tables: place.Tables})
	})
	return ended, err
}

// linkedTokens is the condition of the tokens here that are of tables of a source;
// $1 is the source, $2 the tables. Those whose table is not known may be of any.
// unseenTokens is that of those which the run $3 has not seen.
const (
	linkedTokens = `t.source = $1 AND (t.origin = '' OR t.origin = ANY ($2::text[]))`
	unseenTokens = `NOT EXISTS (SELECT 1 FROM @import_seen s WHERE s.digest = t.digest AND s.source = $1 AND s.run = $3)`
)

// CountImported implements [transfer.ImportReader].
func (s *Store) CountImported(ctx context.Context, place transfer.Checkpoint, tables []string) (here, unseen int, err error) {
	err = s.withBulkTimeout().read(ctx, func(ctx context.Context) error {
		if err := s.db.GetContext(ctx, &here, s.qualify(`SELECT count(*) FROM @tokens t WHERE `+linkedTokens), place.Source, pq.Array(tables)); err != nil {
			return wrap("count imported tokens", err)
		}
		unseen = 0
		if first, err := s.firstRun(ctx, s.db, place); first || err != nil {
			return err
		}
		return wrap("count imported tokens", s.db.GetContext(ctx, &unseen,
			s.qualify(`SELECT count(*) FROM @tokens t WHERE `+linkedTokens+` AND `+unseenTokens), place.Source, pq.Array(tables), place.Run))
	})
	return here, unseen, err
}

// showNewest makes the newest token of users that came from a source the one that
// is shown again, where they have none: $1 is the source, $2 the users.
const showNewest = `
	UPDATE @tokens SET reusable = true WHERE digest IN (
		SELECT digest FROM (
			SELECT t.digest, row_number() OVER (PARTITION BY t.user_id, t.realm, t.issuer ORDER BY t.created_at DESC, t.digest) AS place,
			       bool_or(t.reusable) OVER (PARTITION BY t.user_id, t.realm, t.issuer) AS shown
			FROM @tokens t WHERE t.user_id = ANY ($2::bigint[]) AND (t.reusable OR t.sealed IS NOT NULL AND t.source = $1 AND t.twin IS NULL)) AS one
		WHERE place = 1 AND NOT shown)`

// endUnseen removes a batch of the tokens that the run did not see, and gives
// their number.
func (s *Store) endUnseen(ctx context.Context, place transfer.Checkpoint, tables []string) (ended int, err error) {
	err = s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		ended = 0
		if first, err := s.firstRun(ctx, tx, place); first || err != nil {
			return err
		}
		var tokens []struct {
			Digest, Twin []byte
			UserID       int64 `db:"user_id"`
			Reusable     bool
		}
		if err := tx.SelectContext(ctx, &tokens, s.qualify(`SELECT digest, twin, user_id, reusable FROM @tokens t
			WHERE `+linkedTokens+` AND `+unseenTokens+` LIMIT $4 FOR UPDATE OF t`), place.Source, pq.Array(tables), place.Run, transfer.MaxImport); err != nil {
			return fmt.Errorf("select unseen tokens: %w", err)
		}
		ended = len(tokens)
		if ended == 0 {
			return nil
		}
		var digests, links [][]byte
		var users []int64 // who lose the token that they are shown
		for _, t := range tokens {
			digests, links = append(digests, t.Digest), append(links, t.Digest)
			if t.Twin != nil {
				links = append(links, t.Twin)
			}
			if t.Reusable {
				users = append(users, t.UserID)
			}
		}
		if _, err := tx.ExecContext(ctx, s.qualify(removeTokens(`digest = ANY ($1::bytea[])`)), pq.ByteaArray(digests)); err != nil {
			return fmt.Errorf("end unseen tokens: %w", err)
		}
		if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @imported_tokens SET absent = true WHERE digest = ANY ($1::bytea[])`), pq.ByteaArray(links)); err != nil {
			return fmt.Errorf("mark unseen tokens: %w", err)
		}
		_, err := tx.ExecContext(ctx, s.qualify(showNewest), place.Source, pq.Array(users))
		return wrap("show another token", err)
	})
	return ended, err
}

// ImportUsers implements [transfer.Importer]. Nobody registers while a batch is
// written.
func (s *Store) ImportUsers(ctx context.Context, place transfer.Checkpoint, users []transfer.ImportedUser) (results []transfer.ImportResult, err error) {
	if len(users) > transfer.MaxImport {
		return nil, errors.New("more users than a batch may have")
	}
	err = s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		if _, err := tx.ExecContext(ctx, s.qualify(`LOCK TABLE @users IN SHARE ROW EXCLUSIVE MODE`)); err != nil {
			return fmt.Errorf("lock users: %w", err)
		}
		facts, err := s.inHalves(tx, len(users), func(q sqlx.QueryerContext, from, to int) (transfer.ImportFacts, error) {
			return s.userFacts(ctx, q, place.Source, users[from:to])
		})
		if err != nil {
			return err
		}
		batch := transfer.NewUserBatch(place.Source, facts)
		results = make([]transfer.ImportResult, len(users))
		var added []record.Account
		addedAt := map[int64]int{}
		var changed userColumns
		freed := map[string]bool{}    // names that changed gives free
		marks := map[int64]userMark{} // a source may tell a user twice
		for i, in := range users {
			merged := batch.Merge(in)
			results[i] = merged.Result
			if l := merged.Former; l != nil {
				if _, err := tx.ExecContext(ctx, s.qualify(`UPDATE @imported_users SET key = $1 WHERE user_id = $2`), l.Key, l.UserID); err != nil {
					return fmt.Errorf("keep former key: %w", err)
				}
			}
			if merged.Fingerprint == nil {
				continue
			}
			if merged.Insert && merged.ID == 0 {
				if err := tx.GetContext(ctx, &merged.ID, s.qualify(`SELECT nextval(pg_get_serial_sequence('@users', 'id'))`)); err != nil {
					return fmt.Errorf("draw id: %w", err)
				}
			}
			if !batch.Recorded(merged) {
				earlier, twice := marks[merged.ID]
				fresh := !batch.Linked(merged.ID)
				if twice {
					fresh = earlier.fresh
				}
				marks[merged.ID] = userMark{key: merged.Key, mark: merged.Fingerprint, fresh: fresh}
			}
			before := batch.Username(merged.ID)
			batch.Add(merged)
			if !merged.Write {
				continue
			}
			row, err := record.OfAccount(merged.Account)
			if err != nil {
				return err
			}
			if merged.Insert {
				addedAt[row.ID] = len(added)
				added = append(added, row)
				continue
			}
			if at, twice := addedAt[row.ID]; twice {
				added[at] = row
				continue
			}
			// One statement changes users in no order: a name that passes from one to
			// another takes two.
			if freed[row.Username] {
				if err := s.changeUsers(ctx, tx, changed); err != nil {
					return err
				}
				changed, freed = userColumns{}, map[string]bool{}
			}
			changed.add(row)
			if before != row.Username {
				freed[before] = true
			}
		}
		if err := s.changeUsers(ctx, tx, changed); err != nil {
			return err
		}
		if err := s.addUsers(ctx, tx, added); err != nil {
			return err
		}
		if err := s.markUsers(ctx, tx, place.Source, marks); err != nil {
			return err
		}
		return s.keepPlace(ctx, tx, place)
	})
	return results, err
}

// userColumns are users who change, column by column.
type userColumns struct {
	ids                         []int64
	names, emails, hashes, more []string
	active                      []bool
}

func (c *userColumns) add(r record.Account) {
	c.ids, c.names, c.emails = append(c.ids, r.ID), append(c.names, r.Username), append(c.emails, r.Email)
	c.hashes, c.more, c.active = append(c.hashes, r.PasswordHash), append(c.more, r.Attributes.String), append(c.active, r.Active)
}

// changeUsers writes users who are there already: before new ones are added, so that a
// name may pass from one of them to a new one.
func (s *Store) changeUsers(ctx context.Context, tx *sqlx.Tx, changed userColumns) error {
	if len(changed.ids) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, s.qualify(`
		UPDATE @users u SET username = n.username, email = n.email, password_hash = n.password_hash,
		       active = n.active, attributes = nullif(n.attributes, '')
		FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[])
		AS n (id, username, email, password_hash, active, attributes) WHERE u.id = n.id`),
		pq.Array(changed.ids), pq.Array(changed.names), pq.Array(changed.emails), pq.Array(changed.hashes),
		pq.Array(changed.active), pq.Array(changed.more))
	return wrap("update users", err)
}

// addUsers adds users, and moves the ids that are given out on.
func (s *Store) addUsers(ctx context.Context, tx *sqlx.Tx, added []record.Account) error {
	if len(added) == 0 {
		return nil
	}
	const columns = `@users (id, username, email, password_hash, active, attributes, created_at)`
	if _, err := s.copyInto(ctx, tx, columns, len(added), func(add func(...any) error) error {
		for _, r := range added {
			if err := add(r.ID, r.Username, r.Email, r.PasswordHash, r.Active, r.Attributes, r.CreatedAt); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return fmt.Errorf("insert users: %w", err)
	}
	// The sequence is not part of the transaction, and only ever goes up.
	_, err := tx.ExecContext(ctx, s.qualify(`
		SELECT setval(pg_get_serial_sequence('@users', 'id'), greatest(max(id), nextval(pg_get_serial_sequence('@users', 'id')) - 1, 1))
		FROM @users`))
	return wrap("move ids on", err)
}

// userMark is what is kept of who a user is at a source; fresh tells that nothing
// is kept of him yet.
type userMark struct {
	key   string
	mark  []byte
	fresh bool
}

// markUsers keeps who users are at a source. What a password was made anew as is
// kept only while the password that it was is the same.
func (s *Store) markUsers(ctx context.Context, tx *sqlx.Tx, source int64, marks map[int64]userMark) error {
	var ids, fresh []int64
	var keys []string
	var contents [][]byte
	for id, m := range marks {
		if m.fresh {
			fresh = append(fresh, id)
			continue
		}
		ids, keys, contents = append(ids, id), append(keys, m.key), append(contents, m.mark)
	}
	slices.Sort(fresh)
	if _, err := s.copyInto(ctx, tx, `@imported_users (user_id, source, key, mark)`, len(fresh), func(add func(...any) error) error {
		for _, id := range fresh {
			if err := add(id, source, record.KeyColumn(id, marks[id].key), marks[id].mark); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return fmt.Errorf("mark users: %w", err)
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, s.qualify(`
		INSERT INTO @imported_users AS u (user_id, source, key, mark)
		SELECT id, $2, nullif(key, id::text), mark FROM unnest($1::bigint[], $3::text[], $4::bytea[]) AS n (id, key, mark)
		ON CONFLICT (user_id) DO UPDATE SET source = excluded.source, key = excluded.key, mark = excluded.mark,
			rehashed = CASE WHEN substr(excluded.mark, 1, 16) = substr(u.mark, 1, 16) THEN u.rehashed END`),
		pq.Array(ids), source, pq.Array(keys), pq.ByteaArray(contents))
	return wrap("mark users", err)
}
