package mailer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/google/go-cmp/cmp"
)

func TestMailIsSent(t *testing.T) {
	o := newOffice(t, nil, nil)
	o.enqueue(t, core.MailPasswordReset, 1)
	if errs := o.step(t); errs != nil {
		t.Fatal(errs)
	}
	got := o.server.mails()
	if len(got) != 1 {
		t.Fatalf("%d mails", len(got))
	}
	_, id, _ := strings.Cut(got[0].text, "Message-ID: <")
	id, _, _ = strings.Cut(id, "@")
	want := taken{from: "FROM:<noreply@example.org> BODY=8BITMIME", to: "<ann@example.org>", text: strings.ReplaceAll(`Auto-Submitted: auto-generated
Date: Tue, 16 Jun 2026 12:00:00 +0000
MIME-Version: 1.0
Message-ID: <`+id+`@example.org>
Subject: A new password for Example
From: "Example" <noreply@example.org>
To: <ann@example.org>
Content-Transfer-Encoding: quoted-printable
Content-Type: text/plain; charset=UTF-8

Somebody, probably you, has asked for a new password for your account at Ex=
ample.

To choose one, open this page:

https://example.org/#/reset/MQ/da9lc0-8c8967890f36f5e371b19122753a6bd4

Your user name there is ann.

If it was not you, there is nothing that you have to do: your password stay=
s as it is.

Example
`, "\n", "\r\n")}
	if diff := cmp.Diff(strings.Split(want.text, "\r\n"), strings.Split(got[0].text, "\r\n")); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	got[0].text = want.text
	if diff := cmp.Diff(want, got[0], cmp.AllowUnexported(taken{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := o.waiting(t); n != 0 {
		t.Errorf("%d mails wait", n)
	}
	entries, err := o.store.AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionSendMail}, 9)
	if err != nil || len(entries) != 1 || entries[0].Outcome != core.OK || entries[0].UserID != 1 || entries[0].Detail != "password_reset" || entries[0].Profile != "api" {
		t.Errorf("audit: %+v, %v", entries, err)
	}
}

// TestNamesStayOnTheirLine sends a mail to a user whose name would be a paragraph of it.
func TestNamesStayOnTheirLine(t *testing.T) {
	for _, end := range []string{"\n\n", "\r\n", "\u2028", "\u0085"} {
		o := newOffice(t, nil, nil)
		bob := o.addUser(t, "bob", func(u *core.NewUser) { u.Username = "Bob." + end + "Locked!" })
		o.enqueue(t, core.MailConfirmation, bob.ID)
		o.step(t)
		mails := o.server.mails()
		if len(mails) != 1 || !strings.Contains(mails[0].text, "Your user name there is Bob. Locked!.") {
			t.Errorf("%q: %+v", end, mails)
		}
	}
}

// TestNoSecretIsKept looks for the token of a link in the files of the store and in the log, while the
// mail waits, and after it was sent.
func TestNoSecretIsKept(t *testing.T) {
	var refuse atomic.Bool
	refuse.Store(true)
	o := newOffice(t, func(s *smtpServer) {
		s.answer = func(command string) string {
			if command == "." && refuse.Load() {
				return "451 4.3.0 " + annsToken + " is in your text"
			}
			return ""
		}
	}, nil)
	o.enqueue(t, core.MailActivation, o.addUser(t, "bob", func(u *core.NewUser) { u.Inactive = true }).ID)
	o.step(t)
	refuse.Store(false)
	o.later(time.Hour)
	o.step(t)
	mails := o.server.mails()
	if len(mails) != 1 || !strings.Contains(mails[0].text, annsToken) {
		t.Fatalf("%d mails without %s", len(mails), annsToken)
	}
	places, err := filepath.Glob(o.path + "*")
	if err != nil || len(places) < 2 {
		t.Fatal(places, err)
	}
	for _, place := range places {
		if content, err := os.ReadFile(place); err != nil || bytes.Contains(content, []byte(annsToken)) {
			t.Errorf("%s has a token, %v", place, err)
		}
	}
	if strings.Contains(o.log.String(), annsToken) || !strings.Contains(o.log.String(), "451") {
		t.Errorf("log: %s", o.log.String())
	}
}

// TestOutcomes holds what becomes of a mail after each answer, and of one that is due an hour later,
// when the server takes it.
func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name     string
		at       string // the command
		answer   string
		outcomes string // at first, and in the end
		accepted int
		fails    bool // the connection is to blame
	}{
		{"nothing is wrong", "", "", "[ok]", 1, false},
		{"no greeting", "connect", drop, "[ok]", 1, true},
		{"a server that is busy", "connect", "421 4.3.2 busy", "[ok]", 1, true},
		{"no sender is welcome", "MAIL", "530 5.7.0 log in first", "[ok]", 1, true},
		{"no sender is welcome now", "MAIL", "451 4.3.0 later", "[ok]", 1, true},
		{"an unknown recipient", "RCPT", "550 5.1.1 who?", "[refused]", 0, false},
		{"greylisting", "RCPT", "450 4.7.1 later", "[postponed ok]", 1, false},
		{"the end at the recipient", "RCPT", drop, "[ok]", 1, true},
		{"no text is welcome", "DATA", "554 5.7.1 no", "[refused]", 0, false},
		{"no text is welcome now", "DATA", "451 4.3.0 later", "[postponed ok]", 1, false},
		{"the end before the text", "DATA", drop, "[ok]", 1, true},
		{"a text that is refused", ".", "554 5.7.1 spam", "[refused]", 0, false},
		{"a text that is not taken now", ".", "452 4.3.1 full", "[postponed ok]", 1, false},
		{"a lost answer", ".", drop, "[unknown ok]", 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var broken atomic.Bool
			broken.Store(true)
			o := newOffice(t, func(s *smtpServer) {
				s.answer = func(command string) string {
					if broken.Load() && c.at != "" && strings.HasPrefix(command, c.at) {
						return c.answer
					}
					return ""
				}
			}, nil)
			o.enqueue(t, core.MailPasswordReset, 1)
			if errs := o.step(t); (errs != nil) != c.fails {
				t.Errorf("errors: %v", errs)
			}
			broken.Store(false)
			o.later(time.Hour)
			if errs := o.step(t); errs != nil {
				t.Error(errs)
			}
			if got := fmt.Sprint(o.outcomes); got != c.outcomes || len(o.server.mails()) != c.accepted || o.waiting(t) != 0 {
				t.Errorf("outcomes %s, %d accepted, %d wait; want %s, %d, none", got, len(o.server.mails()), o.waiting(t), c.outcomes, c.accepted)
			}
		})
	}
}

