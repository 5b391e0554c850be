package core

import (
	"context"
	"errors"
)

// Authenticate returns the session of a presented token, and extends the expiry of a
// sliding one. It fails with KindTokenUnknown, KindTokenExpired, KindUserInactive or
// KindUnavailable.
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
