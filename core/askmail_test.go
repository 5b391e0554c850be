package core_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
	"github.com/google/go-cmp/cmp"
)

// TestAskMail holds for whom mails are added, and what is recorded of it.
func TestAskMail(t *testing.T) {
	store := sqlitetest.MustOpen(t)
	passwords, err := hashing.NewDjangoHasher(1000)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	backend := store.Backend()
	s := core.New(core.Config{Backend: backend, Hasher: hashing.NewPool(passwords, hashing.PoolOptions{Threads: 1, Queue: 10}), Sealer: sealer,
		DatabaseKey: make([]byte, core.DatabaseKeySize), Clock: func() time.Time { return now }})
	two, five := core.Limit{Burst: 2, Window: time.Hour}, core.Limit{Burst: 5, Window: time.Hour}
	s.SetLoginLimits(&core.LoginLimits{Limiter: store, PerUser: five, PerAddress: five, MailsPerUser: two, MailsPerAddress: five})
	woken := 0
	s.OnMail(func() { woken++ })
	user, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "john", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	john := &core.Account{User: user}
	for _, step := range []struct {
		name, address string
		kind          core.MailKind
		account       *core.Account
		fails         bool
		waiting       int64
		outcome       string
	}{
		{"john", "192.0.2.1", core.MailPasswordReset, john, false, 1, "ok"},
		{"john@example.org", "192.0.2.1", core.MailPasswordReset, john, false, 2, "ok"},
		{"john", "192.0.2.2", core.MailPasswordReset, john, false, 2, "throttled"},
		{"nobody@example.org", "192.0.2.2", core.MailPasswordReset, nil, false, 2, "user_unknown"},
		{"john", "192.0.2.2", core.MailPasswordChanged, john, false, 3, "ok"},
		{"Nobody@example.org", "192.0.2.1", core.MailPasswordReset, nil, false, 3, "user_unknown"},
		{"nobody@Example.org", "192.0.2.1", core.MailPasswordReset, nil, false, 3, "throttled"},
		{"\x00\xff", "192.0.2.1", core.MailPasswordReset, nil, false, 3, "user_unknown"},
		{"mary", "192.0.2.1", core.MailPasswordReset, nil, true, 3, ""},
	} {
		err := s.AskMail(from(t, step.address), "api", step.kind, step.name, step.account)
		if (core.KindOf(err) == core.KindThrottled) != step.fails || err != nil && !step.fails {
			t.Errorf("%q: %v", step.name, err)
		}
		if n, err := backend.Mail.CountMails(t.Context()); n != step.waiting || err != nil {
			t.Errorf("%q: %d mails wait, %v, want %d", step.name, n, err, step.waiting)
		}
		entries, err := store.AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionAskMail}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !step.fails {
			e := entries[0]
			got := []string{e.Outcome, e.Username, e.Detail, e.Profile, fmt.Sprint(e.UsernamePseudonym != "")}
			want := []string{step.outcome, "", string(step.kind), "api", fmt.Sprint(step.account == nil)}
			if step.account != nil {
				want[1] = "john"
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%q: entry (-want +got):\n%s", step.name, d)
			}
		}
	}
	if woken != 8 {
		t.Errorf("woken %d times", woken)
	}
	if n, err := s.ClearLimits(t.Context(), store, "john", netip.MustParseAddr("192.0.2.1")); n != 3 || err != nil {
		t.Errorf("%d limits were lifted, %v", n, err)
	}
	for want := range 3 { // nobody's are gone
		m, err := backend.Mail.ClaimMail(t.Context(), now, now.Add(time.Minute))
		if err != nil || m.UserID != user.ID || m.Profile != "api" {
			t.Errorf("mail %d: %+v, %v", want, m, err)
		}
	}
	if m, err := backend.Mail.ClaimMail(t.Context(), now, now.Add(time.Minute)); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("one more: %+v, %v", m, err)
	}
}

