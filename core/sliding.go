package core

import (
	"context"
	"time"
)

// MinRenewInterval is how much later the expiry of a sliding token must be before it is
// written, so that the stored expiry may lag by that much: at most one write a token and
// minute (django-rest-knox, MIN_REFRESH_INTERVAL).
const MinRenewInterval = 60 * time.Second

// slide extends the expiry of a sliding token: at once if it is near, otherwise in the
// background. A failure is only logged, since the request itself is good.
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
		s.log.Warn("token's expiry not extended", "user_id", t.UserID, "error", err)
		return
	}
	t.ExpiresAt = to
}
