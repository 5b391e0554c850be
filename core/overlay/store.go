package overlay

import (
	"bytes"
	"context"
	"errors"
	"math"
	"time"

	"github.com/authcompat/authcompat/core"
)

// newUserID is the id of a user who would be created: none that a database has.
const newUserID = math.MaxInt64

// store is a core.Store that reads another one, and writes nothing.
type store struct {
	under    core.Store
	accounts core.AccountStore // nil: there is none
	tokens   core.TokenReader  // nil: likewise
}

// CreateUser implements core.Store. It finds out from reads what the store would refuse: a
// constraint of the database that only a write would meet is not noticed.
func (s *store) CreateUser(ctx context.Context, u core.NewUser, mint func(core.User) (core.Token, error), audit *core.AuditEntry) (core.User, error) {
	r := of(ctx)
	if _, err := s.Account(ctx, u.Username); err == nil {
		return core.User{}, core.ErrUsernameTaken
	} else if !errors.Is(err, core.ErrNotFound) {
		return core.User{}, err
	}
	if err := s.distinct(ctx, u.Distinct, 0, u.Username, u.Email); err != nil {
		return core.User{}, err
	}
	user := core.User{ID: newUserID, Username: u.Username, Email: u.Email, Active: !u.Inactive, Attributes: u.Attributes, CreatedAt: u.CreatedAt}
	if audit != nil {
		audit.UserID = user.ID
	}
	r.mu.Lock()
	r.state.created = append(r.state.created, core.Account{User: user, PasswordHash: u.PasswordHash})
	r.mu.Unlock()
	r.note(func(e *Effects) { e.User = true })
	if mint == nil {
		return user, nil
	}
	token, err := mint(user)
	if err != nil {
		return core.User{}, err
	}
	r.add(token)
	return user, nil
}

// add adds a token that would be issued.
func (r *Request) add(t core.Token) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.issued = append(r.state.issued, t)
	r.state.effects.Token = true
}

// distinct fails as a store does if another user than the one with the id has what has to be
// distinct.
func (s *store) distinct(ctx context.Context, d core.Distinct, id int64, username, email string) error {
	for _, c := range []struct {
		wanted bool
		by     core.Identifier
		text   string
		taken  error
	}{{d.Username, core.ByUsername, username, core.ErrUsernameTaken}, {d.Email && email != "", core.ByEmail, email, core.ErrEmailTaken}} {
		if !c.wanted || s.accounts == nil {
			continue
		}
		found, err := (&accountStore{s}).FindAccounts(ctx, c.by, c.text, true, 2)
		if err != nil {
			return err
		}
		for _, a := range found {
			if a.ID != id {
				return c.taken
			}
		}
	}
	return nil
}

// Account implements core.Store.
func (s *store) Account(ctx context.Context, username string) (core.Account, error) {
	r := of(ctx)
	if a, ok := r.findCreated(func(a core.Account) bool { return a.Username == username }); ok {
		return a, nil
	}
	a, err := remember(r, call("account", username), func() (core.Account, error) { return s.under.Account(ctx, username) })
	if err != nil {
		return a, err
	}
	now, ok := r.current(a)
	if !ok || now.Username != a.Username {
		return core.Account{}, core.ErrNotFound
	}
	return now, nil
}

// byID returns the account with this id, in whichever way the store can.
func (s *store) byID(ctx context.Context, id int64) (core.Account, error) {
	r := of(ctx)
	if a, ok := r.findCreated(func(a core.Account) bool { return a.ID == id }); ok {
		return a, nil
	}
	if s.accounts == nil {
		return core.Account{}, core.ErrUnsupported
	}
	a, err := remember(r, call("by id", id), func() (core.Account, error) { return s.accounts.AccountByID(ctx, id) })
	if err != nil {
		return a, err
	}
	now, ok := r.current(a)
	if !ok {
		return core.Account{}, core.ErrNotFound
	}
	return now, nil
}

// mayHaveToken fails as IssueToken does for the user.
func (s *store) mayHaveToken(ctx context.Context, t core.Token, passwordHash string) error {
	a, err := s.byID(ctx, t.UserID)
	switch {
	case err != nil:
		return err
	case passwordHash != "" && a.PasswordHash != passwordHash:
		return core.ErrPasswordChanged
	case !a.Active:
		return core.ErrUserInactive
	}
	return nil
}

// userTokens is what a user has.
type userTokens struct {
	all       []core.Token
	anyIssuer bool
}

// userTokens returns the user's tokens that the answer would not have ended.
func (s *store) userTokens(ctx context.Context, userID int64) (userTokens, error) {
	if s.tokens == nil {
		return userTokens{}, core.ErrUnsupported
	}
	r := of(ctx)
	found, err := remember(r, call("tokens", userID), func() (t userTokens, err error) {
		t.all, t.anyIssuer, err = s.tokens.UserTokens(ctx, userID)
		return t, err
	})
	if err != nil {
		return found, err
	}
	left := userTokens{anyIssuer: found.anyIssuer}
	for _, t := range found.all {
		if !r.isEnded(t) {
			left.all = append(left.all, t)
		}
	}
	return left, nil
}

