package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
)

// deletions deletes in the target the users who were deleted here, or reports them.
func (e *exporter) deletions(ctx context.Context) error {
	for after := int64(0); ; {
		links, err := e.from.DeletedUsers(ctx, e.place.Source, after, exportPage)
		if err != nil {
			return fmt.Errorf("read deleted users: %w", err)
		}
		if len(links) == 0 {
			return nil
		}
		after = links[len(links)-1].UserID
		if err := e.to.Write(ctx, func(b *tables.Batch) error { return e.deletionPage(ctx, b, links) }); err != nil {
			return fmt.Errorf("delete users: %w", err)
		}
	}
}

func (e *exporter) deletionPage(ctx context.Context, b *tables.Batch, links []transfer.UserLink) error {
	byKey := make(map[string]transfer.UserLink, len(links))
	var keys []string
	for _, l := range links {
		if !l.Former() { // somebody else has the key there
			byKey[l.Key], keys = l, append(keys, l.Key)
		}
	}
	there, err := b.Accounts(ctx, keys, nil)
	if err != nil {
		return err
	}
	for _, u := range there {
		l := byKey[u.Key]
		reason, err := e.deletion(ctx, b, u, l)
		if err != nil {
			return err
		}
		if reason == "" {
			e.report.Deleted++
			continue
		}
		e.report.Left++
		e.report.problem(fmt.Sprintf("user %d", l.UserID), "was deleted here, and is still there (key "+u.Key+"): "+reason)
	}
	return nil
}

// deletion deletes a user of the target, or says why not.
func (e *exporter) deletion(ctx context.Context, b *tables.Batch, u transfer.ImportedUser, l transfer.UserLink) (reason string, err error) {
	if !bytes.Equal(transfer.UserFingerprint(u.Account), l.Fingerprint) {
		return "what is there has changed since it was last moved, and may be somebody else's", nil
	}
	if !e.DeleteUsers {
		return "it is deleted only if asked for", nil
	}
	var referred *tables.ReferredError
	var refused *tables.RowError
	switch err := b.DeleteUser(ctx, u.Key, u.Account); {
	case errors.As(err, &referred), errors.As(err, &refused), errors.Is(err, tables.ErrUserChanged):
		return err.Error(), nil
	default:
		return "", err
	}
}
