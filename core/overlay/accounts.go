package overlay

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/authcompat/authcompat/core"
)

// accountStore is a core.AccountStore that reads another one, and writes nothing.
type accountStore struct{ *store }

// AccountByID implements core.AccountStore.
func (s *accountStore) AccountByID(ctx context.Context, userID int64) (core.Account, error) {
	return s.byID(ctx, userID)
}

// FindAccounts implements core.AccountStore. Of a user whom the same request has changed, it goes
// by what was there before.
func (s *accountStore) FindAccounts(ctx context.Context, by core.Identifier, text string, caseBlind bool, limit int) ([]core.Account, error) {
	r := of(ctx)
	found, err := remember(r, call("find", by, text, caseBlind, limit), func() ([]core.Account, error) {
		return s.accounts.FindAccounts(ctx, by, text, caseBlind, limit)
	})
	if err != nil {
		return nil, err
	}
	return r.left(found), nil
}

// FindRecipients implements core.AccountStore, as FindAccounts.
func (s *accountStore) FindRecipients(ctx context.Context, email string, caseBlind, active bool, limit int) ([]core.Account, error) {
	r := of(ctx)
	found, err := remember(r, call("recipients", email, caseBlind, active, limit), func() ([]core.Account, error) {
		return s.accounts.FindRecipients(ctx, email, caseBlind, active, limit)
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(r.left(found), func(a core.Account) bool { return a.Active != active }), nil
}

// Users implements core.AccountStore.
func (s *accountStore) Users(ctx context.Context, f core.UserFilter, limit int) ([]core.User, error) {
	r := of(ctx)
	found, err := remember(r, call("users", f.After, f.Inactive, f.IDs, limit), func() ([]core.User, error) { return s.accounts.Users(ctx, f, limit) })
	if err != nil {
		return nil, err
	}
	var left []core.User
	for _, u := range found {
		if now, ok := r.current(core.Account{User: u}); ok {
			left = append(left, now.User)
		}
	}
	return left, nil
}

// UpdateUser implements core.AccountStore.
func (s *accountStore) UpdateUser(ctx context.Context, c core.UserChange, _ *core.AuditEntry) (core.User, error) {
	a, err := s.byID(ctx, c.To.ID)
	switch {
	case err != nil:
		return core.User{}, err
	case !c.Link.GoodFor(a) || a.Username != c.Was.Username || a.Email != c.Was.Email || !maps.Equal(a.Attributes, c.Was.Attributes):
		return core.User{}, core.ErrConflict
	}
	if c.To.Username != c.Was.Username {
		other, err := s.Account(ctx, c.To.Username)
		if err == nil && other.ID != a.ID {
			return core.User{}, core.ErrUsernameTaken
		}
		if err != nil && !errors.Is(err, core.ErrNotFound) {
			return core.User{}, err
		}
	}
	if err := s.distinct(ctx, c.Distinct.Changed(c.Was, c.To), a.ID, c.To.Username, c.To.Email); err != nil {
		return core.User{}, err
	}
	active := a.Active && c.To.Active
	a.User = c.To
	a.Active = active
	if c.Link.LogsIn() {
		a.LastLogin = c.Link.At
	}
	of(ctx).put(a.ID, &a)
	return a.User, nil
}

// RemoveUser implements core.AccountStore. Rows of others that refer to the user are not
// noticed.
func (s *accountStore) RemoveUser(ctx context.Context, userID int64, passwordHash string, _ *core.AuditEntry) error {
	a, err := s.byID(ctx, userID)
	switch {
	case err != nil:
		return err
	case a.PasswordHash != passwordHash:
		return core.ErrPasswordChanged
	}
	r := of(ctx)
	r.put(userID, nil)
	r.end(func(t core.Token) bool { return t.UserID == userID })
	return nil
}

// ActivateUser implements core.AccountStore.
func (s *accountStore) ActivateUser(ctx context.Context, userID int64, link core.LinkUse, _ *core.AuditEntry) error {
	a, err := s.byID(ctx, userID)
	switch {
	case err != nil:
		return err
	case a.Active || !link.GoodFor(a):
		return core.ErrNotFound
	}
	a.Active = true
	if link.LogsIn() {
		a.LastLogin = link.At
	}
	of(ctx).put(userID, &a)
	return nil
}

// ChangePassword implements core.AccountStore. The number of tokens, which no API shows, is 0.
func (s *accountStore) ChangePassword(ctx context.Context, c core.PasswordChange, _ *core.AuditEntry) (int, error) {
	a, err := s.byID(ctx, c.UserID)
	switch {
	case err != nil:
		return 0, err
	case a.PasswordHash != c.Old || !c.Link.GoodFor(a):
		return 0, core.ErrPasswordChanged
	}
	a.PasswordHash = c.New
	if c.Link.LogsIn() {
		a.LastLogin = c.Link.At
	}
	r := of(ctx)
	r.put(a.ID, &a)
	if c.EndTokens {
		r.end(func(t core.Token) bool {
			return t.UserID == c.UserID && (c.Realm == "" || t.Realm == c.Realm) && (len(c.Keep) == 0 || !bytes.Equal(t.Digest, c.Keep))
		})
	}
	return 0, nil
}
