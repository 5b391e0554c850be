package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// ImportUsers implements [transfer.Importer]. Nobody can register while it writes a
// batch.
func (s *Store) ImportUsers(ctx context.Context, checkpoint transfer.Checkpoint, users []transfer.ImportedUser) (results []transfer.ImportResult, err error) {
	if len(users) > transfer.MaxImport {
		return nil, errors.New("more users than a batch may have")
	}
	skipped := new(atomic.Bool) // nil if that is wrong
	if slices.ContainsFunc(users, func(u transfer.ImportedUser) bool { return !transfer.MergeUser(u, transfer.UserState{}).Insert }) {
		skipped = nil
	}
	err = s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		if _, err := tx.ExecContext(ctx, s.qualify(`LOCK TABLE @users IN SHARE ROW EXCLUSIVE MODE`)); err != nil {
			return fmt.Errorf("lock users: %w", err)
		}
		places, facts, err := s.changedUsers(ctx, tx, checkpoint.Source, users, skipped)
		if err != nil {
			return err
		}
		batch := transfer.NewUserBatch(checkpoint.Source, facts)
		if skipped != nil && skipped.Swap(false) {
			if len(places) < len(users) { // not all users are new
				skipped = nil
				return pgconn.ErrConflict
			}
			if results, err = s.addNewUsers(ctx, tx, checkpoint, users, batch); errors.Is(err, pgconn.ErrConflict) {
				skipped = nil
			}
			return err
		}
		results = slices.Repeat([]transfer.ImportResult{{Outcome: transfer.ImportUnchanged}}, len(users))
		var added []record.Account
		addedAt := map[int64]int{}
		var changed userColumns
		freed := map[string]bool{}    // usernames released by the pending changes
		marks := map[int64]userMark{} // a batch may list a user twice
		for _, i := range places {
			merged := batch.Merge(users[i])
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
				marks[merged.ID] = userMark{id: merged.ID, key: merged.Key, mark: merged.Fingerprint, fresh: fresh}
			}
			before := batch.Username(merged.ID)
			batch.Add(merged)
			if !merged.Write && !merged.Login {
				continue
			}
			row, err := record.OfAccount(merged.Account)
			if err != nil {
				return err
			}
			if merged.Insert {
				addedAt[row.ID] = len(added)
				added = append(record.Room(added, len(users)), row)
				continue
			}
			if at, twice := addedAt[row.ID]; twice {
				added[at] = row
				continue
			}
			// One statement changes users in any order, and each only once: a username
			// that passes from one user to another takes two, as does a user who is
			// listed twice.
			if freed[row.Username] || changed.has[row.ID] {
				if err := s.changeUsers(ctx, tx, checkpoint.Now, changed); err != nil {
					return err
				}
				changed, freed = userColumns{}, map[string]bool{}
			}
			changed.add(row)
			if before != row.Username {
				freed[before] = true
			}
		}
		if err := s.changeUsers(ctx, tx, checkpoint.Now, changed); err != nil {
			return err
		}
		if err := s.addUsers(ctx, tx, len(added), func(yield func(record.Account, error) bool) {
			for _, row := range added {
				if !yield(row, nil) {
					return
				}
			}
		}); err != nil {
			return err
		}
		if err := s.markUsers(ctx, tx, checkpoint.Source, slices.SortedFunc(maps.Values(marks), byID)); err != nil {
			return err
		}
		return s.saveCheckpoint(ctx, tx, checkpoint)
	})
	return results, err
}

