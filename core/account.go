package core

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/maillink"
)

// What users see of accounts, and do with their own.

// UserUpdate is what changes of a user; nil fields stay as they are.
type UserUpdate struct {
	Username, Email *string
	// Attributes are those that change, as the text of User.Attributes; nil removes one.
	Attributes map[string]*string
	// DeactivateMoved makes the user inactive if the address changes, until an activation
	// (djoser/serializers.py 2.1, UserSerializer.update).
	DeactivateMoved bool
	// Still is called before each attempt, and the update fails as it does.
	Still Still
}

// maxUpdateAttempts is how often an update is tried while others change the same user.
const maxUpdateAttempts = 5

// accountByID is [AccountStore.AccountByID], and ErrUnsupported where there is none.
func (s *Service) accountByID(ctx context.Context, userID int64) (Account, error) {
	if s.accounts == nil {
		return Account{}, ErrUnsupported
	}
	return s.accounts.AccountByID(ctx, userID)
}

// UserByID returns the user with this id. It fails with KindUserUnknown or KindUnavailable.
func (s *Service) UserByID(ctx context.Context, userID int64) (User, error) {
	account, err := s.accountByID(ctx, userID)
	return account.User, wrapUserError("find user", err)
}

// Users returns at most limit users whose ids are above after, by id. It fails with
// KindUnavailable.
func (s *Service) Users(ctx context.Context, after int64, limit int) ([]User, error) {
	if s.accounts == nil {
		return nil, wrapStoreError("list users", ErrUnsupported)
	}
	users, err := s.accounts.Users(ctx, UserFilter{After: after}, limit)
	if err != nil {
		return nil, wrapStoreError("list users", err)
	}
	return users, nil
}

// UsersByEmail returns at most limit users who have an address, who had it first before the others, as the policy
// compares addresses. Nobody has an empty one. It fails with KindUnavailable.
func (s *Service) UsersByEmail(ctx context.Context, p Policy, email string, limit int) ([]User, error) {
	if email = lookup(email); !Storable(email) {
		return nil, nil
	}
	if s.accounts == nil {
		return nil, wrapStoreError("find users", ErrUnsupported)
	}
	accounts, err := s.accounts.FindAccounts(ctx, ByEmail, email, p.EmailCaseBlind, limit)
	if err != nil {
		return nil, wrapStoreError("find users", err)
	}
	var users []User
	for _, a := range accounts {
		users = append(users, a.User)
	}
	return users, nil
}

// EmailTaken reports whether another user than the one with this id, or any if it is 0, has the
// address now, whatever the case, for dialects that report it together with other problems. Only
// Register and UpdateUser decide.
func (s *Service) EmailTaken(ctx context.Context, email string, userID int64) (bool, error) {
	users, err := s.UsersByEmail(ctx, Policy{EmailCaseBlind: true}, email, 2)
	return slices.ContainsFunc(users, func(u User) bool { return u.ID != userID }), err
}

// UpdateUser changes a user: what another request changed meanwhile stays, unless it is the
// same. Neither names nor addresses are normalized: in Django that is create_user's (django/contrib/auth/models.py
// 3.2, UserManager), which no update calls. It fails with KindUserUnknown,
// KindUsernameTaken, KindEmailTaken, KindInvalidUser or KindUnavailable.
func (s *Service) UpdateUser(ctx context.Context, p Policy, userID int64, u UserUpdate) (User, error) {
	return s.updateUser(ctx, p, Confirmation{account: Account{User: User{ID: userID}}, still: u.Still}, u)
}

// UpdateByLink changes the user whom a link is for, and ends the link. It fails as UpdateUser does,
// or with KindInvalidCredentials if the link is no longer good.
func (s *Service) UpdateByLink(ctx context.Context, p Policy, c Confirmation, u UserUpdate) (User, error) {
	return s.updateUser(ctx, p, c, u)
}

