package core

import (
	"context"
	"errors"
	"time"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/maillink"
)

// What users do who follow the link in a mail.

// errLink is the error of a link that is good for nothing, or no longer.
var errLink = errors.New("the link is not the user's, has been used, or has expired")

// LinkUser is what the tokens of the account's links are made of.
func (a Account) LinkUser() maillink.User {
	return maillink.User{ID: a.ID, PasswordHash: a.PasswordHash, Email: a.Email, LastLogin: a.LastLogin}
}

// ConfirmLink checks the token of a link for a user. It fails with KindUserUnknown, with
// KindInvalidCredentials if the token is not good for the user, or with KindUnavailable. A link that is made is not
// used: that is what the confirmation is for.
//
// Tokens have no limit of guesses: one has 128 bits of a keyed hash, or 80 in the formats of Django 2.2 and SHA-1, and a
// guess takes a request. A limit for each user would let anybody keep others from using their links.
func (s *Service) ConfirmLink(ctx context.Context, links *maillink.Generator, userID int64, token string) (Confirmation, error) {
	account, err := s.accountByID(ctx, userID)
	if err != nil {
		return Confirmation{}, wrapUserError("find user", err)
	}
	var emails []string
	if links.AllEmails {
		if emails, err = EmailsOf(ctx, s.addresses, userID); err != nil {
			return Confirmation{}, wrapStoreError("find addresses", err)
		}
	}
	c := Confirmation{account: account, link: func(a Account) bool {
		u := a.LinkUser()
		u.Emails = emails
		return links.Check(u, token, s.now()) == nil
	}}
	if !c.link(account) {
		return Confirmation{}, &Error{Kind: KindInvalidCredentials, Err: errLink}
	}
	clients.Identify(ctx, account.Username)
	return c, nil
}

// use returns the use at now of the link that confirms, or nil without one. It fails with
// KindInvalidCredentials if the link is not good for the account.
func (c Confirmation) use(account Account, now time.Time) (*LinkUse, error) {
	if c.link == nil {
		return nil, nil
	}
	if !c.link(account) {
		return nil, &Error{Kind: KindInvalidCredentials, Err: errLink}
	}
	// Tokens of links know the second of the last login: in the same one they would stay good.
	if last := account.LastLogin.Truncate(time.Second); !now.Truncate(time.Second).After(last) && !last.IsZero() {
		now = last.Add(time.Second)
	}
	return &LinkUse{PasswordHash: account.PasswordHash, LastLogin: account.LastLogin, At: now}, nil
}

// by says in the audit log what confirms, if that is no password.
func (c Confirmation) by() string {
	if c.link != nil {
		return "link"
	}
	return ""
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
