package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// ImportUsers implements [transfer.Importer].
func (s *Store) ImportUsers(ctx context.Context, checkpoint transfer.Checkpoint, users []transfer.ImportedUser) (results []transfer.ImportResult, err error) {
	if len(users) > transfer.MaxImport {
		return nil, errors.New("more users than a batch may have")
	}
	err = s.writeBulk(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		others, facts, err := s.changedUsers(ctx, tx, checkpoint.Source, users)
		if err != nil {
			return err
		}
		results = slices.Repeat([]transfer.ImportResult{{Outcome: transfer.ImportUnchanged}}, len(users))
		write := func() error {
			return writeUsers(ctx, tx, checkpoint.Source, checkpoint.Now, users, others, transfer.NewUserBatch(checkpoint.Source, facts), results)
		}
		if len(facts.Users) < len(others) { // a user is new, or is listed twice
			err = withoutTriggers(ctx, tx, write)
		} else {
			err = write()
		}
		if err != nil {
			return err
		}
		return saveCheckpoint(ctx, tx, checkpoint)
	})
	return results, err
}

// writeUsers decides about those users of a batch that have the given places, and writes them.
func writeUsers(ctx context.Context, tx *sqlx.Tx, source int64, at time.Time, users []transfer.ImportedUser, places []int, batch transfer.UserBatch, results []transfer.ImportResult) error {
	w := &userWriter{
		tx: tx, source: source, at: at.UnixMicro(),
		users: newInserter(tx, `users (id, username, email, password_hash, active, attributes, created_at, last_login)`),
		links: newInserter(tx, `imported_users (user_id, source, key, mark)`),
	}
	for _, i := range places {
		merged := batch.Merge(users[i])
		results[i] = merged.Result
		if l := merged.Former; l != nil {
			if err := w.change(ctx, `UPDATE imported_users SET key = ? WHERE user_id = ?`, l.Key, l.UserID); err != nil {
				return fmt.Errorf("keep former key: %w", err)
			}
		}
		if merged.Fingerprint == nil {
			continue
		}
		if err := w.write(ctx, &merged); err != nil {
			return err
		}
		if !batch.Recorded(merged) {
			if err := w.mark(ctx, merged, batch.Linked(merged.ID)); err != nil {
				return fmt.Errorf("mark user %d: %w", merged.ID, err)
			}
		}
		batch.Add(merged)
	}
	return w.finish(ctx)
}

// userWriter writes a batch of users. New rows are inserted several at a time, and
// always before the next change of an existing one.
type userWriter struct {
	tx           *sqlx.Tx
	source, at   int64 // at: in microseconds
	users, links *inserter
	one          *sqlx.Stmt // inserts a user without an ID
}

func (w *userWriter) change(ctx context.Context, statement string, args ...any) error {
	err := errors.Join(w.users.flush(ctx), w.links.flush(ctx))
	if err == nil {
		_, err = w.tx.ExecContext(ctx, statement, args...)
	}
	return err
}

func (w *userWriter) finish(ctx context.Context) error {
	err := errors.Join(w.users.finish(ctx), w.links.finish(ctx))
	if w.one != nil {
		err = errors.Join(err, w.one.Close())
	}
	if err != nil {
		return fmt.Errorf("insert users: %w", err)
	}
	return nil
}

// markUser keeps the rehashed password only while the password it was made from stays
// the same.
const markUser = `
	INSERT INTO imported_users (user_id, source, key, mark) VALUES (?, ?, ?, ?)
	ON CONFLICT (user_id) DO UPDATE SET source = excluded.source, key = excluded.key, mark = excluded.mark,
		rehashed = CASE WHEN substr(excluded.mark, 1, 16) = substr(imported_users.mark, 1, 16) THEN imported_users.rehashed END`

// mark records a user's identity in the source.
func (w *userWriter) mark(ctx context.Context, m transfer.UserMerge, linked bool) error {
	key := record.KeyColumn(m.ID, m.Key)
	if !linked {
		return w.links.add(ctx, m.ID, w.source, key, m.Fingerprint)
	}
	return w.change(ctx, markUser, m.ID, w.source, key, m.Fingerprint)
}

// write carries out the decision and completes the account's ID.
func (w *userWriter) write(ctx context.Context, m *transfer.UserMerge) error {
	if !m.Write && !m.Login {
		return nil
	}
	row, err := record.OfAccount(m.Account)
	if err != nil {
		return err
	}
	switch {
	case !m.Write: // tokens that are remembered stay so
		err = w.change(ctx, `UPDATE users SET last_login = ? WHERE id = ?`, row.LastLogin, row.ID)
	case !m.Insert:
		err = w.change(ctx, `
			UPDATE users SET username = ?1, email = ?2, password_hash = ?3, active = ?4, attributes = ?5, last_login = ?6, email_since = `+newSince(`?2`, `?7`)+` WHERE id = ?8`,
			row.Username, row.Email, row.PasswordHash, row.Active, row.Attributes, row.LastLogin, w.at, row.ID)
	case m.ID != 0:
		err = w.users.add(ctx, row.ID, row.Username, row.Email, row.PasswordHash, row.Active, row.Attributes, row.CreatedAt, row.LastLogin)
	default:
		err = w.numbered(ctx, m, row)
	}
	if err != nil {
		return fmt.Errorf("write user: %w", err)
	}
	return nil
}

// numbered inserts a user who is assigned an ID.
func (w *userWriter) numbered(ctx context.Context, m *transfer.UserMerge, row record.Account) (err error) {
	if err := w.users.flush(ctx); err != nil {
		return err // assigned IDs are above the highest one
	}
	if w.one == nil {
		if w.one, err = w.tx.PreparexContext(ctx, `
			INSERT OR FAIL INTO users (username, email, password_hash, active, attributes, created_at, last_login) VALUES (?, ?, ?, ?, ?, ?, ?)`); err != nil {
			return err
		}
	}
	result, err := w.one.ExecContext(ctx, row.Username, row.Email, row.PasswordHash, row.Active, row.Attributes, row.CreatedAt, row.LastLogin)
	if err == nil {
		m.ID, err = result.LastInsertId()
	}
	return err
}
