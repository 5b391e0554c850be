package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// ImportUsers implements [transfer.Importer].
func (s *Store) ImportUsers(ctx context.Context, place transfer.ImportPlace, users []transfer.ImportedUser) (results []transfer.ImportResult, err error) {
	if len(users) > transfer.MaxImport {
		return nil, errors.New("more users than a batch may have")
	}
	err = s.writeBulk(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		facts, err := userFacts(ctx, tx, place.Source, users)
		if err != nil {
			return err
		}
		results = make([]transfer.ImportResult, len(users))
		write := func() error {
			return writeUsers(ctx, tx, place.Source, users, transfer.NewUserBatch(place.Source, facts), results)
		}
		if len(facts.Users) < len(users) { // somebody is new
			err = withoutTriggers(ctx, tx, write)
		} else {
			err = write()
		}
		if err != nil {
			return err
		}
		return keepPlace(ctx, tx, place)
	})
	return results, err
}

// writeUsers decides about the users of a batch, and writes them.
func writeUsers(ctx context.Context, tx *sqlx.Tx, source int64, users []transfer.ImportedUser, batch transfer.UserBatch, results []transfer.ImportResult) error {
	insert, err := tx.PreparexContext(ctx, `
		INSERT OR FAIL INTO users (id, username, email, password_hash, active, attributes, created_at) VALUES (nullif(?, 0), ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer insert.Close()
	mark, err := tx.PreparexContext(ctx, markUser)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer mark.Close()
	fresh, err := tx.PreparexContext(ctx, `INSERT OR FAIL INTO imported_users (user_id, source, key, mark) VALUES (?, ?, ?, ?)`)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer fresh.Close()
	for i, in := range users {
		merged := batch.Merge(in)
		results[i] = merged.Result
		if l := merged.Former; l != nil {
			if _, err := tx.ExecContext(ctx, `UPDATE imported_users SET key = ? WHERE user_id = ?`, l.Key, l.UserID); err != nil {
				return fmt.Errorf("keep former key: %w", err)
			}
		}
		if merged.Mark == nil {
			continue
		}
		if err := writeUser(ctx, tx, insert, &merged); err != nil {
			return err
		}
		if !batch.Marked(merged) {
			statement := mark
			if !batch.Linked(merged.ID) {
				statement = fresh
			}
			if err := markOne(ctx, statement, source, merged.ID, merged.Key, merged.Mark); err != nil {
				return err
			}
		}
		batch.Add(merged)
	}
	return nil
}

// markUser keeps what a password was made anew as only while the password that it
// was is the same.
const markUser = `
	INSERT INTO imported_users (user_id, source, key, mark) VALUES (?, ?, ?, ?)
	ON CONFLICT (user_id) DO UPDATE SET source = excluded.source, key = excluded.key, mark = excluded.mark,
		rehashed = CASE WHEN substr(excluded.mark, 1, 16) = substr(imported_users.mark, 1, 16) THEN imported_users.rehashed END`

// markOne keeps who a user is at a source.
func markOne(ctx context.Context, mark *sqlx.Stmt, source, userID int64, key string, content []byte) error {
	if _, err := mark.ExecContext(ctx, userID, source, record.KeyColumn(userID, key), content); err != nil {
		return fmt.Errorf("mark user %d: %w", userID, err)
	}
	return nil
}

// writeUser does what was decided and completes the account's id.
func writeUser(ctx context.Context, tx *sqlx.Tx, insert *sqlx.Stmt, m *transfer.UserMerge) error {
	if !m.Write {
		return nil
	}
	row, err := record.OfAccount(m.Account)
	if err != nil {
		return err
	}
	if !m.Insert {
		if _, err := tx.NamedExecContext(ctx, `
			UPDATE users SET username = :username, email = :email, password_hash = :password_hash, active = :active, attributes = :attributes
			WHERE id = :id`, row); err != nil {
			return fmt.Errorf("update user %d: %w", row.ID, err)
		}
		return nil
	}
	result, err := insert.ExecContext(ctx, row.ID, row.Username, row.Email, row.PasswordHash, row.Active, row.Attributes, row.CreatedAt)
	if err == nil && m.ID == 0 {
		m.ID, err = result.LastInsertId()
	}
	if err != nil {
		return fmt.Errorf("insert user: %w", err)
	}
	return nil
}
