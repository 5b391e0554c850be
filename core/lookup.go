package core

import (
	"context"
	"errors"
	"strings"

	"github.com/authcompat/authcompat/core/spelling"
)

// Of whom a login is about, and how that is found.

// subject is whom a login is about.
type subject struct {
	username string // as it was typed, or the address
	folded   string // one text for all that is taken for it
	account  *Account
	byEmail  bool // the account was found by its address
	// address is one text for all that is taken for the address, where that are more texts than are
	// taken for a username; else empty.
	address string
}

// findSubject folds what a user is named by, which is one of lookup, and finds the account.
// It does the same for one that has an account as for one that has none. It fails with
// KindUnavailable or KindCanceled.
func (s *Service) findSubject(ctx context.Context, p Policy, name string) (who subject, err error) {
	who = subject{username: name, folded: name}
	if !Storable(name) { // no store has it, however it is spelt
		return who, nil
	}
	if s.accounts == nil && (p.UsernameCaseBlind || p.LoginBy != ByUsername) {
		return who, wrapStoreError("find user", ErrUnsupported)
	}
	if p.UsernameCaseBlind && p.LoginBy != ByEmail || p.EmailCaseBlind && p.LoginBy == ByEmail {
		who.folded = spelling.LowerASCII(name)
	} else if p.EmailCaseBlind && p.LoginBy == ByUsernameOrEmail {
		who.address = spelling.LowerASCII(name)
	}
	if p.LoginBy != ByEmail {
		if who.folded, err = s.foldUsername(ctx, who.folded); err != nil {
			return who, wrapStoreError("fold username", err)
		}
		if who.account, err = s.namedAccount(ctx, p, name); err != nil {
			return who, err
		}
	}
	if p.LoginBy == ByUsername {
		return who, nil
	}
	account, err := s.addressedAccount(ctx, p, name)
	if err != nil {
		return who, err
	}
	if who.account == nil && account != nil {
		who.account, who.byEmail = account, true
	}
	return who, nil
}

// namedAccount finds the account with a username; nil if there is none. Where case does not
// matter, of several the one that is spelt exactly so is meant, or none.
func (s *Service) namedAccount(ctx context.Context, p Policy, username string) (*Account, error) {
	exact, err := s.accountIfAny(ctx, username)
	if err != nil || !p.UsernameCaseBlind {
		return exact, err
	}
	alike, err := s.accounts.FindAccounts(ctx, ByUsername, username, true, 2)
	switch {
	case err != nil:
		return nil, wrapStoreError("find user", err)
	case exact == nil && len(alike) == 1:
		return &alike[0], nil
	}
	return exact, nil
}

// addressedAccount finds the account with an address; nil if there is none, or several of which none has verified it.
//
// An address that several have names nobody: nothing says whose it is, unless one of them has verified it, as in
// django-allauth (allauth/account/utils.py 0.57, filter_users_by_email, prefer_verified). djoser 2.1 takes the
// oldest of them (serializers.py, first), and from 2.3 it fails (auth_backends.py, get);
// django-allauth tries the password at each, so that one guess is many, and its time tells how
// many there are. An API by whose addresses people log in has them distinct (Policy.UniqueEmail), or verified.
func (s *Service) addressedAccount(ctx context.Context, p Policy, email string) (*Account, error) {
	found, err := s.accounts.FindAccounts(ctx, ByEmail, email, p.EmailCaseBlind, 2)
	if err != nil {
		return nil, wrapStoreError("find user", err)
	}
	var verified *Account
	if p.EmailVerification != EmailVerificationNone {
		verified, err = s.verifiedAccount(ctx, email, p.EmailCaseBlind)
	}
	switch {
	case err != nil:
		return nil, err
	case len(found) == 1:
		return &found[0], nil
	case len(found) > 1:
		return verified, nil
	}
	return nil, nil
}

// verifiedAccount finds the account whose user has this address and has verified it; nil if there is none, or
// several, as an old server may have left them. Else whoever registers with the address of another would keep that
// user from logging in by it. It takes as long where there is none.
func (s *Service) verifiedAccount(ctx context.Context, email string, caseBlind bool) (*Account, error) {
	if s.addresses == nil {
		return nil, nil
	}
	found, err := s.addresses.Addresses(ctx, AddressFilter{Email: email, Verified: true, CaseBlind: caseBlind}, 2)
	if err != nil {
		return nil, wrapStoreError("find addresses", err)
	}
	id := int64(0) // nobody's
	if len(found) == 1 {
		id = found[0].UserID
	}
	account, err := s.accountByID(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, wrapStoreError("find user", err)
	case len(found) != 1 || account.Email != found[0].Email: // the user has another one by now
		return nil, nil
	}
	return &account, nil
}

// account finds an account, or fails with ErrNotFound like a store.
func (s *Service) account(ctx context.Context, username string) (Account, error) {
	if username = lookup(username); !Storable(username) {
		return Account{}, ErrNotFound
	}
	return s.store.Account(ctx, username)
}

// accountIfAny finds an account; nil if there is none. It fails with KindUnavailable or
// KindCanceled.
func (s *Service) accountIfAny(ctx context.Context, username string) (*Account, error) {
	account, err := s.account(ctx, username)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, wrapStoreError("find user", err)
	}
	return &account, nil
}

// spelling returns the text by which the dummy cost is picked: one for all spellings by
// which the database knows a username, since they would tell else which usernames exist.
func (who subject) spelling() string {
	if who.account != nil && !who.byEmail {
		return who.account.Username
	}
	if strings.Contains(who.address, "@") {
		return who.address
	}
	return who.folded
}
