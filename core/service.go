package core

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core/internal/inflight"
	"github.com/authcompat/authcompat/core/sealing"
)

// Hasher checks and makes encoded passwords. Each call may wait for its turn; it ends
// early when its context does.
type Hasher interface {
	// Acquire admits a caller that is about to call the other methods with the context it
	// returns, and that has texts of so many bytes in memory while it waits: the password, and
	// the name. The caller must call release in the end, once or more often.
	// When the queue is full, Acquire fails at once with an [*Error] of KindOverloaded; the
	// other methods do so when the caller has to make way for the client of another network.
	Acquire(ctx context.Context, bytes int) (admitted context.Context, release func(), err error)
	// Hash encodes a new password.
	Hash(ctx context.Context, plain string) (string, error)
	// Unusable returns an encoded password that no password matches.
	Unusable() (string, error)
	// Check reports whether plain matches the encoded password of the account named
	// username, and whether the password should be hashed again with Hash.
	Check(ctx context.Context, username, encoded, plain string) (ok, rehash bool, err error)
	// HashDummy does the work that Check would do, for a username that has no account.
	HashDummy(ctx context.Context, username, plain string) error
	// SimulateLatency takes as long as Check or, if encoded is empty, HashDummy would, and
	// longer by more, and computes nothing.
	SimulateLatency(ctx context.Context, username, encoded string, more time.Duration) error
}

// Service is the engine. Its methods fail with *[Error] and are safe for
// concurrent use.
type Service struct {
	store         Store
	turns         *writeTurns
	hasher        Hasher
	sealer        atomic.Pointer[sealing.Sealer]
	refreshKeys   func() (sealing.Sealer, error)
	loginLimits   atomic.Pointer[LoginLimits]
	inflight      inflight.Logins
	failureWrites durations // how long it took to count failed logins and to record them
	questions     durations // how long referees took to say no
	audit         Auditor
	databaseKey   []byte
	mailbox       func(string) string
	processKey    []byte // see pseudonymKeys
	onEvent       func(act Action, profile, outcome string)
	clock         Clock
	// databaseClock counts what all nodes limit together; nil: clock does.
	databaseClock DatabaseClock
	random        io.Reader
	log           *slog.Logger
	// plaintext is the store, if it is a PlaintextStore.
	plaintext PlaintextStore
	accounts  AccountStore // nil: the store has none
	expiries  ExpiryQueue

	issuers      sync.Map // Policy by its Issuer
	foldUsername func(ctx context.Context, username string) (string, error)
	cutover      CutoverStore // nil: the store has none
	mail         MailStore    // nil: likewise
	addresses    AddressStore // nil: likewise
	onMail       atomic.Pointer[func()]
}

// Config is what a Service is made of. Backend.Store and Hasher are required.
type Config struct {
	Backend Backend
	Hasher  Hasher
	// Sealer encrypts and decrypts the tokens that are shown again. With the zero
	// sealing.Sealer, such logins fail with KindUnavailable.
	Sealer sealing.Sealer
	// RefreshKeys, if set, is called when a sealing key is missing. It reads the keys
	// again and returns a sealer that has them.
	RefreshKeys func() (sealing.Sealer, error)
	// ExpiryWriter, if set, extends the expiry of sliding tokens in the background. The
	// caller runs it.
	ExpiryWriter ExpiryQueue
	// DatabaseKey is the key of the digests that stand for usernames and addresses in the
	// limits; see [PrivacyStore].
	DatabaseKey []byte
	// Mailbox, if set, returns one of the spellings of an address that mails to it reach; the limits of mails are
	// those of a mailbox. Case and Unicode's compatible letters make no difference in any case.
	Mailbox func(address string) string
	// OnEvent, if set, is called with the outcome of each action of a client. It must
	// return quickly.
	OnEvent func(action Action, profile, outcome string)
	Clock   Clock        // nil: time.Now
	Random  io.Reader    // nil: crypto/rand
	Log     *slog.Logger // nil: nothing is logged
}