func (s *Service) updateUser(ctx context.Context, p Policy, c Confirmation, u UserUpdate) (User, error) {
	for range maxUpdateAttempts {
		account, err := s.accountByID(ctx, c.account.ID)
		if err != nil {
			return User{}, wrapUserError("find user", err)
		}
		link, err := c.use(account, s.now())
		if err == nil {
			err = c.still.check(ctx)
		}
		if err != nil {
			return User{}, err
		}
		to, changed := u.apply(p, account.User)
		if len(changed) == 0 && link == nil {
			return account.User, nil
		}
		if err := s.checkStorable(NewUser{Username: to.Username, Email: to.Email, Attributes: to.Attributes, CreatedAt: to.CreatedAt}); err != nil {
			return User{}, err
		}
		if to.Username != account.Username {
			if err := p.checkUsername(to.Username); err != nil {
				return User{}, err
			}
			if err := s.checkNobodysAddress(ctx, p, to); err != nil {
				return User{}, err
			}
		}
		e := s.newEntry(ctx, ActionUpdateUser, p.Issuer)
		e.UserID, e.Username, e.Detail = to.ID, account.Username, strings.Join(changed, " ")
		kept, err := s.accounts.UpdateUser(ctx, UserChange{Was: account.User, To: to, At: s.now(), Distinct: s.distinct(p), Link: link}, s.audited(&e))
		if !errors.Is(err, ErrConflict) {
			if err == nil {
				s.emit(ActionUpdateUser, p.Issuer, OK)
			}
			return kept, wrapUserError("update user", err)
		}
	}
	return User{}, &Error{Kind: KindUnavailable, Err: ErrConflict}
}

// apply returns the user after the update, and what of it is different.
func (u UserUpdate) apply(p Policy, was User) (to User, changed []string) {
	to = was
	if u.Username != nil {
		if to.Username = *u.Username; p.EmailIsUsername {
			to.Email = to.Username
		}
	}
	if u.Email != nil {
		to.Email = *u.Email
	}
	to.Attributes = maps.Clone(was.Attributes)
	for name, value := range u.Attributes {
		if value == nil {
			delete(to.Attributes, name)
			continue
		}
		if to.Attributes == nil {
			to.Attributes = make(map[string]string)
		}
		to.Attributes[name] = *value
	}
	if to.Username != was.Username {
		changed = append(changed, "username")
	}
	if to.Email != was.Email {
		changed = append(changed, "email")
		if u.DeactivateMoved {
			to.Active = false
		}
	}
	if !maps.Equal(to.Attributes, was.Attributes) {
		changed = append(changed, "attributes")
	}
	return to, changed
}

// checkNobodysAddress fails with KindUsernameTaken if the username is another user's address, where users
// log in by either at this API or another: a username comes first there, so that the other could no longer log in. An
// address that becomes another's at the same moment is not noticed: nothing is locked for it.
func (s *Service) checkNobodysAddress(ctx context.Context, p Policy, u User) error {
	either, caseBlind := s.loginByEither(p)
	if !either {
		return nil
	}
	found, err := s.UsersByEmail(ctx, Policy{EmailCaseBlind: caseBlind}, u.Username, 2)
	if err == nil && slices.ContainsFunc(found, func(other User) bool { return other.ID != u.ID }) {
		err = &Error{Kind: KindUsernameTaken}
	}
	return err
}

// checkStorable fails with KindInvalidUser unless every store, and this one, can hold the
// texts of a user.
func (s *Service) checkStorable(u NewUser) error {
	storableEmail := u.Email == "" || Storable(u.Email)
	if !Storable(u.Username) || utf8.RuneCountInString(u.Username) > MaxUsername ||
		!storableEmail || utf8.RuneCountInString(u.Email) > MaxEmail {
		return &Error{Kind: KindInvalidUser}
	}
	if s.plaintext != nil {
		if err := s.plaintext.CheckUser(u); err != nil {
			return wrapStoreError("check user", err)
		}
	}
	return nil
}

