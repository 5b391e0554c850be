package core

import (
	"context"
	"errors"
	"time"

	"github.com/authcompat/authcompat/core/password"
)

// Admin is what operators need besides [Store]. Errors are those of Store, and audit
// entries are appended as there.
type Admin interface {
	// Users returns at most limit matching users, by id.
	Users(ctx context.Context, f UserFilter, limit int) ([]User, error)

	// SetActive allows or forbids a user to log in and use tokens. ErrNotFound if there is
	// none.
	SetActive(ctx context.Context, userID int64, active bool, audit *AuditEntry) error

	// DeleteUser removes the user and all their tokens. ErrNotFound if there is none.
	DeleteUser(ctx context.Context, userID int64, audit *AuditEntry) error

	// Tokens returns at most limit matching tokens, live and expired, by digest.
	Tokens(ctx context.Context, f TokenFilter, limit int) ([]Token, error)

	// CountTokens counts the tokens that are live at now. It may be slow.
	CountTokens(ctx context.Context, now time.Time) (live int64, err error)

	// PurgeTokens removes at most limit tokens that expired before a time, those of the
	// issuers or, if none is given, of all, and returns their number.
	PurgeTokens(ctx context.Context, before time.Time, issuers []string, limit int) (int, error)

	// RevokeTokens removes tokens of all users and realms that were created before a time,
	// or all if before is zero: those among the next limit digests above after. It returns
	// the number of removed tokens, and the last of these digests; empty: there are no more.
	RevokeTokens(ctx context.Context, before time.Time, after Digest, limit int, audit *AuditEntry) (n int, last Digest, err error)

	// TokenOwners returns who has tokens, live and expired, all at one instant: each user and
	// realm once.
	TokenOwners(ctx context.Context) ([]TokenOwner, error)

	// SealKeys counts the sealed tokens by the id of their key.
	SealKeys(ctx context.Context) (map[string]int64, error)

	// SealedTokens returns at most limit tokens that are sealed with the key and whose
	// digests are above after, by digest.
	SealedTokens(ctx context.Context, key string, after Digest, limit int) ([]Token, error)

	// Reseal stores Sealed and SealKey of each token, if its row still has the key was.
	Reseal(ctx context.Context, was string, tokens []Token) error
}

// UserFilter selects users; zero fields match all.
type UserFilter struct {
	After    int64   // those with a larger ID
	Inactive bool    // inactive ones alone
	IDs      []int64 // those with one of these; nil: with any. At most 1000
}

// TokenOwner is a user who has tokens in a realm.
type TokenOwner struct {
	UserID int64
	Realm  string
}

// TokenFilter selects tokens; zero fields match all.
type TokenFilter struct {
	UserID int64
	After  Digest // those with a larger digest
	Prefix Digest // those whose digest begins so
}

// Actions of an operator. Each is in the audit log.

// newOperatorEntry makes an entry about an operator's action on a user.
func (s *Service) newOperatorEntry(ctx context.Context, act Action, u User) AuditEntry {
	e := s.newEntry(ctx, act, "")
	e.Actor, e.UserID, e.Username = operatorOf(ctx), u.ID, u.Username
	return e
}

// SetActive allows or forbids a user to log in and use tokens. It fails with
// KindUserUnknown or KindUnavailable.
func (s *Service) SetActive(ctx context.Context, store Admin, u User, active bool) error {
	act := ActionDisableUser
	if active {
		act = ActionEnableUser
	}
	e := s.newOperatorEntry(ctx, act, u)
	return wrapUserError("set active", store.SetActive(ctx, u.ID, active, s.audited(&e)))
}

// DeleteUser removes the user and all tokens. Errors as SetActive.
func (s *Service) DeleteUser(ctx context.Context, store Admin, u User) error {
	e := s.newOperatorEntry(ctx, ActionDeleteUser, u)
	if _, err := trimTokens(ctx, s.store, u.ID, ""); err != nil {
		return err
	}
	return wrapUserError("delete user", store.DeleteUser(ctx, u.ID, s.audited(&e)))
}