// New makes a Service. Logins are not rate-limited until SetLoginLimits is called.
func New(c Config) *Service {
	s := &Service{
		store: c.Backend.Store, accounts: c.Backend.Accounts, plaintext: c.Backend.Plaintext, audit: c.Backend.Auditor, turns: newWriteTurns(c.Backend.Writers), databaseClock: c.Backend.DatabaseClock, foldUsername: c.Backend.FoldUsername, cutover: c.Backend.Cutover, mail: c.Backend.Mail, addresses: c.Backend.Addresses,
		hasher: c.Hasher, refreshKeys: c.RefreshKeys, databaseKey: c.DatabaseKey, processKey: newProcessKey(), onEvent: c.OnEvent,
		mailbox: c.Mailbox, clock: c.Clock, random: c.Random, log: c.Log, expiries: c.ExpiryWriter,
	}
	if s.turns != nil {
		s.store = turnStore{s.store, s.turns}
		if s.accounts != nil {
			s.accounts = turnAccounts{s.accounts, s.turns}
		}
		if s.audit != nil {
			s.audit = turnAuditor{s.audit, s.turns}
		}
		if s.mail != nil {
			s.mail = turnMailStore{s.mail, s.turns}
		}
		if s.addresses != nil {
			s.addresses = turnAddresses{s.addresses, s.turns}
		}
	}
	s.sealer.Store(&c.Sealer)
	if s.foldUsername == nil {
		s.foldUsername = func(_ context.Context, username string) (string, error) { return username, nil }
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.random == nil {
		s.random = rand.Reader
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

func newProcessKey() []byte {
	key := make([]byte, DatabaseKeySize)
	_, _ = rand.Read(key) // never fails
	return key
}

// AddPolicy has the engine know the policy of an issuer for as long as it runs. It returns an
// error that says why the store can't keep tokens of the policy, or nil if it can.
//
// Where one API on these users has addresses distinct, they are so for all, and no name is another's address where users log in by either.
//
// RefreshInterval and MaxTTL are the policy's, not the token's, as in django-rest-knox, whose
// settings hold for the tokens that there are. A token that is used through another API than
// its issuer's goes by its issuer's policy, if that was added: else a second API without a
// MaxTTL would let its tokens live for ever.
func (s *Service) AddPolicy(p Policy) error {
	if p.Prefix != "" && (p.LegacyFormat == Knox41 || p.LegacyFormat == Knox42) {
		return errors.New("django-rest-knox before 5 reads a whole token as hex digits: it can have no prefix")
	}
	if p.Reuse && (p.Limit != 0 || p.MaxTTL != 0) {
		return errors.New("a token that each login shows again has no limit of live tokens, and no longest life")
	}
	if s.accounts == nil && (p.LoginBy != ByUsername || p.UsernameCaseBlind || p.UniqueEmail) {
		return errors.New("the store finds users by their exact username alone")
	}
	if s.addresses == nil && p.EmailVerification != EmailVerificationNone {
		return errors.New("the store does not keep who has verified an address: on Django's tables it takes allauth's account_emailaddress")
	}
	if s.plaintext != nil {
		if err := s.plaintext.CheckPolicy(p); err != nil {
			return err
		}
	}
	s.issuers.Store(p.Issuer, p)
	return nil
}

// issuerOf returns the policy under which a token was issued: where that is not known, the
// one through which it is used.
func (s *Service) issuerOf(t Token, used Policy) Policy {
	if t.Issuer != "" && t.Issuer != used.Issuer {
		if p, ok := s.issuers.Load(t.Issuer); ok {
			return p.(Policy)
		}
	}
	return used
}

// now is the current time with the precision that stores keep.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// Ready returns nil if the engine can serve requests now; otherwise it fails with
// KindUnavailable.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.store.Ping(ctx); err != nil {
		return wrapStoreError("ping store", err)
	}
	return nil
}
