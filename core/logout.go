package core

import (
	"context"
	"errors"
)

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

// LogoutAll ends all tokens of the session's user in the token's realm. It fails with
// KindUnavailable.
func (s *Service) LogoutAll(ctx context.Context, session Session) error {
	e := s.newSessionEntry(ctx, ActionLogoutAll, session)
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
