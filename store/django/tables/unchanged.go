package tables

import (
	"bytes"
	"context"
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
// database has such locks: an SQLite file has one writer, whose transaction would fail.
func (b *Batch) isUnchanged(ctx context.Context, key string, old core.Account) (bool, error) {
	t := b.target
	lock := t.LockUsers()
	if lock == "" {
		return true, nil
	}
	for _, part := range t.shape.Users.Parts() {
		if part.View { // of which not all can be locked
			lock = ""
		}
	}
	id, alias := t.Decoder.Mapping.ID, t.Quote("users")
	rows, err := readRows(ctx, b.tx, t.shape.Users, 0, "SELECT "+t.columns(t.shape.Users, alias)+" FROM "+t.FromClause(t.shape.Users, alias)+
		" WHERE "+alias+"."+t.Quote(id)+" = "+t.Placeholder(1)+lock, b.writer().owner(t.shape.Users, id, key))
	if err != nil {
		return false, fmt.Errorf("read user again: %w", err)
	}
	if len(rows) != 1 {
		return false, nil
	}
	d := t.Decoder
	d.Live = true // as Accounts reads it
	now, err := d.User(rows[0])
	return err == nil && bytes.Equal(transfer.UserFingerprint(now.Account), transfer.UserFingerprint(old)), nil
}