// TestLostAnswers holds that a text is not given to a server a third time.
func TestLostAnswers(t *testing.T) {
	o := newOffice(t, func(s *smtpServer) {
		s.answer = func(command string) string {
			if command == "." {
				return drop
			}
			return ""
		}
	}, nil)
	o.enqueue(t, core.MailPasswordReset, 1)
	for range 5 {
		o.step(t)
		o.later(time.Hour)
	}
	if got := fmt.Sprint(o.outcomes); got != "[unknown unknown given-up]" || len(o.server.mails()) != 2 || o.waiting(t) != 0 {
		t.Errorf("outcomes %s, %d accepted, %d wait", got, len(o.server.mails()), o.waiting(t))
	}
}

// TestRetries holds how often a server is asked that never takes a mail, and for how long.
func TestRetries(t *testing.T) {
	o := newOffice(t, func(s *smtpServer) {
		s.answer = func(command string) string {
			if strings.HasPrefix(command, "RCPT") {
				return "450 4.2.0 later"
			}
			return ""
		}
	}, nil)
	o.enqueue(t, core.MailPasswordReset, 1)
	var gaps []time.Duration
	last, tries := noon(), 0
	for range 30 * 60 {
		o.step(t)
		if len(o.outcomes) > tries {
			gaps, last, tries = append(gaps, o.now.Sub(last)), o.now, len(o.outcomes)
		}
		o.later(time.Minute)
	}
	want := []time.Duration{0, time.Minute, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour}
	if diff := cmp.Diff(want, gaps[:min(len(gaps), len(want))]); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	if n := len(o.outcomes); o.outcomes[n-1] != Expired || n > 35 || o.waiting(t) != 0 {
		t.Errorf("%d tries, the last %s", n, o.outcomes[n-1])
	}
}

