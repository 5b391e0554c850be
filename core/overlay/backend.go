package overlay

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Backend returns a backend that reads b and writes nothing to it. It has what answers need and
// no more: no limits, no administration, no callers, no cutover. Closing it closes nothing.
func Backend(b core.Backend) core.Backend {
	s := &store{under: b.Store, accounts: b.Accounts, tokens: b.Tokens}
	over := core.Backend{Store: s, FoldUsername: b.FoldUsername, DatabaseClock: b.DatabaseClock}
	if b.FoldUsername != nil {
		over.FoldUsername = func(ctx context.Context, username string) (string, error) {
			return remember(of(ctx), call("fold", username), func() (string, error) { return b.FoldUsername(ctx, username) })
		}
	}
	if b.Accounts != nil {
		over.Accounts = &accountStore{s}
	}
	if b.Mail != nil {
		over.Mail = noMail{}
	}
	if b.Addresses != nil {
		over.Addresses = addressStore{b.Addresses}
	}
	if b.Plaintext != nil {
		over.Plaintext = plaintext{s, b.Plaintext}
	}
	return over
}

// plaintext is a core.PlaintextStore that writes nothing.
type plaintext struct {
	*store
	rules core.PlaintextStore
}

// KeepsPlaintext implements core.PlaintextStore.
func (p plaintext) KeepsPlaintext() bool { return p.rules.KeepsPlaintext() }

// Caveats implements core.PlaintextStore.
func (p plaintext) Caveats() []string { return p.rules.Caveats() }

// CheckPolicy implements core.PlaintextStore.
func (p plaintext) CheckPolicy(policy core.Policy) error { return p.rules.CheckPolicy(policy) }

// CheckUser implements core.PlaintextStore.
func (p plaintext) CheckUser(u core.NewUser) error { return p.rules.CheckUser(u) }

// noMail is a core.MailStore in which mails vanish.
type noMail struct{}

// EnqueueMail implements core.MailStore.
func (noMail) EnqueueMail(context.Context, core.Mail, *core.AuditEntry) error { return nil }

// ClaimMail implements core.MailStore.
func (noMail) ClaimMail(context.Context, time.Time, time.Time) (core.Mail, error) {
	return core.Mail{}, core.ErrNotFound
}

// UpdateMail implements core.MailStore.
func (noMail) UpdateMail(context.Context, core.Mail) error { return core.ErrNotFound }

// RemoveMail implements core.MailStore.
func (noMail) RemoveMail(context.Context, core.Mail, *core.AuditEntry) error {
	return core.ErrNotFound
}

// CountMails implements core.MailStore.
func (noMail) CountMails(context.Context) (int64, error) { return 0, nil }
