package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	skipped := new(atomic.Bool) // nil once that turned out to be wrong
	err = s.withBulkTimeout().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		if _, err := tx.ExecContext(ctx, s.qualify(`LOCK TABLE @users IN SHARE ROW EXCLUSIVE MODE`)); err != nil {
			return fmt.Errorf("lock users: %w", err)
		}
		facts, err := s.inHalves(ctx, tx, len(users), func(q sqlx.QueryerContext, from, to int) (transfer.ImportFacts, error) {
			return s.userFacts(ctx, q, checkpoint.Source, users[from:to], skipped)
		})
		if err != nil {
			return err
		}
		guessed := skipped != nil && skipped.Swap(false)
		batch := transfer.NewUserBatch(checkpoint.Source, facts)
		results = make([]transfer.ImportResult, len(users))
		var added []record.Account
		addedAt := map[int64]int{}
		var changed userColumns
		freed := map[string]bool{}    // usernames released by the pending changes
		marks := map[int64]userMark{} // a batch may list a user twice
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
		if guessed && len(added) < len(users) {
			skipped = nil
			return pgconn.ErrConflict
		}
		if err := s.changeUsers(ctx, tx, checkpoint.Now, changed); err != nil {
			return err
		}
		if err := s.addUsers(ctx, tx, added); err != nil {
			if guessed && pgconn.IsDuplicate(err, "") {
				skipped = nil
				return pgconn.ErrConflict
			}
			return err
		}
		if err := s.markUsers(ctx, tx, checkpoint.Source, marks); err != nil {
			return err
		}
		return s.saveCheckpoint(ctx, tx, checkpoint)
	})
	return results, err
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

// addUsers inserts users, and advances the sequence of IDs.
func (s *Store) addUsers(ctx context.Context, tx *sqlx.Tx, added []record.Account) error {
	if len(added) == 0 {
		return nil
	}
	const columns = `@users (id, username, email, password_hash, active, attributes, created_at, last_login)`
	if _, err := s.copyInto(ctx, tx, columns, len(added), func(add func(...any) error) error {
		for _, r := range added {
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
	key   string
	mark  []byte
	fresh bool
}

// markUsers records users' identities in a source. It keeps a rehashed password only
// while the password it was made from stays the same.
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
