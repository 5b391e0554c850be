package core

import (
	"context"
	"errors"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/maillink"
)

// The addresses that users verify, and what they do who follow the key in a mail.

// Address is an address of a user, as django-allauth keeps them besides the user's own
// (allauth/account/models.py 0.57, EmailAddress).
type Address struct {
	// ID is what keys are made of: above 0, and of one address alone for ever.
	ID       int64
	UserID   int64
	Email    string
	Verified bool
}

// AddressFilter selects addresses; zero fields match all.
type AddressFilter struct {
	ID, UserID int64
	Email      string
	Verified   bool // verified ones alone
	CaseBlind  bool // Email takes the letters A to Z for a to z, and no others
}

// AddressStore keeps the addresses that users verify. Errors are those of [Store], and audit entries are
// appended as there. [Store.CreateUser] adds the address of a user with KeepAddress.
type AddressStore interface {
	// Addresses returns at most limit matching addresses, by id.
	Addresses(ctx context.Context, f AddressFilter, limit int) ([]Address, error)

	// AddAddress returns the user's address with this text, and adds it, not verified, if the user has
	// none. It fails with ErrNotFound if there is no such user, and with ErrInvalidUser if the tables can't hold it.
	AddAddress(ctx context.Context, userID int64, email string) (Address, error)

	// VerifyAddress makes an address verified. It fails with ErrNotFound if it is verified already or is
	// gone, and with ErrEmailTaken if another user has verified the same, whatever the case of the letters A to Z.
	VerifyAddress(ctx context.Context, id int64, audit *AuditEntry) error
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
// [Service.AskMailByEmail], whose errors it has.
func (s *Service) AskVerification(ctx context.Context, p Policy, email string) error {
	_, err := s.askMails(ctx, p.Issuer, MailEmailVerification, email, func(email string) ([]Account, error) {
		verified := false
		if Storable(email) {
			var err error
			if verified, err = s.anyVerified(ctx, AddressFilter{Email: email}); err != nil {
				return nil, err
			}
		}
		// An address that the user no longer has gets no mail: mails go to the address that a user has when they are sent.
		accounts, err := s.recipients(ctx, MailEmailVerification, email, Recipients{Unusable: true})
		if err != nil || verified {
			return nil, err
		}
		return accounts, nil
	})
	return err
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