// TestClockLeaps holds that no mail is given up because the clock was set forward while it waited, nor waits until a
// clock that was ahead comes round again.
func TestClockLeaps(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, c := range []struct {
		name            string
		before, between time.Duration // how far the clock is ahead when the mail is tried at first, and then
	}{
		{"forward", 0, year}, {"back", year, 0}, {"back by a month", 0, -30 * 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			var refuse atomic.Bool
			refuse.Store(true)
			o := newOffice(t, func(s *smtpServer) {
				s.answer = func(command string) string {
					if refuse.Load() && strings.HasPrefix(command, "RCPT") {
						return "450 4.2.0 later"
					}
					return ""
				}
			}, nil)
			o.step(t)
			o.set(c.before)
			o.enqueue(t, core.MailPasswordReset, 1)
			o.step(t)
			refuse.Store(false)
			o.set(c.between)
			o.later(lastRetry)
			o.step(t)
			if got := fmt.Sprint(o.outcomes); got != "[postponed ok]" || len(o.server.mails()) != 1 || o.waiting(t) != 0 {
				t.Errorf("outcomes %s, %d accepted, %d wait", got, len(o.server.mails()), o.waiting(t))
			}
		})
	}
}

// TestObsoleteMails holds whom no mail is sent to any more.
func TestObsoleteMails(t *testing.T) {
	o := newOffice(t, nil, nil)
	inactive := o.addUser(t, "bob", func(u *core.NewUser) { u.Inactive = true }).ID
	silent := o.addUser(t, "cat", func(u *core.NewUser) { u.Email = "" }).ID
	broken := o.addUser(t, "dan", func(u *core.NewUser) { u.Email = "dan@example.org\r\nBcc: all@example.org" }).ID
	for _, c := range []struct {
		name    string
		kind    core.MailKind
		user    int64
		outcome string
	}{
		{"nobody", core.MailPasswordReset, 0, ""},
		{"a user who is gone", core.MailPasswordReset, 99, Obsolete},
		{"a user who is not active", core.MailPasswordReset, inactive, Obsolete},
		{"one to activate", core.MailActivation, inactive, Sent},
		{"one who is active", core.MailActivation, 1, Obsolete},
		{"no address", core.MailPasswordReset, silent, Obsolete},
		{"an address that is none", core.MailPasswordReset, broken, Invalid},
		{"an unknown kind", "weather", 1, Invalid},
		{"a confirmation", core.MailConfirmation, 1, Sent},
	} {
		o.outcomes = nil
		o.enqueue(t, c.kind, c.user)
		if errs := o.step(t); errs != nil {
			t.Errorf("%s: %v", c.name, errs)
		}
		if got := strings.Join(o.outcomes, " "); got != c.outcome {
			t.Errorf("%s: %s, want %s", c.name, got, c.outcome)
		}
	}
	if got := o.server.mails(); len(got) != 2 {
		t.Errorf("%d mails", len(got))
	}
}

// TestOneConnection holds that mails that wait together share a connection, which is ended after them.
func TestOneConnection(t *testing.T) {
	o := newOffice(t, nil, nil)
	for range 5 {
		o.enqueue(t, core.MailPasswordReset, 1)
	}
	o.step(t)
	o.server.mutex.Lock()
	sessions := o.server.sessions
	o.server.mutex.Unlock()
	if sessions != 1 || len(o.server.mails()) != 5 {
		t.Errorf("%d mails by %d connections", len(o.server.mails()), sessions)
	}
}

// TestRun holds that a Sender sends what is there, what is added, and what it is woken for, and ends.
func TestRun(t *testing.T) {
	o := newOffice(t, nil, nil)
	o.sender.pace.poll = time.Hour
	o.enqueue(t, core.MailPasswordReset, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		o.sender.Run(ctx)
	}()
	wait := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); len(o.server.mails()) < n; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d mails, want %d", len(o.server.mails()), n)
			}
		}
	}
	wait(1)
	o.enqueue(t, core.MailPasswordReset, 1)
	o.sender.Wake()
	o.sender.Wake()
	wait(2)
	cancel()
	<-ended
	if err := errors.Join(ctx.Err()); !errors.Is(err, context.Canceled) || o.waiting(t) != 0 {
		t.Errorf("%v, %d wait", err, o.waiting(t))
	}
}