// SetPassword replaces the password of the user; with none, by one that nothing matches.
// Errors as SetActive, KindOverloaded, and KindUnsupported where users can't be found by id.
func (s *Service) SetPassword(ctx context.Context, u User, plain string, none bool) error {
	return s.setPassword(ctx, u, plain, none, false)
}

// SetPasswordAndEndTokens is SetPassword, and ends all tokens of the user in the same step. In two, whoever has a token
// could change the password between them, at an API that asks for no old one, and keep the account. Errors as SetPassword.
func (s *Service) SetPasswordAndEndTokens(ctx context.Context, u User, plain string, none bool) error {
	return s.setPassword(ctx, u, plain, none, true)
}

func (s *Service) setPassword(ctx context.Context, u User, plain string, none, endTokens bool) error {
	if s.accounts == nil {
		return wrapStoreError("set password", ErrUnsupported)
	}
	encoded, err := s.encode(ctx, Registration{Password: plain, NoPassword: none}, nil)
	if err != nil {
		return err
	}
	trimmed := 0
	if endTokens {
		if trimmed, err = trimTokens(ctx, s.store, u.ID, ""); err != nil {
			return err
		}
	}
	e := s.newOperatorEntry(ctx, ActionSetPassword, u)
	for {
		account, err := s.accountByID(ctx, u.ID) // whose name may be somebody else's by now
		if err != nil {
			return wrapUserError("set password", err)
		}
		ended, err := s.accounts.ChangePassword(ctx, PasswordChange{UserID: u.ID, Old: account.PasswordHash, New: encoded, EndTokens: endTokens}, s.audited(&e))
		if errors.Is(err, ErrPasswordChanged) && ctx.Err() == nil {
			continue // by a login that has hashed it anew, or by whoever is to be kept out
		}
		if err == nil && trimmed+ended > 0 {
			err = s.recordTokensEnded(ctx, u)
		}
		return wrapUserError("set password", err)
	}
}

// recordTokensEnded records that the tokens of a user have ended together with something else.
func (s *Service) recordTokensEnded(ctx context.Context, u User) error {
	if s.audit == nil {
		return nil
	}
	return s.audit.Record(ctx, s.newOperatorEntry(ctx, ActionRevokeTokens, u))
}

// RevokeToken ends one token. It fails with KindTokenUnknown or KindUnavailable.
func (s *Service) RevokeToken(ctx context.Context, u User, t Token) error {
	e := s.newOperatorEntry(ctx, ActionRevokeToken, u)
	e.Token = TokenID(t.Digest)
	err := s.store.DeleteToken(ctx, t.Digest, s.audited(&e))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return &Error{Kind: KindTokenUnknown, Err: err}
	}
	return wrapStoreError("revoke token", err)
}

// RevokeTokens ends all tokens of the user in a realm, and returns their number. It fails
// with KindUnavailable.
func (s *Service) RevokeTokens(ctx context.Context, u User, realm string) (int, error) {
	e := s.newOperatorEntry(ctx, ActionRevokeTokens, u)
	trimmed, err := trimTokens(ctx, s.store, u.ID, realm)
	if err != nil {
		return 0, err
	}
	n, err := s.store.DeleteUserTokens(ctx, u.ID, realm, s.audited(&e))
	if err != nil {
		return 0, wrapStoreError("revoke tokens", err)
	}
	return trimmed + n, nil
}

// revokeBatch is how many tokens are looked at in one step: few enough that requests that
// write wait only milliseconds.
const revokeBatch = 500

