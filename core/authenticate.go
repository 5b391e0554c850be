package core

import (
	"context"
	"errors"
	"time"
)

// MinRenewInterval is how far a sliding token's end must move before the move is
// written, so that its end may lag by that much: at most one write a token a
// minute (django-rest-knox, MIN_REFRESH_INTERVAL).
const MinRenewInterval = 60 * time.Second

// Authenticate gives the session of a presented token and moves the end of a
// sliding one. It fails with KindTokenUnknown, KindTokenExpired,
// KindUserInactive or KindUnavailable.
func (s *Service) Authenticate(ctx context.Context, realm string, p Presented) (Session, error) {
	token, user, err := s.store.FindToken(ctx, realm, p)
	if errors.Is(err, ErrNotFound) {
		return Session{}, &Error{Kind: KindTokenUnknown}
	}
	if err != nil {
		return Session{}, wrapStoreError("find token", err)
	}
	now := s.now()
	if token.Expired(now) {
		return Session{}, &Error{Kind: KindTokenExpired}
	}
	if !user.Active {
		return Session{}, &Error{Kind: KindUserInactive}
	}
	s.slide(ctx, &token, now)
	return Session{User: user, Token: token}, nil
}

// slide moves the end of a sliding token that is being used, at once where it is
// near, else with others. A failure to write it is logged and no more: the
// request itself is good.
func (s *Service) slide(ctx context.Context, t *Token, now time.Time) {
	if t.Sliding == 0 || t.ExpiresAt.IsZero() {
		return
	}
	to := now.Add(t.Sliding)
	if to.Sub(t.ExpiresAt) < MinRenewInterval {
		return
	}
	if s.expiries != nil && t.ExpiresAt.Sub(now) >= MinRenewInterval {
		if s.expiries.enqueue(t.Digest, to) {
			t.ExpiresAt = to
		}
		return
	}
	if err := s.store.ExtendExpiry(ctx, t.Digest, to, now); err != nil {
		s.log.Warn("token's expiry not moved", "user_id", t.UserID, "error", err)
		return
	}
	t.ExpiresAt = to
}