// IssueToken implements core.Store.
func (s *store) IssueToken(ctx context.Context, t core.Token, passwordHash string, limit int, _ *core.AuditEntry) error {
	if err := s.mayHaveToken(ctx, t, passwordHash); err != nil {
		return err
	}
	r := of(ctx)
	if limit > 0 || s.tokens != nil {
		had, err := s.userTokens(ctx, t.UserID)
		if err != nil {
			return err
		}
		live := 0
		for _, other := range had.all {
			if other.Realm == t.Realm && other.ExpiresAt.After(t.CreatedAt) {
				live++
			}
		}
		if limit > 0 && live >= limit {
			return core.ErrTokenLimit
		}
		r.noteTokens(had.all)
	}
	r.add(t)
	return nil
}

// noteTokens notes which tokens there were of a user who gets a new one.
func (r *Request) noteTokens(had []core.Token) {
	r.note(func(e *Effects) {
		for _, t := range had {
			if t.Plaintext != "" {
				e.Reusable = append(e.Reusable, string(t.Plaintext))
			}
		}
	})
}

// ReuseToken implements core.Store.
func (s *store) ReuseToken(ctx context.Context, fresh core.Token, passwordHash string, now time.Time, audit *core.AuditEntry) (core.Token, error) {
	if err := s.mayHaveToken(ctx, fresh, passwordHash); err != nil {
		return core.Token{}, err
	}
	had, err := s.userTokens(ctx, fresh.UserID)
	if err != nil {
		return core.Token{}, err
	}
	r := of(ctx)
	for _, t := range had.all {
		mine := had.anyIssuer || t.Reusable && t.Realm == fresh.Realm && t.Issuer == fresh.Issuer
		if !mine || t.Expired(now) {
			continue
		}
		t.Reusable = true
		if audit != nil {
			audit.Token = core.TokenID(t.Digest)
		}
		if fresh.Sliding != 0 && !t.ExpiresAt.IsZero() && fresh.ExpiresAt.After(t.ExpiresAt) {
			t.ExpiresAt = fresh.ExpiresAt
			r.note(func(e *Effects) { e.Expiry = true })
		}
		return t, nil
	}
	r.noteTokens(had.all)
	r.add(fresh)
	return fresh, nil
}

// foundToken is a token with its user.
type foundToken struct {
	token core.Token
	user  core.User
}

// FindToken implements core.Store.
func (s *store) FindToken(ctx context.Context, realm string, p core.Presented) (core.Token, core.User, error) {
	r := of(ctx)
	found, err := remember(r, call("token", realm, string(p.SHA256())), func() (f foundToken, err error) {
		f.token, f.user, err = s.under.FindToken(ctx, realm, p)
		return f, err
	})
	if err != nil {
		return core.Token{}, core.User{}, err
	}
	now, ok := r.current(core.Account{User: found.user})
	if !ok || r.isEnded(found.token) {
		return core.Token{}, core.User{}, core.ErrNotFound
	}
	return found.token, now.User, nil
}

// ExtendExpiry implements core.Store.
func (s *store) ExtendExpiry(ctx context.Context, _ core.Digest, _, _ time.Time) error {
	of(ctx).note(func(e *Effects) { e.Expiry = true })
	return nil
}

// DeleteToken implements core.Store. Whoever deletes a token has found it before, in the same
// request.
func (s *store) DeleteToken(ctx context.Context, d core.Digest, _ *core.AuditEntry) error {
	r := of(ctx)
	if r.isEnded(core.Token{Digest: d}) {
		return core.ErrNotFound
	}
	r.end(func(t core.Token) bool { return bytes.Equal(t.Digest, d) })
	return nil
}

// DeleteUserTokens implements core.Store. Their number, which no API shows, is 0.
func (s *store) DeleteUserTokens(ctx context.Context, userID int64, realm string, _ *core.AuditEntry) (int, error) {
	of(ctx).end(func(t core.Token) bool { return t.UserID == userID && t.Realm == realm })
	return 0, nil
}

// TrimTokens implements core.Store. Those that would be removed are by what comes after it.
func (s *store) TrimTokens(context.Context, int64, string, int) (int, error) { return 0, nil }

// UpdatePassword implements core.Store.
func (s *store) UpdatePassword(ctx context.Context, userID int64, old, encoded string, _ bool, _ *core.AuditEntry) error {
	a, err := s.byID(ctx, userID)
	if err == nil && a.PasswordHash != old {
		err = core.ErrNotFound
	}
	if err != nil {
		return err
	}
	a.PasswordHash = encoded
	of(ctx).put(userID, &a)
	return nil
}

// Ping implements core.Store.
func (s *store) Ping(ctx context.Context) error { return s.under.Ping(ctx) }

// Close implements core.Store. The store beneath stays open: it is another's.
func (s *store) Close() error { return nil }
