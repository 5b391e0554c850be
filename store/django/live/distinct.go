package live

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
)

// known says which users have been looked at before a transaction: all but those who came later, or whom this server,
// or another one of ours, has written since.
type known struct {
	lastUser, lastEntry int64 // of the audit record, which has all that we write
}

// lookAhead is distinct before the transaction, on SQLite, whose only lock would keep out all who write, Django
// too, while all users are looked at. It returns nil where nobody has to be distinct, or a transaction keeps out few.
func (s *Store) lookAhead(ctx context.Context, d core.Distinct, id int64, username, email string) (k *known, err error) {
	if d == (core.Distinct{}) {
		return nil, nil
	}
	err = s.read(ctx, func(ctx context.Context, l *layout) error {
		if k = nil; l.django.IsPostgres() {
			return nil
		}
		k = &known{} // before users are read: who comes in between is looked at again
		last := `SELECT coalesce((SELECT max(` + l.id() + `) FROM ` + l.django.FromClause(l.shape.Users, `"users"`) + `), 0), coalesce((SELECT max(id) FROM authcompat_audit), 0)`
		if err := l.db.QueryRowContext(ctx, last).Scan(&k.lastUser, &k.lastEntry); err != nil {
			return fmt.Errorf("look for the last user: %w", err)
		}
		return l.lookForOthers(ctx, l.db, d, id, username, email, "")
	})
	return k, err
}

// distinct fails if another user than the one with the id has what has to be distinct, apart from those who are known
// not to. Those who look for the same through this server come one after the other; Django takes no part.
func (l *layout) distinct(ctx context.Context, tx *sql.Tx, d core.Distinct, id int64, username, email string, k *known) error {
	if k == nil {
		return l.lookForOthers(ctx, tx, d, id, username, email, "")
	}
	return l.lookForOthers(ctx, tx, d, id, username, email,
		` AND (`+l.id()+` > ? OR `+l.id()+` IN (SELECT user_id FROM authcompat_audit WHERE id > ?))`, k.lastUser, k.lastEntry)
}

// lookForOthers looks at the users who meet a condition.
func (l *layout) lookForOthers(ctx context.Context, q querier, d core.Distinct, id int64, username, email, among string, args ...any) error {
	for _, c := range []struct {
		wanted       bool
		column, text string
		taken        error
	}{
		{d.Username, l.decoder.Mapping.Username, username, core.ErrUsernameTaken},
		{d.Email && email != "", l.decoder.Mapping.Email, email, core.ErrEmailTaken},
	} {
		if !c.wanted || c.column == "" {
			continue
		}
		text := spelling.LowerASCII(c.text)
		if tx, ok := q.(*sql.Tx); ok && l.django.IsPostgres() {
			if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, l.shape.Users.String()+" "+c.column+" "+text); err != nil {
				return fmt.Errorf("lock %s: %w", c.column, err)
			}
		}
		rows, err := l.find(ctx, q, l.lowered(`"users".`+l.django.Quote(c.column))+` = ? AND `+l.id()+` <> ?`+among, ` LIMIT 1`, append([]any{text, id}, args...)...)
		if err != nil {
			return fmt.Errorf("look for user: %w", err)
		}
		if len(rows) > 0 {
			return c.taken
		}
	}
	return nil
}
