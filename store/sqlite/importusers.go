package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

const markUser = `
	INSERT INTO imported_users (user_id, source, mark) VALUES (?, ?, ?)
	ON CONFLICT (user_id) DO UPDATE SET source = excluded.source, mark = excluded.mark`

// ImportUsers implements [core.Importer].
func (s *Store) ImportUsers(ctx context.Context, place core.ImportPlace, users []core.Account) (results []core.ImportResult, err error) {
	if len(users) > core.MaxImport {
		return nil, errors.New("more users than a batch may have")
	}
	err = s.writeWithin(ctx, max(s.wait, bulkWait), func(ctx context.Context, tx *sqlx.Tx) error {
		batch, err := knownUsers(ctx, tx, place.Source, users)
		if err != nil {
			return err
		}
		insert, err := tx.PrepareNamedContext(ctx, `
			INSERT INTO users (id, username, email, password_hash, active, attributes, created_at)
			VALUES (nullif(:id, 0), :username, :email, :password_hash, :active, :attributes, :created_at)`)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		defer insert.Close()
		mark, err := tx.PreparexContext(ctx, markUser)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		defer mark.Close()

		results = make([]core.ImportResult, len(users))
		for i, in := range users {
			merged := batch.Merge(in)
			results[i] = merged.Result
			if err := writeUser(ctx, tx, insert, &merged); err != nil {
				return err
			}
			if merged.Mark == nil {
				continue
			}
			batch.Add(merged)
			if _, err := mark.ExecContext(ctx, merged.ID, place.Source, merged.Mark); err != nil {
				return fmt.Errorf("mark user %d: %w", merged.ID, err)
			}
		}
		return keepPlace(ctx, tx, place)
	})
	return results, rehearsed(err)
}

// writeUser does what was decided and completes the account's id.
func writeUser(ctx context.Context, tx *sqlx.Tx, insert *sqlx.NamedStmt, m *core.UserMerge) error {
	if !m.Write {
		return nil
	}
	row, err := rowOfAccount(m.Account)
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
	result, err := insert.ExecContext(ctx, row)
	if err == nil && m.ID == 0 {
		m.ID, err = result.LastInsertId()
	}
	if err != nil {
		return fmt.Errorf("insert user: %w", err)
	}
	return nil
}

// rowOfAccount gives the row that keeps the account.
func rowOfAccount(a core.Account) (accountRow, error) {
	attributes, err := encodeAttributes(a.Attributes)
	return accountRow{
		ID: a.ID, Username: a.Username, Email: a.Email, PasswordHash: a.PasswordHash,
		Active: a.Active, Attributes: attributes, CreatedAt: a.CreatedAt.UnixMicro(),
	}, err
}

// knownUsers reads what is here of users who have an id or a name of the batch.
func knownUsers(ctx context.Context, tx *sqlx.Tx, source int64, users []core.Account) (core.UserBatch, error) {
	ids, names := make([]int64, 0, len(users)), make([]string, 0, len(users))
	for _, u := range users {
		ids, names = append(ids, u.ID), append(names, u.Username)
	}
	var rows []accountRow
	if err := tx.SelectContext(ctx, &rows, `
		SELECT id, username, email, password_hash, active, attributes, created_at FROM users
		WHERE id IN (SELECT value FROM json_each(?)) OR username IN (SELECT value FROM json_each(?))`,
		jsonList(ids), jsonList(names)); err != nil {
		return core.UserBatch{}, fmt.Errorf("select users: %w", err)
	}
	here := make([]core.Account, 0, len(rows))
	for _, row := range rows {
		account, err := row.account()
		if err != nil {
			return core.UserBatch{}, err
		}
		here, ids = append(here, account), append(ids, row.ID)
	}
	marks, err := selectMarks(ctx, tx, source, ids)
	if err != nil {
		return core.UserBatch{}, err
	}
	return core.NewUserBatch(here, marks), nil
}
