// Package mails keeps the mails that wait to be sent in a table that all stores have, in words that
// SQLite and PostgreSQL both know.
package mails

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/store/internal/record"
)

// Querier reads.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Access is how the mails of a Store reach the table.
type Access struct {
	// Table is its name in statements, and Bind replaces the parameters ? of a statement with those
	// of the database.
	Table string
	Bind  func(statement string) string
	// Read runs do, perhaps again, unless there is no table yet; Write runs it in one transaction
	// with the audit entry, which may be tried again, and makes the table.
	Read  func(ctx context.Context, do func(context.Context, Querier) error) error
	Write func(ctx context.Context, audit *core.AuditEntry, do func(context.Context, *sql.Tx) error) error
	// Email returns the address of a user, which stays until the transaction ends, or core.ErrNotFound.
	Email func(ctx context.Context, tx *sql.Tx, userID int64) (string, error)
}

// Queue is the part of a [core.MailStore] that keeps mails.
type Queue struct{ Access }

// New makes a Queue.
func New(a Access) *Queue {
	bind := a.Bind
	a.Bind = func(statement string) string { return bind(strings.ReplaceAll(statement, "@mails", a.Table)) }
	return &Queue{a}
}

// outdated is when those mails were made that are (core.Mail.Outdated), in microseconds.
const outdated = 0

// idSize is how many random bytes tell mails apart.
const idSize = 16

// EnqueueMail implements [core.MailStore]. A transaction that is tried again adds the same row.
func (q *Queue) EnqueueMail(ctx context.Context, m core.Mail, audit *core.AuditEntry) error {
	var id [idSize]byte
	if _, err := rand.Read(id[:]); err != nil {
		return fmt.Errorf("draw id of mail: %w", err)
	}
	return q.Write(ctx, audit, func(ctx context.Context, tx *sql.Tx) error {
		at := m.CreatedAt.UnixMicro()
		created := at
		email, err := q.Email(ctx, tx, m.UserID)
		switch {
		case err == nil && spelling.LowerASCII(email) != spelling.LowerASCII(m.Email):
			created = outdated
		case err != nil && !errors.Is(err, core.ErrNotFound):
			return err
		}
		_, err = tx.ExecContext(ctx, q.Bind(`INSERT INTO @mails (id, kind, profile, user_id, created_at, due_at, attempts, deliveries)
			VALUES (?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT (id) DO NOTHING`), hex.EncodeToString(id[:]), string(m.Kind), m.Profile, m.UserID, created, at)
		if err != nil {
			return fmt.Errorf("insert mail: %w", err)
		}
		return nil
	})
}

// isDue is the condition for mails that are due, with the parameters of dueAt: also for those that got
// their time from a clock that was ahead.
const isDue = `due_at <= ? OR due_at > ?`

func dueAt(now time.Time) []any {
	return []any{now.UnixMicro(), now.Add(core.MaxMailWait).UnixMicro()}
}

// maxCandidates is how many mails a claim tries to get: others may be claimed meanwhile.
const maxCandidates = 16

// ClaimMail implements [core.MailStore]. It looks first, so that nobody waits for its lock where
// there is nothing to do.
func (q *Queue) ClaimMail(ctx context.Context, now, until time.Time) (claimed core.Mail, err error) {
	err = q.Read(ctx, func(ctx context.Context, db Querier) error {
		due, err := q.due(ctx, db, now, 1)
		if err == nil && len(due) > 0 {
			claimed.ID = due[0].ID
		}
		return err
	})
	if err != nil || claimed.ID == "" {
		return core.Mail{}, errors.Join(err, notFound(err))
	}
	err = q.Write(ctx, nil, func(ctx context.Context, tx *sql.Tx) error {
		claimed = core.Mail{}
		if _, err := tx.ExecContext(ctx, q.Bind(`DELETE FROM @mails WHERE user_id = 0 AND (`+isDue+`)`), dueAt(now)...); err != nil {
			return fmt.Errorf("delete mails of nobody: %w", err)
		}
		due, err := q.due(ctx, tx, now, maxCandidates)
		if err != nil {
			return err
		}
		for _, m := range due {
			n, err := record.Affected(tx.ExecContext(ctx, q.Bind(`UPDATE @mails SET due_at = ?, attempts = ? WHERE id = ? AND attempts = ?`),
				until.UnixMicro(), m.Attempts+1, m.ID, m.Attempts))
			if err != nil {
				return fmt.Errorf("claim mail: %w", err)
			}
			if n > 0 {
				m.DueAt, m.Attempts = record.Time(until.UnixMicro()), m.Attempts+1
				claimed = m
				return nil
			}
		}
		return nil
	})
	if err == nil && claimed.ID == "" {
		err = core.ErrNotFound
	}
	if err != nil {
		return core.Mail{}, err
	}
	return claimed, nil
}

