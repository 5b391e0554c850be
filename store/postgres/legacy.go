package postgres

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
	FROM @tokens t JOIN @users u ON u.id = t.user_id
	WHERE t.prefix IN ($1, $2) AND t.prefix IS NOT NULL AND t.twin IS NULL AND t.realm = $3`

// findLegacy finds a token that was imported with only its legacy digest, after the
// look-up of native tokens has found nothing.
func (s *Store) findLegacy(ctx context.Context, p core.Presented, token *record.Token, user *record.Account) error {
	short, long, ok := p.Prefixes()
	if !ok {
		return core.ErrNotFound
	}
	rows, err := s.db.QueryContext(ctx, s.qualify(selectLegacy), short, long, token.Realm)
	if err != nil {
		return fmt.Errorf("select older token: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&token.Digest, &token.Format, &token.Prefix, &token.Salt,
			&token.UserID, &token.Issuer, &token.CreatedAt, &token.ExpiresAt, &token.Sliding, &token.Reusable, &token.Sealed, &token.SealKey,
			&user.Username, &user.Email, &user.Active, &user.Attributes, &user.CreatedAt); err != nil {
			return fmt.Errorf("select older token: %w", err)
		}
		if token.Legacy().Matches(p, token.Digest) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("select older token: %w", err)
	}
	return core.ErrNotFound
}
