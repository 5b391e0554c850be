package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/authcompat/authcompat/core"
)

// operation has the metrics of one store operation.
type operation struct {
	seconds  prometheus.Observer
	failures prometheus.Counter
}

// observe counts a call that began at a time. It is deferred, with a pointer to the error
// that the call will return. Errors of the store's contract, and a canceled context, are no
// failures.
func (o operation) observe(began time.Time, failed *error) { o.observeSince(began, 0, failed) }

// observeSince counts a call that began a while after a time. For a token check, which takes less than to read the clock twice, that
// is one reading less than [time.Now]: it reads the time of day as well.
func (o operation) observeSince(start time.Time, began time.Duration, failed *error) {
	o.seconds.Observe((time.Since(start) - began).Seconds())
	switch err := *failed; {
	case err == nil, errors.Is(err, core.ErrNotFound), errors.Is(err, core.ErrUsernameTaken), errors.Is(err, core.ErrInvalidUser), errors.Is(err, core.ErrUserInactive), errors.Is(err, core.ErrPasswordChanged), errors.Is(err, core.ErrConflict), errors.Is(err, core.ErrTokenLimit), errors.Is(err, core.ErrEmailTaken), errors.Is(err, core.ErrUnsupported),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	default:
		o.failures.Inc()
	}
}

// instrumentedStore is a core.Store whose calls are counted.
type instrumentedStore struct {
	core.Store
	cache                                                                                                               core.TokenCache // nil: there is none
	made                                                                                                                time.Time
	createUser, account, issueToken, reuseToken, findToken, extendExpiry, deleteToken, deleteUserTokens, updatePassword operation
}

// instrumentedRateLimiter is a core.RateLimiter whose calls are counted.
type instrumentedRateLimiter struct {
	core.RateLimiter
	reserve, refund, prune operation
}

// operation returns the metrics of the operation with a name.
func (m *Metrics) operation(name string) operation {
	return operation{m.store.WithLabelValues(name), m.failures.WithLabelValues(name)}
}

// Instrument returns the backend with its calls timed and counted, as far as a running
// server makes them.
func (m *Metrics) Instrument(b core.Backend) core.Backend {
	b.Store = m.instrumentStore(b.Store)
	b.RateLimiter = m.instrumentRateLimiter(b.RateLimiter)
	b.Auditor = m.instrumentAuditor(b.Auditor)
	b.Accounts = m.instrumentAccounts(b.Accounts)
	b.Admin = m.instrumentAdmin(b.Admin)
	b.Privacy = m.instrumentPrivacyStore(b.Privacy)
	b.Cutover = m.instrumentCutoverStore(b.Cutover)
	b.Callers = m.instrumentCallerStore(b.Callers)
	b.ExpiryBatcher = m.instrumentExpiryBatcher(b.ExpiryBatcher)
	return b
}

func (m *Metrics) instrumentStore(s core.Store) core.Store {
	cache, _ := s.(core.TokenCache)
	return &instrumentedStore{
		Store: s, cache: cache, made: time.Now(), createUser: m.operation("create_user"), account: m.operation("account"), issueToken: m.operation("issue_token"), reuseToken: m.operation("reuse_token"),
		findToken: m.operation("find_token"), extendExpiry: m.operation("extend_expiry"), deleteToken: m.operation("delete_token"),
		deleteUserTokens: m.operation("delete_user_tokens"), updatePassword: m.operation("update_password"),
	}
}

func (m *Metrics) instrumentRateLimiter(l core.RateLimiter) core.RateLimiter {
	if l == nil {
		return nil
	}
	return &instrumentedRateLimiter{
		RateLimiter: l, reserve: m.operation("reserve_limit"), refund: m.operation("refund_limit"), prune: m.operation("prune_limits"),
	}
}

func (s *instrumentedStore) CreateUser(ctx context.Context, u core.NewUser, mint func(core.User) (core.Token, error), audit *core.AuditEntry) (user core.User, err error) {
	defer s.createUser.observe(time.Now(), &err)
	return s.Store.CreateUser(ctx, u, mint, audit)
}

func (s *instrumentedStore) Account(ctx context.Context, username string) (a core.Account, err error) {
	defer s.account.observe(time.Now(), &err)
	return s.Store.Account(ctx, username)
}

func (s *instrumentedStore) IssueToken(ctx context.Context, t core.Token, passwordHash string, limit int, audit *core.AuditEntry) (err error) {
	defer s.issueToken.observe(time.Now(), &err)
	return s.Store.IssueToken(ctx, t, passwordHash, limit, audit)
}

func (s *instrumentedStore) ReuseToken(ctx context.Context, fresh core.Token, passwordHash string, now time.Time, audit *core.AuditEntry) (t core.Token, err error) {
	defer s.reuseToken.observe(time.Now(), &err)
	return s.Store.ReuseToken(ctx, fresh, passwordHash, now, audit)
}

func (s *instrumentedStore) FindToken(ctx context.Context, realm string, p core.Presented) (t core.Token, u core.User, err error) {
	if s.cache != nil {
		if t, u, ok := s.cache.CachedToken(realm, p); ok {
			return t, u, nil
		}
	}
	began := time.Since(s.made)
	defer s.findToken.observeSince(s.made, began, &err)
	return s.Store.FindToken(ctx, realm, p)
}

func (s *instrumentedStore) ExtendExpiry(ctx context.Context, d core.Digest, to, now time.Time) (err error) {
	defer s.extendExpiry.observe(time.Now(), &err)
	return s.Store.ExtendExpiry(ctx, d, to, now)
}

func (s *instrumentedStore) DeleteToken(ctx context.Context, d core.Digest, audit *core.AuditEntry) (err error) {
	defer s.deleteToken.observe(time.Now(), &err)
	return s.Store.DeleteToken(ctx, d, audit)
}

func (s *instrumentedStore) DeleteUserTokens(ctx context.Context, userID int64, realm string, audit *core.AuditEntry) (n int, err error) {
	defer s.deleteUserTokens.observe(time.Now(), &err)
	return s.Store.DeleteUserTokens(ctx, userID, realm, audit)
}

func (s *instrumentedStore) TrimTokens(ctx context.Context, userID int64, realm string, most int) (n int, err error) {
	defer s.deleteUserTokens.observe(time.Now(), &err)
	return s.Store.TrimTokens(ctx, userID, realm, most)
}

func (s *instrumentedStore) UpdatePassword(ctx context.Context, userID int64, old, encoded string, rehash bool, audit *core.AuditEntry) (err error) {
	defer s.updatePassword.observe(time.Now(), &err)
	return s.Store.UpdatePassword(ctx, userID, old, encoded, rehash, audit)
}

func (l *instrumentedRateLimiter) Reserve(ctx context.Context, now time.Time, keys ...core.LimitKey) (wait time.Duration, err error) {
	defer l.reserve.observe(time.Now(), &err)
	return l.RateLimiter.Reserve(ctx, now, keys...)
}

func (l *instrumentedRateLimiter) Refund(ctx context.Context, at time.Time, keys ...core.LimitKey) (err error) {
	defer l.refund.observe(time.Now(), &err)
	return l.RateLimiter.Refund(ctx, at, keys...)
}

func (l *instrumentedRateLimiter) PruneLimits(ctx context.Context, now time.Time, limit int) (n int, err error) {
	defer l.prune.observe(time.Now(), &err)
	return l.RateLimiter.PruneLimits(ctx, now, limit)
}
