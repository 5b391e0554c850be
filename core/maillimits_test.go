package core_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
	"github.com/google/go-cmp/cmp"
)

// limitedMails is a service whose mails are limited, and the audit log of them.
type limitedMails struct {
	*core.Service
	limiter  core.RateLimiter
	verify   func(*testing.T, core.User) // the address that the user has
	outcomes func() []string             // of all mails so far, the first of them first
	mailed   func() []string             // whom they are to, and whether they are sent
	counter  *lookupCounter              // of look-ups for users with an address
}

// lookupCounter counts look-ups.
type lookupCounter struct {
	core.AccountStore
	lookups int
	read    int // accounts that were found so far
}

func (c *lookupCounter) FindAccounts(ctx context.Context, by core.Identifier, text string, caseBlind bool, limit int) ([]core.Account, error) {
	c.lookups++
	found, err := c.AccountStore.FindAccounts(ctx, by, text, caseBlind, limit)
	c.read += len(found)
	return found, err
}

func (c *lookupCounter) FindRecipients(ctx context.Context, email string, caseBlind, active bool, limit int) ([]core.Account, error) {
	c.lookups++
	found, err := c.AccountStore.FindRecipients(ctx, email, caseBlind, active, limit)
	c.read += len(found)
	return found, err
}

func newLimitedMails(t *testing.T, limits core.LoginLimits) limitedMails {
	t.Helper()
	store := sqlitetest.MustOpen(t)
	passwords, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	backend := store.Backend()
	counting := &lookupCounter{AccountStore: backend.Accounts}
	backend.Accounts = counting
	s := core.New(core.Config{Backend: backend, Hasher: hashing.NewPool(passwords, hashing.PoolOptions{Threads: 1, Queue: 10}), Sealer: sealer,
		// A mailbox has any number of spellings.
		Mailbox: func(address string) string {
			if local, domain, ok := strings.Cut(address, "@"); ok {
				local, _, _ = strings.Cut(local, "+")
				return local + "@" + domain
			}
			return address
		},
		DatabaseKey: make([]byte, core.DatabaseKeySize), Clock: func() time.Time { return now }})
	limits.Limiter = store
	s.SetLoginLimits(&limits)
	list := func(text func(core.AuditEntry) string) (all []string) {
		entries, err := store.AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionAskMail}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			all = append([]string{text(e)}, all...)
		}
		return all
	}
	verify := func(t *testing.T, u core.User) {
		t.Helper()
		address, err := backend.Addresses.AddAddress(t.Context(), u.ID, u.Email)
		if err == nil {
			err = backend.Addresses.VerifyAddress(t.Context(), address.ID, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return limitedMails{s, store, verify, func() []string {
		return list(func(e core.AuditEntry) string { return e.Outcome })
	}, func() []string {
		return list(func(e core.AuditEntry) string { return e.Username + " " + e.Outcome })
	}, counting}
}

// TestMailsToOneAddress holds that all accounts but the first that have an address get no more mails together
// than one does, by kinds and spellings, and that nothing tells.
func TestMailsToOneAddress(t *testing.T) {
	perHour := func(n int) core.Limit { return core.Limit{Burst: n, Window: time.Hour} }
	s := newLimitedMails(t, core.LoginLimits{MailsPerUser: perHour(2), MailsPerRecipient: perHour(3), MailsPerAddress: perHour(1)})
	ctx, api := from(t, "192.0.2.1"), core.Policy{Issuer: "api"}
	for i, email := range []string{"victim@example.org", "Victim@Example.org", "VICTIM@example.org", "victim@ｅxample.org", "victim@example.org", "other@example.org"} {
		u, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: fmt.Sprint("user", i), Email: email, NoPassword: true})
		if err != nil {
			t.Fatal(err)
		}
		kind := core.MailConfirmation
		if i == 1 {
			kind = core.MailActivation
		}
		if err := s.MailUser(ctx, api, kind, u); err != nil {
			t.Errorf("%s: %v", u.Username, err)
		}
	}
	if d := cmp.Diff([]string{"ok", "ok", "ok", "ok", "throttled", "ok"}, s.outcomes()); d != "" {
		t.Errorf("mails (-want +got):\n%s", d)
	}
}