// ChangePassword replaces the password of a user who has confirmed it, or has a link, and with endTokens
// ends the user's tokens in the policy's realm in the same step. It returns their number. It fails with KindInvalidCredentials if the password has
// been changed since it was confirmed, or the link is no longer good, with KindUserUnknown, KindOverloaded or KindUnavailable.
func (s *Service) ChangePassword(ctx context.Context, p Policy, c Confirmation, plain string, endTokens bool) (ended int, err error) {
	clients.Present(ctx, plain)
	encoded, err := s.encode(ctx, Registration{Password: plain}, nil)
	if err != nil {
		return 0, err
	}
	e := s.newEntry(ctx, ActionSetPassword, p.Issuer)
	e.UserID, e.Username, e.Detail = c.account.ID, c.account.Username, c.by()
	total := 0 // of those that have ended before
	err = s.withPassword(ctx, "change password", c, func(a Account) (err error) {
		link, err := c.use(a, s.now())
		if err != nil {
			return err
		}
		if link != nil && !p.UpdateLastLogin {
			link.At = time.Time{}
		}
		if endTokens {
			trimmed, err := trimTokens(ctx, s.store, a.ID, p.Realm)
			if total += trimmed; err != nil {
				return err
			}
		}
		ended, err = s.accounts.ChangePassword(ctx, PasswordChange{
			UserID: a.ID, Old: a.PasswordHash, New: encoded, EndTokens: endTokens, Realm: p.Realm, Link: link,
		}, s.audited(&e))
		return err
	})
	if err == nil {
		s.emit(ActionSetPassword, p.Issuer, OK)
	}
	return total + ended, err
}

// DeleteAccount removes a user who has confirmed the password, and all tokens. It fails with
// KindInvalidCredentials if the password has been changed since, with KindUserUnknown,
// KindUnsupported or KindUnavailable.
func (s *Service) DeleteAccount(ctx context.Context, p Policy, c Confirmation) error {
	e := s.newEntry(ctx, ActionDeleteUser, p.Issuer)
	e.UserID, e.Username = c.account.ID, c.account.Username
	err := s.withPassword(ctx, "delete user", c, func(a Account) error {
		if _, err := trimTokens(ctx, s.store, a.ID, ""); err != nil {
			return err
		}
		return s.accounts.RemoveUser(ctx, a.ID, a.PasswordHash, s.audited(&e))
	})
	if err == nil {
		s.emit(ActionDeleteUser, p.Issuer, OK)
	}
	return err
}

// Activated reports whether the user is active and the link was good before the first login, as which an
// activation is kept: it is the one that activated the user, as a rule. It fails with KindUserUnknown or KindUnavailable.
func (s *Service) Activated(ctx context.Context, links *maillink.Generator, userID int64, token string) (bool, error) {
	a, err := s.accountByID(ctx, userID)
	if err != nil {
		return false, wrapUserError("find user", err)
	}
	a.LastLogin = time.Time{}
	return a.Active && links.Check(a.LinkUser(), token, s.now()) == nil, nil
}

// Activate makes the user active whom a link is for, and ends the link. done is false if the user is active
// already, or if the link is no longer good. It fails with KindUnavailable.
func (s *Service) Activate(ctx context.Context, p Policy, c Confirmation) (done bool, err error) {
	link, err := c.use(c.account, s.now())
	if err != nil {
		return false, nil // it has expired by now
	}
	e := s.newEntry(ctx, ActionEnableUser, p.Issuer)
	e.UserID, e.Username, e.Detail = c.account.ID, c.account.Username, c.by()
	err = s.accounts.ActivateUser(ctx, c.account.ID, *link, s.audited(&e))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, wrapStoreError("activate user", err)
	}
	s.emit(ActionEnableUser, p.Issuer, OK)
	return true, nil
}
