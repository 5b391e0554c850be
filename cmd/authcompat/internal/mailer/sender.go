package mailer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/clockwatch"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
	"github.com/authcompat/authcompat/core"
	"github.com/wneessen/go-mail/smtp"
)

// MaxAge is how long a mail is tried.
const MaxAge = 24 * time.Hour

// maxDeliveries is how often a server is given the text of a mail without an answer.
const maxDeliveries = 2

// The pauses of a Sender.
const (
	pollEvery  = 5 * time.Second  // between looks at a queue that was empty
	firstRetry = 30 * time.Second // of a mail that the server did not take; then twice as long each time,
	lastRetry  = time.Hour        // and so at last: less than core.MaxMailWait
	minPause   = time.Second      // after a connection that failed; then twice as long each time,
	maxPause   = time.Minute      // and so at last
	slack      = time.Minute      // that a claim lasts longer than the server may take
)

// Sender sends the mails of a queue, one at a time. Several may work on one queue.
type Sender struct {
	store     core.MailStore
	server    Server
	composer  *Composer
	log       *slog.Logger
	clock     func(context.Context) (time.Time, error)
	uptime    func() time.Time // this process's time
	watch     clockwatch.Watch // of clock
	onOutcome func(core.MailKind, string)
	pace      pace
	wake      chan struct{}
	sent      map[string]bool // mails that are sent, as far as they could not be removed

	session *smtp.Client // nil: there is none
	pause   time.Duration
}

// pace has the pauses.
type pace struct{ poll, firstRetry, lastRetry, minPause, maxPause, slack time.Duration }

// Options are what a Sender can be told.
type Options struct {
	Log *slog.Logger
	// Clock is the clock that all servers on the database share, see [core.DatabaseClock]; nil: this
	// machine's.
	Clock func(context.Context) (time.Time, error)
	// OnOutcome is told what came of a mail or of a try: one of the outcomes; nil: nobody is.
	OnOutcome func(core.MailKind, string)
}

// The outcomes of a mail, and with Postponed and Unknown of a try.
const (
	Sent      = core.OK
	Postponed = "postponed" // the server does not take it now
	Unknown   = "unknown"   // the server's answer was lost
	Refused   = "refused"   // the server never takes it
	Obsolete  = "obsolete"  // nobody is to get it any more
	Invalid   = "invalid"   // it can't be made
	Expired   = "expired"   // it was tried for MaxAge
	GivenUp   = "given-up"  // the server's answer was lost too often; it may have been sent
)

// Outcomes returns all outcomes.
func Outcomes() []string {
	return []string{Sent, Postponed, Unknown, Refused, Obsolete, Invalid, Expired, GivenUp}
}

// New returns a Sender. It fails if the server's settings are wrong.
func New(server Server, c *Composer, o Options) (*Sender, error) {
	if err := server.Check(); err != nil {
		return nil, err
	}
	s := &Sender{
		store: c.Store, server: server.withDefaults(), composer: c, log: o.Log, clock: o.Clock, uptime: time.Now, onOutcome: o.OnOutcome,
		pace: pace{pollEvery, firstRetry, lastRetry, minPause, maxPause, slack}, wake: make(chan struct{}, 1), sent: make(map[string]bool),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.clock == nil {
		s.clock = func(context.Context) (time.Time, error) { return time.Now().UTC(), nil }
	}
	if s.onOutcome == nil {
		s.onOutcome = func(core.MailKind, string) {}
	}
	return s, nil
}

// Wake says that a mail was added, so that it is sent at once. It does not wait.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends mails until ctx ends. The mail that is on its way then is finished, within the server's
// timeout.
func (s *Sender) Run(ctx context.Context) {
	defer s.quit()
	for ctx.Err() == nil {
		again, err := s.next(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("mails wait", "error", err)
			s.grow()
			wait.For(ctx, s.pause)
			continue
		}
		if again {
			continue
		}
		s.quit()
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-time.After(s.pace.poll):
		}
	}
}

// grow makes the pause longer.
func (s *Sender) grow() { s.pause = min(max(s.pace.minPause, 2*s.pause), s.pace.maxPause) }

