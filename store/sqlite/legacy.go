package sqlite

import (
	"context"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/record"
)

// selectLegacy has the condition of the index tokens_prefix. The digest decides which
// of the rows it is: tokens rarely share a prefix.
const selectLegacy = `
	SELECT t.digest, t.generation, t.prefix, t.salt,
	       t.user_id, t.issuer, t.created_at, t.expires_at, t.sliding, t.reusable, t.sealed, t.seal_key,
	       u.username, u.email, u.active, u.attributes, u.created_at
	FROM tokens t JOIN users u ON u.id = t.user_id
	WHERE t.prefix IN (?, ?) AND t.prefix IS NOT NULL AND t.twin IS NULL AND t.realm = ?`

// findLegacy finds a token that was imported with only its legacy digest, after the
// look-up of native tokens has found nothing.
func (s *Store) findLegacy(ctx context.Context, realm string, p core.Presented) (core.Token, core.User, error) {
	short, long, ok := p.Prefixes()
	if !ok {
		return core.Token{}, core.User{}, core.ErrNotFound
	}
	rows, err := s.findOlder.QueryContext(context.WithoutCancel(ctx), short, long, realm)
	if err != nil {
		return core.Token{}, core.User{}, s.explain(ctx, s.wait, fmt.Errorf("select older token: %w", err))
	}
	defer rows.Close()
	for rows.Next() {
		var (
			token = record.Token{Realm: realm}
			user  record.Account
		)
		if err := rows.Scan(&token.Digest, &token.Format, &token.Prefix, &token.Salt,
			&token.UserID, &token.Issuer, &token.CreatedAt, &token.ExpiresAt, &token.Sliding, &token.Reusable, &token.Sealed, &token.SealKey,
			&user.Username, &user.Email, &user.Active, &user.Attributes, &user.CreatedAt); err != nil {
			return core.Token{}, core.User{}, s.explain(ctx, s.wait, fmt.Errorf("select older token: %w", err))
		}
		if !token.Legacy().Matches(p, token.Digest) {
			continue
		}
		user.ID = token.UserID
		account, err := user.Core()
		if err != nil {
			return core.Token{}, core.User{}, err
		}
		return token.Core(), account.User, nil
	}
	if err := rows.Err(); err != nil {
		return core.Token{}, core.User{}, s.explain(ctx, s.wait, fmt.Errorf("select older token: %w", err))
	}
	return core.Token{}, core.User{}, core.ErrNotFound
}