// addNewUsers adds a batch whose users all seem to be new: it decides about them while the database adds those
// before. If one is not to be added, or is here or listed twice, it fails with pgconn.ErrConflict.
func (s *Store) addNewUsers(ctx context.Context, tx *sqlx.Tx, checkpoint transfer.Checkpoint, users []transfer.ImportedUser, batch transfer.UserBatch) ([]transfer.ImportResult, error) {
	results := make([]transfer.ImportResult, 0, len(users))
	marks := make([]userMark, 0, len(users))
	drawn, err := s.drawIDs(ctx, tx, users)
	if err != nil {
		return nil, err
	}
	err = s.addUsers(ctx, tx, len(users), func(yield func(record.Account, error) bool) {
		for _, in := range users {
			merged := batch.Merge(in)
			var row record.Account
			err := pgconn.ErrConflict
			if merged.Insert && merged.Former == nil {
				if merged.ID == 0 {
					merged.ID, drawn = drawn[0], drawn[1:]
				}
				results = append(results, merged.Result)
				marks = append(marks, userMark{id: merged.ID, key: merged.Key, mark: merged.Fingerprint, fresh: true})
				row, err = record.OfAccount(merged.Account)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	})
	if err == nil {
		err = s.markUsers(ctx, tx, checkpoint.Source, marks)
	}
	if pgconn.IsDuplicate(err, "") { // the tables' keys check the guess
		return nil, pgconn.ErrConflict
	}
	if err != nil {
		return nil, err
	}
	return results, s.saveCheckpoint(ctx, tx, checkpoint)
}

// drawIDs returns an ID for each of the users who has none.
func (s *Store) drawIDs(ctx context.Context, tx *sqlx.Tx, users []transfer.ImportedUser) (drawn []int64, err error) {
	without := 0
	for _, u := range users {
		if u.ID == 0 {
			without++
		}
	}
	if without > 0 {
		err = tx.SelectContext(ctx, &drawn, s.qualify(`SELECT nextval(pg_get_serial_sequence('@users', 'id')) FROM generate_series(1, $1::bigint)`), without)
	}
	return drawn, wrap("draw ids", err)
}

// userColumns holds changed users, column by column.
type userColumns struct {
	ids                         []int64
	names, emails, hashes, more []string
	active                      []bool
	logins                      []sql.NullInt64
	has                         map[int64]bool // by ID
}

func (c *userColumns) add(r record.Account) {
	if c.has == nil {
		c.has = make(map[int64]bool)
	}
	c.has[r.ID] = true
	c.ids, c.names, c.emails = append(c.ids, r.ID), append(c.names, r.Username), append(c.emails, r.Email)
	c.hashes, c.more, c.active = append(c.hashes, r.PasswordHash), append(c.more, r.Attributes.String), append(c.active, r.Active)
	c.logins = append(c.logins, r.LastLogin)
}

// changeUsers updates existing users: before new ones are inserted, so that a username
// may pass from an existing user to a new one.
func (s *Store) changeUsers(ctx context.Context, tx *sqlx.Tx, at time.Time, changed userColumns) error {
	if len(changed.ids) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, s.qualify(`
		UPDATE @users u SET username = n.username, email = n.email, password_hash = n.password_hash,
		       active = n.active, attributes = nullif(n.attributes, ''), last_login = n.last_login, email_since = `+newSince(`n.email`, `$8::bigint`)+`
		FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::bigint[])
		AS n (id, username, email, password_hash, active, attributes, last_login) WHERE u.id = n.id`),
		pq.Array(changed.ids), pq.Array(changed.names), pq.Array(changed.emails), pq.Array(changed.hashes),
		pq.Array(changed.active), pq.Array(changed.more), pq.Array(changed.logins), at.UnixMicro())
	return wrap("update users", err)
}

// addUsers inserts n users, and advances the sequence of IDs.
func (s *Store) addUsers(ctx context.Context, tx *sqlx.Tx, n int, users iter.Seq2[record.Account, error]) error {
	if n == 0 {
		return nil
	}
	const columns = `@users (id, username, email, password_hash, active, attributes, created_at, last_login)`
	if _, err := s.copyInto(ctx, tx, columns, n, func(add func(...any) error) error {
		for r, err := range users {
			if err != nil {
				return err
			}
			if err := add(r.ID, r.Username, r.Email, r.PasswordHash, r.Active, r.Attributes, r.CreatedAt, r.LastLogin); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return fmt.Errorf("insert users: %w", err)
	}
	// The sequence is not part of the transaction, and never goes back.
	_, err := tx.ExecContext(ctx, s.qualify(`
		SELECT setval(pg_get_serial_sequence('@users', 'id'), greatest(max(id), nextval(pg_get_serial_sequence('@users', 'id')) - 1, 1))
		FROM @users`))
	return wrap("move ids on", err)
}

// userMark is a user's identity in a source; fresh is set if nothing has been recorded
// for the user yet.
type userMark struct {
	id    int64
	key   string
	mark  []byte
	fresh bool
}

// byID compares marks, for an order in which they are next to each other in the index.
func byID(a, b userMark) int { return cmp.Compare(a.id, b.id) }

// markUsers records users' identities in a source. It keeps a rehashed password only
// while the password it was made from stays the same.
func (s *Store) markUsers(ctx context.Context, tx *sqlx.Tx, source int64, marks []userMark) error {
	var ids []int64
	var keys []string
	var contents [][]byte
	for _, m := range marks {
		if !m.fresh {
			ids, keys, contents = append(ids, m.id), append(keys, m.key), append(contents, m.mark)
		}
	}
	if _, err := s.copyInto(ctx, tx, `@imported_users (user_id, source, key, mark)`, len(marks)-len(ids), func(add func(...any) error) error {
		for _, m := range marks {
			if !m.fresh {
				continue
			}
			if err := add(m.id, source, record.KeyColumn(m.id, m.key), m.mark); err != nil {
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