// notFound returns core.ErrNotFound where nothing else went wrong.
func notFound(err error) error {
	if err != nil {
		return nil
	}
	return core.ErrNotFound
}

// due returns mails that may be claimed, the first of them first.
func (q *Queue) due(ctx context.Context, db Querier, now time.Time, limit int) (due []core.Mail, err error) {
	rows, err := db.QueryContext(ctx, q.Bind(`SELECT id, kind, profile, user_id, created_at, due_at, attempts, deliveries FROM @mails
		WHERE `+isDue+` ORDER BY due_at, id LIMIT ?`), append(dueAt(now), limit)...)
	if err != nil {
		return nil, fmt.Errorf("select mails: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var m core.Mail
		var created, at int64
		if err := rows.Scan(&m.ID, &m.Kind, &m.Profile, &m.UserID, &created, &at, &m.Attempts, &m.Deliveries); err != nil {
			return nil, fmt.Errorf("select mails: %w", err)
		}
		m.CreatedAt, m.DueAt = record.Time(created), record.Time(at)
		due = append(due, m)
	}
	return due, rows.Err()
}

// UpdateMail implements [core.MailStore].
func (q *Queue) UpdateMail(ctx context.Context, m core.Mail) error {
	return q.change(ctx, nil, "update mail", `UPDATE @mails SET due_at = ?, deliveries = ? WHERE id = ? AND attempts = ?`,
		m.DueAt.UnixMicro(), m.Deliveries, m.ID, m.Attempts)
}

// RemoveMail implements [core.MailStore].
func (q *Queue) RemoveMail(ctx context.Context, m core.Mail, audit *core.AuditEntry) error {
	return q.change(ctx, audit, "delete mail", `DELETE FROM @mails WHERE id = ? AND attempts = ?`, m.ID, m.Attempts)
}

// Outdate makes the mails of a user outdated that wait ([core.MailStore]). Who has claimed one has it no more.
func (q *Queue) Outdate(ctx context.Context, tx *sql.Tx, userID int64) error {
	if _, err := tx.ExecContext(ctx, q.Bind(`UPDATE @mails SET created_at = ?, attempts = attempts + 1 WHERE user_id = ?`), outdated, userID); err != nil {
		return fmt.Errorf("outdate mails: %w", err)
	}
	return nil
}

// change runs a statement that has to affect a row.
func (q *Queue) change(ctx context.Context, audit *core.AuditEntry, doing, statement string, args ...any) error {
	return q.Write(ctx, audit, func(ctx context.Context, tx *sql.Tx) error {
		n, err := record.Affected(tx.ExecContext(ctx, q.Bind(statement), args...))
		if err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		if n == 0 {
			return core.ErrNotFound
		}
		return nil
	})
}

// CountMails implements [core.MailStore].
func (q *Queue) CountMails(ctx context.Context) (n int64, err error) {
	err = q.Read(ctx, func(ctx context.Context, db Querier) error {
		rows, err := db.QueryContext(ctx, q.Bind(`SELECT count(*) FROM @mails WHERE user_id <> 0`))
		if err != nil {
			return fmt.Errorf("count mails: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				return fmt.Errorf("count mails: %w", err)
			}
		}
		return rows.Err()
	})
	return n, err
}
