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

// maxAddresses is how many addresses of a user are looked at. There is one, unless the old server's own
// pages have added others.
const maxAddresses = 100

// emailVerified reports whether the user has verified the address that the user has now.
func (s *Service) emailVerified(ctx context.Context, u User) (bool, error) {
	if u.Email == "" {
		return false, nil
	}
	return s.anyVerified(ctx, AddressFilter{UserID: u.ID, Email: u.Email})
}

// EmailVerified reports whether somebody has verified the address, whatever the case of the letters A to Z,
// for dialects that report it together with other problems. It fails with KindUnavailable.
func (s *Service) EmailVerified(ctx context.Context, email string) (bool, error) {
	if !Storable(email) {
		return false, nil
	}
	return s.anyVerified(ctx, AddressFilter{Email: email, CaseBlind: true})
}

// anyVerified reports whether one of the matching addresses is verified.
func (s *Service) anyVerified(ctx context.Context, f AddressFilter) (bool, error) {
	if s.addresses == nil {
		return false, wrapStoreError("find addresses", ErrUnsupported)
	}
	f.Verified = true
	found, err := s.addresses.Addresses(ctx, f, 1)
	if err != nil {
		return false, wrapStoreError("find addresses", err)
	}
	return len(found) > 0, nil
}

// VerifyEmail makes the address verified that a key is of. It fails with KindInvalidCredentials if the key
// is no good, has expired or has been used, and with KindUnavailable. Where another user has verified the same
// address, nothing changes, and nothing tells, as in allauth (EmailAddress.set_verified). Keys have no limit of
// guesses, as links have none: see ConfirmLink.
func (s *Service) VerifyEmail(ctx context.Context, p Policy, keys *maillink.Generator, key string) error {
	err := s.verifyEmail(ctx, p, keys, key)
	outcome := OK
	if err != nil {
		outcome = KindOf(err).String()
	}
	s.emit(ActionVerifyEmail, p.Issuer, outcome)
	return err
}

func (s *Service) verifyEmail(ctx context.Context, p Policy, keys *maillink.Generator, key string) error {
	id, err := keys.CheckEmailKey(key, s.now())
	if err != nil {
		return &Error{Kind: KindInvalidCredentials, Err: errLink}
	}
	if s.addresses == nil {
		return wrapStoreError("find addresses", ErrUnsupported)
	}
	found, err := s.addresses.Addresses(ctx, AddressFilter{ID: id}, 1)
	if err != nil {
		return wrapStoreError("find addresses", err)
	}
	if len(found) == 0 || found[0].Verified {
		return &Error{Kind: KindInvalidCredentials, Err: errLink}
	}
	e := s.newEntry(ctx, ActionVerifyEmail, p.Issuer)
	e.UserID = found[0].UserID
	if account, err := s.accountByID(ctx, e.UserID); err == nil {
		e.Username = account.Username
		clients.Identify(ctx, account.Username)
	} else if !errors.Is(err, ErrNotFound) {
		return wrapStoreError("find user", err)
	}
	err = s.addresses.VerifyAddress(ctx, id, s.audited(&e))
	switch {
	case errors.Is(err, ErrEmailTaken):
		return nil
	case errors.Is(err, ErrNotFound):
		return &Error{Kind: KindInvalidCredentials, Err: errLink}
	case err != nil:
		return wrapStoreError("verify address", err)
	}
	return nil
}

// AskVerification adds a mail with a key for whoever has the address, unless somebody has verified it
// (dj_rest_auth/registration/views.py 5.0, ResendEmailVerificationView). There, it is for the first who has registered
// with it, and for none who was given it later: neither whoever else has it, nor an operator's or a changed address
// could ever be verified. It does the same, in the same time, for an address that nobody has: see
// [Service.AskMail], whose errors it has.
func (s *Service) AskVerification(ctx context.Context, p Policy, email string) error {
	email = lookup(email)
	if err := s.mayAskMail(ctx, p.Issuer); err != nil {
		return err
	}
	verified := false
	if Storable(email) {
		var err error
		if verified, err = s.anyVerified(ctx, AddressFilter{Email: email}); err != nil {
			return err
		}
	}
	// An address that the user no longer has gets no mail: mails go to the address that a user has when they are sent.
	accounts, err := s.recipients(ctx, MailEmailVerification, email, Recipients{Unusable: true})
	if err != nil {
		return err
	}
	if verified {
		accounts = nil
	}
	return s.addMails(ctx, p.Issuer, MailEmailVerification, email, accounts)
}

// EmailsOf returns the addresses of a user that the store keeps, on which the tokens of allauth's links
// depend; none without a store. Errors are those of the store.
func EmailsOf(ctx context.Context, store AddressStore, userID int64) (emails []string, err error) {
	if store == nil {
		return nil, nil
	}
	found, err := store.Addresses(ctx, AddressFilter{UserID: userID}, maxAddresses)
	for _, a := range found {
		emails = append(emails, a.Email)
	}
	return emails, err
}
