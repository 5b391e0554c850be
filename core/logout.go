package core

import (
	"context"
	"errors"
)

// Logout ends the session's token for good. It fails with KindTokenUnknown
// when another logout came first, or KindUnavailable.
func (s *Service) Logout(ctx context.Context, session Session) error {
	err := s.store.DeleteToken(ctx, session.Token.Digest)
	if errors.Is(err, ErrNotFound) {
		return &Error{Kind: KindTokenUnknown}
	}
	if err != nil {
		return failure("delete token", err)
	}
	return nil
}

// LogoutAll ends every token that the session's user has in the token's realm.
// It fails with KindUnavailable.
func (s *Service) LogoutAll(ctx context.Context, session Session) error {
	if _, err := s.store.DeleteUserTokens(ctx, session.User.ID, session.Token.Realm); err != nil {
		return failure("delete tokens", err)
	}
	return nil
}
