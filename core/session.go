package core

import (
	"context"
	"errors"
	"time"

	"github.com/authcompat/authcompat/core/clients"
)

// Authenticate returns the session of a token that is presented to the API of a policy, and
// extends the expiry of a sliding one. It fails with KindTokenUnknown, KindTokenExpired,
// KindUserInactive or KindUnavailable.
func (s *Service) Authenticate(ctx context.Context, p Policy, text Presented) (Session, error) {
	session, now, err := s.session(ctx, p.Realm, text)
	if err != nil {
		return Session{}, err
	}
	s.slide(ctx, p, &session.Token, now)
	clients.Identify(ctx, session.User.Username)
	return session, nil
}

// Owner returns the user of a presented token, whose expiry stays as it is. Errors as
// Authenticate.
func (s *Service) Owner(ctx context.Context, realm string, p Presented) (User, error) {
	session, _, err := s.session(ctx, realm, p)
	return session.User, err
}

// session returns the session of a token that is good now.
func (s *Service) session(ctx context.Context, realm string, p Presented) (_ Session, now time.Time, err error) {
	clients.Present(ctx, string(p))
	token, user, err := s.store.FindToken(ctx, realm, p)
	if errors.Is(err, ErrNotFound) {
		return Session{}, now, &Error{Kind: KindTokenUnknown}
	}
	if err != nil {
		return Session{}, now, wrapStoreError("find token", err)
	}
	now = s.now()
	if token.Expired(now) {
		return Session{}, now, &Error{Kind: KindTokenExpired}
	}
	if !user.Active {
		return Session{}, now, &Error{Kind: KindUserInactive}
	}
	return Session{User: user, Token: token}, now, nil
}

// Logout ends the session's token. It fails with KindTokenUnknown if another logout came
// first, or KindUnavailable.
func (s *Service) Logout(ctx context.Context, session Session) error {
	e := s.newSessionEntry(ctx, ActionLogout, session)
	err := s.store.DeleteToken(ctx, session.Token.Digest, s.audited(&e))
	if errors.Is(err, ErrNotFound) {
		return &Error{Kind: KindTokenUnknown}
	}
	if err != nil {
		return wrapStoreError("delete token", err)
	}
	s.emit(ActionLogout, e.Profile, OK)
	return nil
}

// mostTokens is how many tokens of a user are removed in one step: few enough that others who write wait for a fraction of a
// second.
const mostTokens = 5000

// trimTokens leaves a user at most as many tokens in the realm, or with an empty one in all, as are removed in one step, and
// returns how many it has removed. If what comes after it fails, these have ended all the same, and no audit entry says so.
func trimTokens(ctx context.Context, store Store, userID int64, realm string) (total int, err error) {
	for {
		n, err := store.TrimTokens(ctx, userID, realm, mostTokens)
		total += n
		if err != nil {
			return total, wrapStoreError("delete tokens", err)
		}
		if n == 0 {
			return total, nil
		}
	}
}

// LogoutAll ends all tokens of the session's user in the token's realm. It fails with
// KindUnavailable.
func (s *Service) LogoutAll(ctx context.Context, session Session) error {
	e := s.newSessionEntry(ctx, ActionLogoutAll, session)
	if _, err := trimTokens(ctx, s.store, session.User.ID, session.Token.Realm); err != nil {
		return err
	}
	if _, err := s.store.DeleteUserTokens(ctx, session.User.ID, session.Token.Realm, s.audited(&e)); err != nil {
		return wrapStoreError("delete tokens", err)
	}
	s.emit(ActionLogoutAll, e.Profile, OK)
	return nil
}

// newSessionEntry makes an entry about the end of a session, through the API that issued
// its token.
func (s *Service) newSessionEntry(ctx context.Context, act Action, session Session) AuditEntry {
	e := s.newEntry(ctx, act, session.Token.Issuer)
	e.UserID, e.Username, e.Token = session.User.ID, session.User.Username, TokenID(session.Token.Digest)
	return e
}

// DefaultRefreshInterval is how much later the expiry of a sliding token must become for it to
// be written where a policy does not say, so that the stored expiry may lag by that much: at
// most one write a token and minute (django-rest-knox, MIN_REFRESH_INTERVAL).
const DefaultRefreshInterval = 60 * time.Second

// nearExpiry is how near its end a token is whose expiry is extended at once.
const nearExpiry = 60 * time.Second

// ExpiryQueue extends the expiries of tokens in the background.
type ExpiryQueue interface {
	// Enqueue takes a later expiry of a token, and reports whether there was room for it.
	Enqueue(d Digest, to time.Time) bool
}

// slide extends the expiry of a sliding token: at once if it is near, otherwise in the
// background. p is the policy through which it is used. A failure is only logged, since the
// request itself is good.
func (s *Service) slide(ctx context.Context, p Policy, t *Token, now time.Time) {
	to, ok := t.renewed(s.issuerOf(*t, p), now)
	if !ok {
		return
	}
	if s.expiries != nil && t.ExpiresAt.Sub(now) >= nearExpiry {
		if s.expiries.Enqueue(t.Digest, to) {
			t.ExpiresAt = to
		}
		return
	}
	if err := s.store.ExtendExpiry(ctx, t.Digest, to, now); err != nil {
		s.log.Warn("token's expiry not extended", "user_id", t.UserID, "error", err)
		return
	}
	t.ExpiresAt = to
}