// TestAskedMailsAreBlurred asks for mails to an address that somebody has, and to one that nobody has: the answers take times
// that differ. In the bubble, nothing else takes any.
func TestAskedMailsAreBlurred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := sqlitetest.MustOpen(t)
		passwords, err := hashing.NewDjangoHasher(1)
		if err != nil {
			t.Fatal(err)
		}
		s := core.New(core.Config{Backend: store.Backend(), Hasher: hashing.NewPool(passwords, hashing.PoolOptions{Threads: 1, Queue: 10}), DatabaseKey: make([]byte, core.DatabaseKeySize)})
		s.OnMail(func() {})
		if _, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "john", Password: "secret", Email: "john@example.org"}); err != nil {
			t.Fatal(err)
		}
		for kind, ask := range map[string]func(email string) error{
			"reset": func(email string) error {
				_, err := s.AskMailByEmail(t.Context(), core.Policy{Issuer: "api"}, core.MailPasswordReset, email, core.Recipients{})
				return err
			},
			"verification": func(email string) error { return s.AskVerification(t.Context(), core.Policy{Issuer: "api"}, email) },
		} {
			for _, email := range []string{"john@example.org", "nobody@example.org"} {
				took := map[time.Duration]bool{}
				for range 3 {
					began := time.Now()
					if err := ask(email); err != nil {
						t.Fatal(err)
					}
					d := time.Since(began)
					if took[d] = true; d >= core.MaxBlur {
						t.Errorf("%s to %s: %v", kind, email, d)
					}
				}
				if len(took) < 2 {
					t.Errorf("%s to %s: %v", kind, email, took)
				}
			}
		}
	})
}

// TestAskMailByEmail holds which users with an address get a mail.
func TestAskMailByEmail(t *testing.T) {
	store := sqlitetest.MustOpen(t)
	passwords, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	s := core.New(core.Config{Backend: store.Backend(), Hasher: hashing.NewPool(passwords, hashing.PoolOptions{Threads: 1, Queue: 10})})
	for _, r := range []core.Registration{
		{Username: "john", Email: "john@example.org", Password: "secret"},
		{Username: "johnny", Email: "john@example.org", Password: "secret"},
		{Username: "ann", Email: "ann@example.org", Password: "secret", Inactive: true},
		{Username: "joe", Email: "joe@example.org", NoPassword: true},
	} {
		if _, err := s.CreateUser(t.Context(), core.Policy{}, r); err != nil {
			t.Fatal(err)
		}
	}
	// The store leaves inactive users out, but whoever has verified the address is looked for by that.
	ivy, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "ivy", Email: "ivy@example.org", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	address, err := store.Backend().Addresses.AddAddress(t.Context(), ivy.ID, ivy.Email)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Backend().Addresses.VerifyAddress(t.Context(), address.ID, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.SetActive(t.Context(), store, ivy, false); err != nil {
		t.Fatal(err)
	}
	for i := range 60 { // with an address of many: those who get a mail are after others, and there are more than five
		for _, r := range []core.Registration{
			{Username: fmt.Sprint("inactive ", i), Password: "secret", Inactive: true}, {Username: fmt.Sprint("unusable ", i), NoPassword: true},
			{Username: fmt.Sprint("good ", i), Password: "secret"},
		} {
			r.Email = "many@example.org"
			if strings.HasPrefix(r.Username, "good") {
				if r.Email = "crowd@example.org"; i == 59 {
					r.Email = "many@example.org"
				}
			}
			if _, err := s.CreateUser(t.Context(), core.Policy{}, r); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		kind  core.MailKind
		email string
		to    core.Recipients
		want  int64
	}{
		{core.MailPasswordReset, "john@example.org", core.Recipients{}, 2},
		{core.MailPasswordReset, "JOHN@example.org", core.Recipients{}, 0},
		{core.MailPasswordReset, "JOHN@example.org", core.Recipients{CaseBlind: true}, 2},
		{core.MailPasswordReset, "ann@example.org", core.Recipients{}, 0},
		{core.MailPasswordReset, "ivy@example.org", core.Recipients{}, 0},
		{core.MailPasswordReset, "joe@example.org", core.Recipients{}, 0},
		{core.MailPasswordReset, "joe@example.org", core.Recipients{Unusable: true}, 1},
		{core.MailActivation, "ann@example.org", core.Recipients{}, 1},
		{core.MailActivation, "john@example.org", core.Recipients{}, 0},
		{core.MailPasswordReset, "many@example.org", core.Recipients{}, 1},
		{core.MailPasswordReset, "many@example.org", core.Recipients{Unusable: true}, 5},
		{core.MailPasswordReset, "crowd@example.org", core.Recipients{}, 5},
		{core.MailPasswordReset, "", core.Recipients{}, 0},
		{core.MailPasswordReset, "a\x00b", core.Recipients{}, 0},
	} {
		before, err := store.Backend().Mail.CountMails(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.AskMailByEmail(t.Context(), core.Policy{Issuer: "api"}, c.kind, c.email, c.to)
		if found != (c.want > 0) || err != nil {
			t.Errorf("%s %q: %t, %v", c.kind, c.email, found, err)
		}
		if n, err := store.Backend().Mail.CountMails(t.Context()); n-before != c.want || err != nil {
			t.Errorf("%s %q: %d mails, %v, want %d", c.kind, c.email, n-before, err, c.want)
		}
	}
}