// RevokeAllTokens ends the tokens of all users, in all realms, that were created before a
// time, or all if before is zero. Between its steps it calls pause, and stops when that
// returns an error. Tokens that are issued meanwhile may stay, but if before is zero, only those that were issued for a
// password or a link after the tokens of their user had ended: none is left that was got by another ([Service.Issue]). It
// returns the number of ended tokens, also with an error, which is that of pause or has KindUnavailable. The
// audit entry is of the first step.
func (s *Service) RevokeAllTokens(ctx context.Context, store Admin, before time.Time, pause func() error) (total int, err error) {
	e := s.newOperatorEntry(ctx, ActionRevokeTokens, User{})
	audit := s.audited(&e)
	var after Digest
	for {
		n, last, err := store.RevokeTokens(ctx, before, after, revokeBatch, audit)
		total += n
		if err != nil {
			return total, wrapStoreError("revoke tokens", err)
		}
		audit = nil
		if len(last) == 0 {
			break
		}
		after = last
		if err := pause(); err != nil {
			return total, err
		}
	}
	if !before.IsZero() {
		return total, nil
	}
	n, err := revokeOwned(ctx, store, s.store, pause)
	return total + n, err
}

// revokeOwned ends the tokens that there are by now, user by user. Whoever had a token while they ended in steps may have got
// others by it, among digests that were dealt with; with all tokens of a user at once, that comes to an end.
func revokeOwned(ctx context.Context, admin Admin, store Store, pause func() error) (total int, err error) {
	owners, err := admin.TokenOwners(ctx)
	if err != nil {
		return 0, wrapStoreError("revoke tokens", err)
	}
	for _, o := range owners {
		if err := pause(); err != nil {
			return total, err
		}
		n, err := store.DeleteUserTokens(ctx, o.UserID, o.Realm, nil)
		total += n
		if err != nil {
			return total, wrapStoreError("revoke tokens", err)
		}
	}
	return total, nil
}

// PasswordFormat returns the format and the parameters of the user's password hash,
// without salt and hash. Errors as User.
func (s *Service) PasswordFormat(ctx context.Context, username string) (string, error) {
	account, err := s.account(ctx, username)
	if err != nil {
		return "", wrapUserError("find user", err)
	}
	cost, err := password.CostOf(account.PasswordHash)
	switch {
	case err == nil:
		return cost.String(), nil
	case errors.Is(err, password.ErrUnusable):
		return "unusable", nil
	}
	return err.Error(), nil
}

// resealBatch is how many tokens are resealed in one step.
const resealBatch = 500

// Reseal encrypts all tokens that are sealed with an older key of the sealer with the
// newest one. It can be interrupted and called again. It returns the number of resealed
// tokens, and of those that could not be decrypted, which stay as they are.
func (s *Service) Reseal(ctx context.Context, store Admin) (done, broken int, err error) {
	sealer := s.currentSealer()
	for _, was := range sealer.KeyIDs() {
		if was == sealer.KeyID() {
			continue
		}
		var after Digest
		for {
			tokens, err := store.SealedTokens(ctx, was, after, resealBatch)
			if err != nil {
				return done, broken, wrapStoreError("find sealed tokens", err)
			}
			if len(tokens) == 0 {
				break
			}
			after = tokens[len(tokens)-1].Digest
			var anew []Token
			for _, t := range tokens {
				text, err := openWith(sealer, t)
				if err != nil {
					broken++
					s.log.Error("a sealed token does not open and stays as it is", "token", TokenID(t.Digest), "error", err)
					continue
				}
				if t.Sealed, err = sealer.Seal(s.random, t.UserID, t.Digest, text); err != nil {
					return done, broken, s.wrapSealError("reseal token", err)
				}
				t.SealKey = sealer.KeyID()
				anew = append(anew, t)
			}
			if err := store.Reseal(ctx, was, anew); err != nil {
				return done, broken, wrapStoreError("reseal tokens", err)
			}
			done += len(anew)
		}
	}
	return done, broken, nil
}

// RecordOperation records an operator's action that is not about one user. It fails with
// KindUnavailable.
func (s *Service) RecordOperation(ctx context.Context, act Action) error {
	if s.audit == nil {
		return nil
	}
	if err := s.audit.Record(ctx, s.newOperatorEntry(ctx, act, User{})); err != nil {
		return wrapStoreError("record "+string(act), err)
	}
	return nil
}
