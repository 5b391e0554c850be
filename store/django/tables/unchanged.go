package tables

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
)

// ErrUserChanged is the error for a user whose row Django has changed, or removed, after it was read.
var ErrUserChanged = errors.New("it has changed in the target while it was being written: export again")

// tryUnchanged is try for a row of a user that was read in the transaction, and is as old still; else it fails with
// ErrUserChanged. Django may serve meanwhile, and a page of users takes a while: what somebody changes there between the
// two, a password for instance, would be overwritten, since neither PostgreSQL nor MySQL notices by itself.
func (b *Batch) tryUnchanged(ctx context.Context, key string, old core.Account, do func() error) error {
	changed := false
	err := b.try(ctx, func() error {
		same, err := b.isUnchanged(ctx, key, old)
		if changed = err == nil && !same; changed {
			return ErrUserChanged
		}
		if err != nil {
			return err
		}
		return do()
	})
	if changed && b.broken == nil {
		return ErrUserChanged
	}
	return err
}

// isUnchanged reports whether the row of a user is as it was read, and locks it until the transaction ends, where a
// database has such locks: an SQLite file has one writer, whose transaction would fail. Of a user who is part of several
// tables each row is locked on its own, that of the root first, as Django's save takes them (django/db/models/base.py,
// save_base): MySQL locks no table inside a derived one, and reads there what was so when the transaction began.
func (b *Batch) isUnchanged(ctx context.Context, key string, old core.Account) (bool, error) {
	t, users := b.target, b.target.shape.Users
	lock := t.LockUsers()
	if lock == "" {
		return true, nil
	}
	alias, values := t.Quote("users"), make([]sql.NullString, len(users.Columns))
	for i, part := range users.Parts() {
		id := part.KeyColumn()
		if i == 0 && users.Base == nil {
			id = t.Decoder.Mapping.ID
		}
		rows, err := readRows(ctx, b.tx, part, 0, "SELECT "+t.columns(part, alias)+" FROM "+t.TableName(part)+" "+alias+
			" WHERE "+alias+"."+t.Quote(id)+" = "+t.Placeholder(1)+lock, b.writer().owner(part, id, key))
		if err != nil {
			return false, fmt.Errorf("read user again: %w", err)
		}
		if len(rows) != 1 {
			return false, nil
		}
		for n, c := range part.Columns {
			values[users.index[c.Name]] = rows[0].values[n]
		}
	}
	d := t.Decoder
	d.Live = true // as Accounts reads it
	now, err := d.User(users.Row(values))
	return err == nil && bytes.Equal(transfer.UserFingerprint(now.Account), transfer.UserFingerprint(old)), nil
}
