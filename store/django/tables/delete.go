package tables

import (
	"context"
	"fmt"
	"slices"
)

// ReferredError is the error for a user to whom rows refer of which only the application knows what becomes
// of them without the user.
type ReferredError struct{ Table, Column string }

// Error implements error.
func (e *ReferredError) Error() string {
	return fmt.Sprintf("rows of %s refer to the user (column %s), and what becomes of them is known to Django's models alone", e.Table, e.Column)
}

// DeleteUser deletes the rows of a user, those of the tables that inherit first, and the rows that Django's own
// models and the tables of tokens have of the user. If others refer to the user, it fails with *ReferredError; the
// transaction has to be rolled back then, at least to where it was before.
func (w Writer) DeleteUser(ctx context.Context, key string) error {
	users := w.shape.Users
	id := func(part Table) (column string, value any) {
		if column = part.KeyColumn(); users.Base == nil {
			column = w.d.Mapping.ID
		}
		return column, w.owner(part, column, key)
	}
	for _, r := range w.ReferringToUsers() {
		column, value := id(r.Part)
		rows := ` FROM ` + w.TableName(r.Table) + ` WHERE ` + w.Quote(r.Column) +
			` = (SELECT ` + w.Quote(r.Key) + ` FROM ` + w.TableName(r.Part) + ` WHERE ` + w.Quote(column) + ` = ` + w.Placeholder(1) + `)`
		if keys, ok := w.Table("account_emailconfirmation"); ok && r.Table.Name == "account_emailaddress" && keys.Has("email_address_id") {
			// django-allauth's keys of addresses go with these (allauth/account/models.py, EmailConfirmation).
			if _, err := w.tx.ExecContext(ctx, `DELETE FROM `+w.TableName(keys)+` WHERE email_address_id IN (SELECT id`+rows+`)`, value); err != nil {
				return fmt.Errorf("delete from %s: %w", keys, err)
			}
		}
		if r.Links {
			if _, err := w.tx.ExecContext(ctx, `DELETE`+rows, value); err != nil {
				return fmt.Errorf("delete from %s: %w", r.Table, err)
			}
			continue
		}
		var there bool
		if err := w.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1`+rows+`)`, value).Scan(&there); err != nil {
			return fmt.Errorf("look for rows of %s: %w", r.Table, err)
		}
		if there {
			return &ReferredError{Table: r.Table.String(), Column: r.Column}
		}
	}
	for _, table := range w.shape.Tokens { // without foreign keys in the database, their rows were not found by them
		if _, err := w.tx.ExecContext(ctx, `DELETE FROM `+w.TableName(table.Table)+` WHERE `+w.Quote("user_id")+` = `+w.Placeholder(1), w.owner(table.Table, "user_id", key)); err != nil {
			return fmt.Errorf("delete tokens: %w", err)
		}
	}
	for _, part := range slices.Backward(users.Parts()) {
		column, value := id(part)
		if _, err := w.tx.ExecContext(ctx, `DELETE FROM `+w.TableName(part)+` WHERE `+w.Quote(column)+` = `+w.Placeholder(1), value); err != nil {
			return fmt.Errorf("delete user: %w", err)
		}
	}
	return nil
}
