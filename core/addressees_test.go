package core_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/google/go-cmp/cmp"
)

// add makes a user with an address, and a usable password.
func (s limitedMails) add(t *testing.T, name, email string) core.User {
	t.Helper()
	u, err := s.CreateUser(t.Context(), core.Policy{EmailVerification: core.EmailVerificationOptional}, core.Registration{Username: name, Email: email, Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// move gives a user another address.
func (s limitedMails) move(t *testing.T, u core.User, email string) core.User {
	t.Helper()
	moved, err := s.UpdateUser(t.Context(), core.Policy{Issuer: "api"}, u.ID, core.UserUpdate{Email: &email})
	if err != nil {
		t.Fatal(err)
	}
	return moved
}

// ask asks for mails by address, and returns those that were added.
func (s limitedMails) ask(t *testing.T, kind core.MailKind, email string) []string {
	t.Helper()
	before := len(s.mailed())
	if _, err := s.AskMailByEmail(t.Context(), core.Policy{Issuer: "api"}, kind, email, core.Recipients{CaseBlind: true}); err != nil {
		t.Fatal(err)
	}
	return s.mailed()[before:]
}

// notices tells a user so many times of what was done.
func (s limitedMails) notices(t *testing.T, u core.User, n int) {
	t.Helper()
	for range n {
		if err := s.MailUser(t.Context(), core.Policy{Issuer: "api"}, core.MailPasswordChanged, u); err != nil {
			t.Fatal(err)
		}
	}
}

// use sends a user so many mails of what was done, and as many with a new password.
func (s limitedMails) use(t *testing.T, u core.User, n int) {
	t.Helper()
	s.notices(t, u, n)
	for range n {
		if err := s.MailUser(t.Context(), core.Policy{Issuer: "api"}, core.MailPasswordReset, u); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOlderAccountsComeToAnAddress holds that who gives accounts that are older than those of others their address
// keeps neither the first nor the second who had it from a new password: not by being many, nor by using up mails.
func TestOlderAccountsComeToAnAddress(t *testing.T) {
	perHour := func(n int) core.Limit { return core.Limit{Burst: n, Window: time.Hour} }
	s := newLimitedMails(t, core.LoginLimits{MailsPerUser: perHour(5), MailsPerRecipient: perHour(10)})
	var attackers []core.User
	for i := range 8 {
		attackers = append(attackers, s.add(t, fmt.Sprint("attacker", i), fmt.Sprintf("attacker%d@example.org", i)))
	}
	s.add(t, "victim", "victim@example.org")
	s.add(t, "spouse", "Victim@example.org")
	for i, a := range attackers {
		attackers[i] = s.move(t, a, "victim@example.org")
	}
	for _, a := range attackers {
		s.use(t, a, 5)
	}
	want := []string{"victim ok", "spouse ok", "attacker0 throttled", "attacker1 throttled", "attacker2 throttled"}
	if d := cmp.Diff(want, s.ask(t, core.MailPasswordReset, "victim@example.org")); d != "" {
		t.Errorf("resets (-want +got):\n%s", d)
	}
}

// TestPartsOfARecipientsLimit holds how many mails of one address are left for whoever has it after others.
func TestPartsOfARecipientsLimit(t *testing.T) {
	perHour := func(n int) core.Limit { return core.Limit{Burst: n, Window: time.Hour} }
	s := newLimitedMails(t, core.LoginLimits{MailsPerRecipient: perHour(10)})
	sent := func(u core.User) (n int) {
		before := len(s.outcomes())
		s.notices(t, u, 12)
		for _, outcome := range s.outcomes()[before:] {
			if outcome == core.OK {
				n++
			}
		}
		return n
	}
	var users []core.User
	for i := range 8 {
		users = append(users, s.add(t, fmt.Sprint("user", i), "ann@example.org"))
	}
	strange := s.add(t, "strange", "ann@ｅxample.org")
	var got []int
	for _, u := range []core.User{users[7], users[6], users[4], users[3], strange, users[2], users[1], users[1], users[0]} {
		got = append(got, sent(u))
	}
	if d := cmp.Diff([]int{2, 0, 2, 2, 2, 0, 2, 0, 12}, got); d != "" {
		t.Errorf("mails (-want +got):\n%s", d)
	}
}

// TestFiveOfOneAddress holds that five users with one address get what they are asked for together as often as the
// whole limit allows: no part of it ends before.
func TestFiveOfOneAddress(t *testing.T) {
	for _, burst := range []int{4, 5, 8, 10, 15} {
		s := newLimitedMails(t, core.LoginLimits{MailsPerRecipient: core.Limit{Burst: burst, Window: time.Hour}})
		for i := range 5 {
			s.add(t, fmt.Sprint("user", i), "ann@example.org")
		}
		for asked := 1; asked <= burst/4; asked++ {
			want := []string{"user0 ok", "user1 ok", "user2 ok", "user3 ok", "user4 ok"}
			if d := cmp.Diff(want, s.ask(t, core.MailPasswordReset, "ann@example.org")); d != "" {
				t.Errorf("limit %d, asked %d (-want +got):\n%s", burst, asked, d)
			}
		}
	}
}

// TestVerifiedAddressee holds that who has verified an address gets mails first, and has them apart, however many had it before.
func TestVerifiedAddressee(t *testing.T) {
	perHour := func(n int) core.Limit { return core.Limit{Burst: n, Window: time.Hour} }
	s := newLimitedMails(t, core.LoginLimits{MailsPerRecipient: perHour(10)})
	var before []core.User
	for i := range 41 {
		before = append(before, s.add(t, fmt.Sprint("before", i), "victim@example.org"))
	}
	victim := s.add(t, "victim", "Victim@example.org")
	s.verify(t, victim)
	for _, u := range before[1:10] {
		s.use(t, u, 2)
	}
	want := []string{"victim ok", "before0 ok", "before1 throttled", "before2 throttled", "before3 throttled"}
	if d := cmp.Diff(want, s.ask(t, core.MailPasswordReset, "victim@example.org")); d != "" {
		t.Errorf("resets (-want +got):\n%s", d)
	}
	s.move(t, victim, "new@example.org") // which he has yet to verify
	want = []string{"before0 ok", "before1 ok", "before2 throttled", "before3 throttled", "before4 throttled"}
	if d := cmp.Diff(want, s.ask(t, core.MailPasswordReset, "victim@example.org")); d != "" {
		t.Errorf("resets after the address has changed (-want +got):\n%s", d)
	}
}

// TestFirstIsNotActive holds that an account that waits for its activation has its mails apart if it had the
// address first, also if active ones come to it, and that one that is never activated takes them from none that is.
func TestFirstIsNotActive(t *testing.T) {
	perHour := func(n int) core.Limit { return core.Limit{Burst: n, Window: time.Hour} }
	s := newLimitedMails(t, core.LoginLimits{MailsPerRecipient: perHour(5)})
	attackers := []core.User{s.add(t, "attacker0", "attacker0@example.org"), s.add(t, "attacker1", "attacker1@example.org")}
	session, err := s.Register(t.Context(), core.Policy{Issuer: "api"}, core.Registration{Username: "victim", Email: "victim@example.org", Password: "secret", NoToken: true, Inactive: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range attackers {
		s.use(t, s.move(t, a, "victim@example.org"), 6)
	}
	var got []string
	for range 6 {
		got = append(got, s.ask(t, core.MailActivation, session.User.Email)...)
	}
	got = append(got, s.ask(t, core.MailPasswordReset, session.User.Email)...)
	want := []string{"victim ok", "victim ok", "victim ok", "victim ok", "victim ok", "victim ok", "attacker0 ok", "attacker1 throttled"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("mails (-want +got):\n%s", d)
	}
}

// TestClearsAllPartsOfALimit holds that an operator lifts the limits of an address for whoever has it.
func TestClearsAllPartsOfALimit(t *testing.T) {
	s := newLimitedMails(t, core.LoginLimits{MailsPerRecipient: core.Limit{Burst: 5, Window: time.Hour}})
	var last core.User
	for i := range 6 {
		last = s.add(t, fmt.Sprint("user", i), "ann@example.org")
	}
	s.notices(t, last, 2)
	if n, err := s.ClearLimits(t.Context(), s.limiter, "user5", netip.Addr{}); n != 5 || err != nil {
		t.Errorf("%d limits had counted something, %v", n, err)
	}
	s.notices(t, last, 1)
	if d := cmp.Diff([]string{"user5 ok", "user5 throttled", "user5 ok"}, s.mailed()); d != "" {
		t.Errorf("mails (-want +got):\n%s", d)
	}
}

// TestOneAfterAnotherIsFirst holds that who gives an address to one account after another, so that each is the first
// that has it, makes no more mails come to it than one user gets.
func TestOneAfterAnotherIsFirst(t *testing.T) {
	s := newLimitedMails(t, core.LoginLimits{MailsPerUser: core.Limit{Burst: 2, Window: time.Hour}, MailsPerRecipient: core.Limit{Burst: 3, Window: time.Hour}})
	for i := range 4 {
		u := s.add(t, fmt.Sprint("user", i), "ann@example.org")
		s.ask(t, core.MailPasswordReset, u.Email)
		s.ask(t, core.MailPasswordReset, u.Email)
		s.notices(t, u, 1)
		s.move(t, u, fmt.Sprintf("user%d@example.org", i))
	}
	want := []string{
		"user0 ok", "user0 ok", "user0 ok", "user1 throttled", "user1 throttled", "user1 ok",
		"user2 throttled", "user2 throttled", "user2 throttled", "user3 throttled", "user3 throttled", "user3 throttled",
	}
	if d := cmp.Diff(want, s.mailed()); d != "" {
		t.Errorf("mails (-want +got):\n%s", d)
	}
}

// TestNamesLeaveResets holds that who asks for the names of all users with an address keeps none of them from a new
// password, neither the first nor those after, also together with accounts that come to the address later.
func TestNamesLeaveResets(t *testing.T) {
	perHour := func(n int) core.Limit { return core.Limit{Burst: n, Window: time.Hour} }
	s := newLimitedMails(t, core.LoginLimits{MailsPerUser: perHour(5), MailsPerRecipient: perHour(10)})
	for i := range 5 {
		s.add(t, fmt.Sprint("user", i), "ann@example.org")
	}
	for range 5 {
		s.ask(t, core.MailUsernameReset, "ann@example.org")
		if err := s.AskVerification(t.Context(), core.Policy{Issuer: "api"}, "ann@example.org"); err != nil {
			t.Fatal(err)
		}
	}
	s.use(t, s.add(t, "later", "ann@example.org"), 5)
	want := []string{"user0 ok", "user1 ok", "user2 ok", "user3 ok", "user4 ok"}
	if d := cmp.Diff(want, s.ask(t, core.MailPasswordReset, "ann@example.org")); d != "" {
		t.Errorf("resets (-want +got):\n%s", d)
	}
}

// TestLatecomersLeaveKeys holds that who comes to an address later leaves those before them keys that verify it.
func TestLatecomersLeaveKeys(t *testing.T) {
	s := newLimitedMails(t, core.LoginLimits{MailsPerRecipient: core.Limit{Burst: 10, Window: time.Hour}})
	var users []core.User
	for i := range 8 {
		users = append(users, s.add(t, fmt.Sprint("user", i), "ann@example.org"))
	}
	slices.Reverse(users)
	for _, u := range users[:7] {
		for range 5 {
			if err := s.MailUser(t.Context(), core.Policy{Issuer: "api"}, core.MailEmailVerification, u); err != nil {
				t.Fatal(err)
			}
		}
	}
	sent := map[string]int{}
	for _, m := range s.mailed() {
		sent[m]++
	}
	want := map[string]int{
		"user7 ok": 2, "user7 throttled": 3, "user6 throttled": 5, "user5 throttled": 5, "user4 ok": 2, "user4 throttled": 3,
		"user3 ok": 2, "user3 throttled": 3, "user2 ok": 2, "user2 throttled": 3, "user1 ok": 2, "user1 throttled": 3,
	}
	if d := cmp.Diff(want, sent); d != "" {
		t.Errorf("keys (-want +got):\n%s", d)
	}
}

// TestSpellingsOfOneMailbox holds that the limits are those of the mailbox that mails to an address reach, and that no
// spelling of it but the plain one has a first.
func TestSpellingsOfOneMailbox(t *testing.T) {
	s := newLimitedMails(t, core.LoginLimits{MailsPerRecipient: core.Limit{Burst: 5, Window: time.Hour}})
	for i := range 6 {
		u := s.add(t, fmt.Sprint("user", i), fmt.Sprintf("ann+%d@example.org", i))
		s.notices(t, u, 1)
	}
	s.notices(t, s.add(t, "plain", "ann@example.org"), 6)
	want := []string{
		"user0 ok", "user1 ok", "user2 ok", "user3 ok", "user4 throttled", "user5 throttled",
		"plain ok", "plain ok", "plain ok", "plain ok", "plain ok", "plain ok",
	}
	if d := cmp.Diff(want, s.mailed()); d != "" {
		t.Errorf("mails (-want +got):\n%s", d)
	}
}
