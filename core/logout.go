package core

import (
	"context"
	"errors"
)

// Logout ends the session's token for good. It fails with KindTokenUnknown
// when another logout came first, or KindUnavailable.
func (s *Service) Logout(ctx context.Context, session Session) error {
	e := s.ending(ctx, ActLogout, session)
	err := s.store.DeleteToken(s.audited(ctx, &e), session.Token.Digest)
	if errors.Is(err, ErrNotFound) {
		return &Error{Kind: KindTokenUnknown}
	}
	if err != nil {
		return failure("delete token", err)
	}
	s.told(ActLogout, e.Profile, OK)
	return nil
}

// LogoutAll ends every token that the session's user has in the token's realm.
// It fails with KindUnavailable.
func (s *Service) LogoutAll(ctx context.Context, session Session) error {
	e := s.ending(ctx, ActLogoutAll, session)
	if _, err := s.store.DeleteUserTokens(s.audited(ctx, &e), session.User.ID, session.Token.Realm); err != nil {
		return failure("delete tokens", err)
	}
	s.told(ActLogoutAll, e.Profile, OK)
	return nil
}

// ending begins the entry about the end of a session, through the API that
// issued its token.
func (s *Service) ending(ctx context.Context, act Act, session Session) AuditEntry {
	e := s.entry(ctx, act, session.Token.Issuer)
	e.UserID, e.Username, e.Token = session.User.ID, session.User.Username, TokenID(session.Token.Digest)
	return e
}
