package core

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync/atomic"
	"time"
)

// Hasher checks and makes encoded passwords. Each call may wait for its turn; it
// ends early when the context does.
type Hasher interface {
	// Admit lets one in who is about to call the other methods with plain, and
	// has to call leave (once or more often) in the end; or refuses at once with
	// an [*Error] of KindOverloaded.
	Admit(plain string) (leave func(), err error)
	// Hash encodes a new password.
	Hash(ctx context.Context, plain string) (string, error)
	// Unusable gives an encoded password that no password matches.
	Unusable() (string, error)
	// Check tells whether plain is the password of the account named username,
	// whose encoded one is given, and whether that should be made anew with Hash.
	Check(ctx context.Context, username, encoded, plain string) (ok, rehash bool, err error)
	// HashDummy spends what Check would for an account named username, for names that
	// have none.
	HashDummy(ctx context.Context, username, plain string) error
	// Wait lets as much time pass as Check or, where encoded is empty, HashDummy would
	// take, and computes nothing.
	Wait(ctx context.Context, username, encoded string) error
}

// Service is the engine. Its methods fail with *[Error] and are safe for
// concurrent use.
type Service struct {
	store    Store
	hasher   Hasher
	sealer   atomic.Pointer[Sealer]
	rekey    func() (Sealer, error)
	guessing atomic.Pointer[LoginLimits]
	underway underway
	audit    Auditor
	secret   []byte
	events   func(act Act, profile, outcome string)
	clock    Clock
	random   io.Reader
	log      *slog.Logger
	// texts is the store, if it is a PlaintextStore.
	texts PlaintextStore
	moves *ExpiryWriter
}

// Config is what a Service is made of. Store and Hasher are required.
type Config struct {
	Store  Store
	Hasher Hasher
	// Sealer opens and closes tokens that are shown again; the zero one makes
	// such logins fail with KindUnavailable.
	Sealer Sealer
	// Rekey, if set, gives the sealer anew, where it may have got another key: it
	// is asked when a key is missing.
	Rekey func() (Sealer, error)
	// Texts, if set, is the store, which is a PlaintextStore: Store itself may be
	// something around it.
	Texts PlaintextStore
	// ExpiryWriter, if set, writes the ends of sliding tokens off the way of requests. It
	// has to run.
	ExpiryWriter *ExpiryWriter
	// Audit, if set, is the store's own record.
	Audit Auditor
	// Secret is the store's PseudonymKey, under which names and addresses are kept
	// as digests.
	Secret []byte
	// Events, if set, is told what came of each act of a client. It must be
	// quick.
	Events func(act Act, profile, outcome string)
	Clock  Clock        // nil: time.Now
	Random io.Reader    // nil: crypto/rand
	Log    *slog.Logger // nil: nothing is logged
}

// New makes a Service. Guesses are not limited until SetLoginLimits says so.
func New(c Config) *Service {
	s := &Service{
		store: c.Store, hasher: c.Hasher, rekey: c.Rekey, audit: c.Audit, secret: c.Secret, events: c.Events,
		clock: c.Clock, random: c.Random, log: c.Log, moves: c.ExpiryWriter,
	}
	s.sealer.Store(&c.Sealer)
	if s.texts = c.Texts; s.texts == nil {
		s.texts, _ = c.Store.(PlaintextStore)
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

// Holds tells why the store can't hold the tokens of a policy; nil if it can.
func (s *Service) Holds(p Policy) error {
	if s.texts == nil {
		return nil
	}
	return s.texts.Holds(p)
}

// now is the time as rows hold it.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// Ready tells whether the engine can serve now: nil, or KindUnavailable.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.store.Ping(ctx); err != nil {
		return failure("ping store", err)
	}
	return nil
}