// TestNoticesOfOneUser holds that a user who goes from address to address gets no more mails, that links
// that anybody asks for leave those of what was done, and that an address that nobody has is asked for
// without using up the mails of whoever registers with it.
func TestNoticesOfOneUser(t *testing.T) {
	perHour := func(n int) core.Limit { return core.Limit{Burst: n, Window: time.Hour} }
	s := newLimitedMails(t, core.LoginLimits{MailsPerUser: perHour(2), MailsPerRecipient: perHour(4)})
	api := core.Policy{Issuer: "api"}
	for range 5 {
		if _, err := s.AskMailByEmail(t.Context(), api, core.MailPasswordReset, "ann0@example.org", core.Recipients{}); err != nil {
			t.Fatal(err)
		}
	}
	u, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "ann", Email: "ann0@example.org", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := s.AskMailByEmail(t.Context(), api, core.MailPasswordReset, u.Email, core.Recipients{}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		u.Email = fmt.Sprintf("ann%d@example.org", i)
		if err := s.MailUser(t.Context(), api, core.MailUsernameChanged, u); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"user_unknown", "user_unknown", "throttled", "throttled", "throttled", "ok", "ok", "throttled", "ok", "ok", "throttled"}
	if d := cmp.Diff(want, s.outcomes()); d != "" {
		t.Errorf("mails (-want +got):\n%s", d)
	}
}

// TestMailsOfOwner holds that nobody who gives the address of another to accounts of their own, or asks for
// mails of another kind, keeps the other from a new password.
func TestMailsOfOwner(t *testing.T) {
	perHour := func(n int) core.Limit { return core.Limit{Burst: n, Window: time.Hour} }
	s := newLimitedMails(t, core.LoginLimits{MailsPerUser: perHour(2), MailsPerRecipient: perHour(3)})
	api := core.Policy{Issuer: "api"}
	register := func(name, email string, inactive bool) {
		t.Helper()
		session, err := s.Register(t.Context(), api, core.Registration{Username: name, Email: email, Password: "secret", NoToken: true, Inactive: inactive})
		if err == nil && name != "boss" {
			err = s.MailUser(t.Context(), api, core.MailActivation, session.User)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ask := func(kind core.MailKind, email string) {
		t.Helper()
		if _, err := s.AskMailByEmail(t.Context(), api, kind, email, core.Recipients{}); err != nil {
			t.Fatal(err)
		}
	}
	register("before", "boss@example.org", true)
	register("boss", "Boss@example.org", false)
	register("after", "BOSS@example.org", false)
	register("plain", "boss@ｅxample.org", false) // its owner, if it were another address
	register("last", "bosS@example.org", false)
	register("too many", "bOss@example.org", false)
	for range 3 {
		ask(core.MailUsernameReset, "Boss@example.org")
	}
	for range 3 {
		ask(core.MailPasswordReset, "Boss@example.org")
	}
	want := []string{"ok", "ok", "ok", "throttled", "throttled", "ok", "ok", "throttled", "ok", "ok", "throttled"}
	if d := cmp.Diff(want, s.outcomes()); d != "" {
		t.Errorf("mails (-want +got):\n%s", d)
	}
}

// TestAskedByOneNetwork holds that a client who may ask for no more mails costs no look at the users: an
// address may have been given to very many.
func TestAskedByOneNetwork(t *testing.T) {
	s := newLimitedMails(t, core.LoginLimits{MailsPerAddress: core.Limit{Burst: 2, Window: time.Hour}})
	for i := range 3 {
		r := core.Registration{Username: fmt.Sprint("user", i), Email: "ann@example.org", Password: "secret"}
		if _, err := s.CreateUser(t.Context(), core.Policy{}, r); err != nil {
			t.Fatal(err)
		}
	}
	ctx := from(t, "192.0.2.1")
	for i, want := range []core.Kind{-1, -1, core.KindThrottled} {
		before := s.counter.lookups
		_, err := s.AskMailByEmail(ctx, core.Policy{Issuer: "api"}, core.MailPasswordReset, "ann@example.org", core.Recipients{})
		if want == -1 && err != nil || want != -1 && core.KindOf(err) != want {
			t.Errorf("%d: %v", i, err)
		}
		if looked := s.counter.lookups > before; looked == (want == core.KindThrottled) {
			t.Errorf("%d: users were looked for: %t", i, looked)
		}
	}
}

// TestAskedForOneOfMany holds that a mail to an address costs no look at all the accounts that somebody has registered
// with it, and that are not active until they are verified: there may be very many.
func TestAskedForOneOfMany(t *testing.T) {
	s := newLimitedMails(t, core.LoginLimits{})
	for i := range 100 {
		r := core.Registration{Username: fmt.Sprint("user", i), Email: "ann@example.org", Password: "secret", Inactive: i != 50, NoToken: true}
		if _, err := s.Register(t.Context(), core.Policy{}, r); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []core.Recipients{{}, {CaseBlind: true}, {Unusable: true}} {
		s.counter.read = 0
		found, err := s.AskMailByEmail(t.Context(), core.Policy{Issuer: "api"}, core.MailPasswordReset, "ann@example.org", r)
		if !found || err != nil {
			t.Fatalf("%+v: %t, %v", r, found, err)
		}
		if s.counter.read != 1 {
			t.Errorf("%+v: %d accounts were read", r, s.counter.read)
		}
	}
	if got := strings.Join(s.mailed(), ", "); got != "user50 ok, user50 ok, user50 ok" {
		t.Errorf("mails to %s", got)
	}
}
