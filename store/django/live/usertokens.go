package live

import (
	"context"
	"fmt"

	"github.com/authcompat/authcompat/core"
)

// UserTokens implements [core.TokenReader].
func (s *Store) UserTokens(ctx context.Context, userID int64) (tokens []core.Token, anyIssuer bool, err error) {
	err = s.read(ctx, func(ctx context.Context, l *layout) error {
		rows, err := l.findTokens(ctx, l.db, `k.user_id = ?`, "", userID)
		tokens, anyIssuer = nil, l.SingleTokenPerUser() // it may be run again
		for _, row := range rows {
			tokens = append(tokens, row.token)
		}
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("select tokens of a user: %w", err)
	}
	return tokens, anyIssuer, nil
}