// next sends a mail, if one is due, and reports whether there may be more. The error is that of the
// store, or of the connection.
func (s *Sender) next(ctx context.Context) (again bool, err error) {
	now, err := s.clock(ctx)
	if err != nil {
		return false, err
	}
	ahead := s.watch.Observe(now, s.uptime())
	m, err := s.store.ClaimMail(ctx, now, now.Add(s.lease()))
	if errors.Is(err, core.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// What was begun is finished: a process that ends must not leave a mail in doubt.
	return true, s.handle(context.WithoutCancel(ctx), m, now, ahead)
}

// lease is how long a mail is this sender's: for the connection, for the mail, and for the store.
func (s *Sender) lease() time.Duration { return 2*s.server.Timeout + s.pace.slack }

// handle sends a mail that was claimed at now, by a clock that was set forward by so much while the
// process ran: no mail is old because of that.
func (s *Sender) handle(ctx context.Context, m core.Mail, now time.Time, ahead time.Duration) error {
	switch {
	case s.sent[m.ID]:
		return s.finish(ctx, m, now, Sent)
	case m.Deliveries >= maxDeliveries:
		return s.finish(ctx, m, now, GivenUp)
	case m.Outdated():
		return s.finish(ctx, m, now, Obsolete)
	case now.Sub(m.CreatedAt)-ahead > MaxAge:
		return s.finish(ctx, m, now, Expired)
	}
	message, err := s.composer.compose(ctx, m)
	var unavailable *unavailableError
	var packed envelope
	switch {
	case errors.As(err, &unavailable):
		return err // it is due again when the claim ends
	case errors.Is(err, errNothing):
		return s.finish(ctx, m, now, Obsolete)
	case err == nil:
		packed, err = s.server.pack(message, m.ID, now)
	}
	if err != nil {
		s.log.Warn("mail can't be made", "kind", m.Kind, "profile", m.Profile, "user_id", m.UserID)
		return s.finish(ctx, m, now, Invalid)
	}
	fresh := s.session == nil
	if fresh {
		if s.session, err = s.connect(ctx); err != nil {
			m.DueAt = now // as it was: the mail is not to blame
			return errors.Join(err, s.release(ctx, m))
		}
	}
	outcome, err := s.deliver(ctx, &m, packed)
	if outcome == broken && fresh { // perhaps this mail is to blame
		m.DueAt = now.Add(s.retryAfter(m.Attempts))
	} else {
		m.DueAt = now
	}
	return s.settle(ctx, m, now, outcome, err)
}

// connect connects to the server, in so much time.
func (s *Sender) connect(ctx context.Context) (*smtp.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, s.server.Timeout)
	defer cancel()
	return s.server.connect(ctx)
}

// settle does what follows from what came of a try. A mail without an outcome is due at m.DueAt again.
func (s *Sender) settle(ctx context.Context, m core.Mail, now time.Time, outcome string, err error) error {
	switch outcome {
	case Sent:
		s.pause = 0
		s.sent[m.ID] = true
		return s.finish(ctx, m, now, Sent)
	case Refused:
		s.pause = 0
		s.log.Warn("the server refuses a mail", "kind", m.Kind, "user_id", m.UserID, "code", codeOf(err))
		return s.finish(ctx, m, now, Refused)
	case Postponed:
		s.pause = 0
		s.onOutcome(m.Kind, Postponed)
		s.log.Info("the server does not take a mail now", "kind", m.Kind, "user_id", m.UserID, "attempts", m.Attempts, "code", codeOf(err))
		m.DueAt = now.Add(s.retryAfter(m.Attempts))
		return s.release(ctx, m)
	case Unknown:
		s.hangUp()
		s.onOutcome(m.Kind, Unknown)
		m.DueAt = now.Add(s.retryAfter(m.Attempts))
		return errors.Join(err, s.release(ctx, m))
	}
	s.hangUp()
	return errors.Join(err, s.release(ctx, m))
}

// retryAfter is how long a mail waits after so many tries.
func (s *Sender) retryAfter(attempts int) time.Duration {
	const doublings = 16
	return min(s.pace.firstRetry<<min(attempts-1, doublings), s.pace.lastRetry)
}

// release gives a mail back to the queue. One that another has claimed meanwhile is its business.
func (s *Sender) release(ctx context.Context, m core.Mail) error {
	ctx, cancel := context.WithTimeout(ctx, s.server.Timeout)
	defer cancel()
	if err := s.store.UpdateMail(ctx, m); !errors.Is(err, core.ErrNotFound) {
		return err
	}
	return nil
}

// finish removes a mail from the queue, with what came of it.
func (s *Sender) finish(ctx context.Context, m core.Mail, now time.Time, outcome string) error {
	ctx, cancel := context.WithTimeout(ctx, s.server.Timeout)
	defer cancel()
	err := s.store.RemoveMail(ctx, m, &core.AuditEntry{
		At: now, Action: core.ActionSendMail, Outcome: outcome, UserID: m.UserID, Profile: m.Profile, Actor: core.Server, Detail: string(m.Kind),
	})
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return err
	}
	delete(s.sent, m.ID)
	s.onOutcome(m.Kind, outcome)
	return nil
}
