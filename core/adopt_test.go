package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// referee knows one password of each user.
type referee struct {
	mu    sync.Mutex
	knows map[string]string
	shows map[string]string // names that it shows of others
	fails error
	takes time.Duration
	asked []string
}

func (r *referee) Ask(_ context.Context, username, plain string) (core.Vouched, time.Duration, error) {
	v, err := r.ask(username, plain)
	return v, r.takes, err
}

func (r *referee) ask(username, plain string) (core.Vouched, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, username+" "+plain)
	time.Sleep(r.takes)
	if r.fails != nil {
		return core.Vouched{}, r.fails
	}
	if known, ok := r.knows[username]; !ok || known != plain {
		return core.Vouched{}, &core.Error{Kind: core.KindInvalidCredentials}
	}
	if shown := r.shows[username]; shown != "" {
		username = shown
	}
	return core.Vouched{Username: username, Email: "X@EXAMPLE.org", Attributes: map[string]string{"first_name": "Ann", "bad": "\x00", core.AdoptedFrom: "x"}}, nil
}

// audited is a world with an audit log and limits.
func audited(t *testing.T, o hashing.PoolOptions) (*core.Service, core.Auditor, core.Admin) {
	t.Helper()
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	store := sqlitetest.MustOpen(t)
	s := core.New(core.Config{Backend: core.Backend{Store: store, Auditor: store}, Hasher: hashing.NewPool(hasher, o), DatabaseKey: make([]byte, core.DatabaseKeySize)})
	s.SetLoginLimits(&core.LoginLimits{Limiter: store, PerUser: few, PerAddress: many})
	return s, store, store
}

// fromFixed are the attributes of a user who was adopted.
var fromFixed = map[string]string{core.AdoptedFrom: fixed.Issuer}

// outcomes returns the actions and outcomes of the audit log, the newest first.
func outcomes(t *testing.T, log core.Auditor) (all []string) {
	t.Helper()
	entries, err := log.AuditEntries(t.Context(), core.AuditFilter{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, fmt.Sprintf("%s %s %s", e.Action, e.Outcome, e.Username))
	}
	return all
}

// TestAdopt keeps the users and the passwords that a referee vouches for, and asks it no more
// than it must.
func TestAdopt(t *testing.T) {
	s, log, _ := audited(t, hashing.PoolOptions{})
	r := &referee{knows: map[string]string{"ann": "old"}}
	session, adopted, err := s.LoginOrAdopt(t.Context(), fixed, "ann", "old", r)
	if err != nil || !adopted || session.User.Username != "ann" || session.Key != "" {
		t.Fatalf("%+v, %t, %v", session, adopted, err)
	}
	user, err := s.User(t.Context(), "ann")
	if err != nil || user.Email != "X@EXAMPLE.org" || user.Attributes["first_name"] != "Ann" || user.Attributes[core.AdoptedFrom] != fixed.Issuer || len(user.Attributes) != 2 {
		t.Errorf("%+v, %v", user, err)
	}
	own, err := s.Login(t.Context(), fixed, "ann", "old")
	if err != nil {
		t.Fatalf("without the referee: %v", err)
	}
	if _, adopted, err := s.LoginOrAdopt(t.Context(), fixed, "ann", "old", r); err != nil || adopted || len(r.asked) != 1 {
		t.Errorf("a right password: %t, %v, asked %q", adopted, err, r.asked)
	}

	r.knows["ann"] = "new" // changed at the other server
	if _, adopted, err := s.LoginOrAdopt(t.Context(), fixed, "ann", "new", r); err != nil || !adopted {
		t.Errorf("another password: %t, %v", adopted, err)
	}
	_, err = s.Login(t.Context(), fixed, "ann", "old")
	wantKind(t, err, core.KindInvalidCredentials)
	if _, err := s.Authenticate(t.Context(), core.Policy{Realm: core.DefaultRealm}, core.Presented(own.Key)); err != nil {
		t.Errorf("a session ended: %v", err)
	}
	for _, test := range []struct{ name, password string }{{"ann", "wrong"}, {"bob", "wrong"}} {
		_, _, err := s.LoginOrAdopt(t.Context(), fixed, test.name, test.password, r)
		wantKind(t, err, core.KindInvalidCredentials)
	}
	if _, err := s.User(t.Context(), "bob"); core.KindOf(err) != core.KindUserUnknown {
		t.Errorf("a user whom nobody vouched for: %v", err)
	}
	want := []string{"login invalid_credentials ", "login invalid_credentials ann", "login invalid_credentials ann", "adopt ok ann", "login ok ann", "login ok ann", "adopt ok ann"}
	if got := outcomes(t, log); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("audit %q, want %q", got, want)
	}
}

// TestAdoptedAddressOfAnother keeps a user of another server who has the address of a user here without it, where an
// API has addresses distinct: the user here would log in by it no more.
func TestAdoptedAddressOfAnother(t *testing.T) {
	for _, unique := range []bool{true, false} {
		w := newWorld(t, true)
		emails := core.Policy{Issuer: "emails", Realm: core.DefaultRealm, TokenHex: 40, LoginBy: core.ByEmail, EmailCaseBlind: true, UniqueEmail: unique}
		for _, p := range []core.Policy{fixed, emails} {
			if err := w.AddPolicy(p); err != nil {
				t.Fatal(err)
			}
		}
		w.registered(t, fixed, core.Registration{Username: "bob", Email: "x@example.org"})
		r := &referee{knows: map[string]string{"ann": "old"}}
		if _, adopted, err := w.LoginOrAdopt(t.Context(), fixed, "ann", "old", r); err != nil || !adopted {
			t.Fatalf("%t, %v", adopted, err)
		}
		want := map[bool]string{false: "X@EXAMPLE.org"}[unique]
		if ann, err := w.User(t.Context(), "ann"); err != nil || ann.Email != want {
			t.Errorf("unique %t: %+v, %v", unique, ann, err)
		}
		if s, err := w.Login(t.Context(), emails, "x@example.org", "secret"); unique && (err != nil || s.User.Username != "bob") {
			t.Errorf("%+v, %v", s.User, err)
		}
	}
}

// TestAdoptIsLimited counts what a referee does not vouch for, whatever it says, and asks it
// nothing beyond the limits.
func TestAdoptIsLimited(t *testing.T) {
	for name, fails := range map[string]error{
		"no":          nil,
		"unavailable": &core.Error{Kind: core.KindUnavailable, Err: errors.New("away")},
		"canceled":    &core.Error{Kind: core.KindCanceled},
	} {
		s, log, _ := audited(t, hashing.PoolOptions{})
		if _, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "ann", Password: "secret", Attributes: fromFixed}); err != nil {
			t.Fatal(err)
		}
		r := &referee{fails: fails}
		want := core.KindInvalidCredentials
		if fails != nil {
			want = core.KindOf(fails)
		}
		for _, username := range []string{"ann", "nobody"} {
			r.asked = nil
			for i := range few.Burst + 3 {
				_, _, err := s.LoginOrAdopt(t.Context(), fixed, username, "wrong", r)
				if i >= few.Burst {
					want := core.KindInvalidCredentials // as hidden throttling has it
					wantKind(t, err, want)
				} else {
					wantKind(t, err, want)
				}
			}
			if len(r.asked) != few.Burst {
				t.Errorf("%s: %s: asked %d times, want %d", name, username, len(r.asked), few.Burst)
			}
		}
		if got := outcomes(t, log); len(got) != 2*few.Burst+1 || got[0] != fmt.Sprintf("login %s ", want) {
			t.Errorf("%s: audit %q", name, got)
		}
	}
}

// TestAdoptRefundsWhomItVouchesFor lets a user log in more often than one may guess.
func TestAdoptRefundsWhomItVouchesFor(t *testing.T) {
	s, _, _ := audited(t, hashing.PoolOptions{})
	r := &referee{knows: map[string]string{"ann": "0"}}
	for i := range 3 * few.Burst {
		r.knows["ann"] = fmt.Sprint(i)
		if _, adopted, err := s.LoginOrAdopt(t.Context(), fixed, "ann", fmt.Sprint(i), r); err != nil || !adopted {
			t.Fatalf("login %d: %t, %v", i, adopted, err)
		}
	}
}

// TestAdoptObeysTheOperator asks nothing about users who are disabled, have no password, or were
// not adopted through the same profile: somebody else could take their names at the other
// server. It lets nobody in whom a referee takes for one of them.
func TestAdoptObeysTheOperator(t *testing.T) {
	s, _, _ := audited(t, hashing.PoolOptions{})
	for _, u := range []core.Registration{
		{Username: "off", Password: "secret", Inactive: true, Attributes: fromFixed}, {Username: "locked", NoPassword: true, Attributes: fromFixed},
		{Username: "own", Password: "secret"}, {Username: "others", Password: "secret", Attributes: map[string]string{core.AdoptedFrom: "other"}},
	} {
		if _, err := s.CreateUser(t.Context(), core.Policy{}, u); err != nil {
			t.Fatal(err)
		}
	}
	r := &referee{knows: map[string]string{"off": "old", "locked": "old", "own": "old", "others": "old", "x": "old", "y": "old"}, shows: map[string]string{"x": "off", "y": "own"}}
	for _, name := range []string{"off", "locked", "own", "others"} {
		_, _, err := s.LoginOrAdopt(t.Context(), fixed, name, "old", r)
		wantKind(t, err, core.KindInvalidCredentials)
	}
	if len(r.asked) > 0 {
		t.Errorf("asked %q", r.asked)
	}
	for _, name := range []string{"x", "y"} {
		_, adopted, err := s.LoginOrAdopt(t.Context(), fixed, name, "old", r)
		wantKind(t, err, core.KindInvalidCredentials)
		if adopted {
			t.Errorf("%s: adopted", name)
		}
	}
	_, _, err := s.LoginOrAdopt(t.Context(), fixed, "off", "secret", r)
	wantKind(t, err, core.KindUserInactive)
}

// TestAdoptKeepsOneName keeps the name that was asked, or the one that is shown, and none that
// can't be kept.
func TestAdoptKeepsOneName(t *testing.T) {
	s, _, _ := audited(t, hashing.PoolOptions{})
	nfkc := fixed
	nfkc.NormalizeUsername = true
	r := &referee{knows: map[string]string{"ﬁsh": "a", "ann@example.org": "b", "bad": "c"}, shows: map[string]string{"ann@example.org": "ann", "bad": "b\x00"}}
	for name, kept := range map[string]string{"ﬁsh": "ﬁsh", "ann@example.org": "ann"} {
		session, adopted, err := s.LoginOrAdopt(t.Context(), nfkc, name, r.knows[name], r)
		if err != nil || !adopted || session.User.Username != kept {
			t.Errorf("%s: %+v, %t, %v", name, session.User, adopted, err)
		}
	}
	for _, name := range []string{"fish", "ann@example.org"} {
		if _, err := s.User(t.Context(), name); core.KindOf(err) != core.KindUserUnknown {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err := s.LoginOrAdopt(t.Context(), nfkc, "bad", "c", r)
	wantKind(t, err, core.KindUnavailable)
	before := len(r.asked)
	for _, name := range []string{"a\x00", "\xff", ""} {
		_, _, err := s.LoginOrAdopt(t.Context(), nfkc, name, "x", r)
		wantKind(t, err, core.KindInvalidCredentials)
	}
	_, _, err = s.LoginOrAdopt(t.Context(), nfkc, "ann", "\xed\xa0\x80", r)
	wantKind(t, err, core.KindInvalidCredentials)
	if len(r.asked) != before {
		t.Errorf("asked %q", r.asked[before:])
	}
}

// TestAdoptAtOnce has one user log in many times at once: there is one account.
func TestAdoptAtOnce(t *testing.T) {
	s, log, admin := audited(t, hashing.PoolOptions{Threads: 4})
	s.SetLoginLimits(nil)
	for _, password := range []string{"old", "new"} {
		r := &referee{knows: map[string]string{"ann": password}}
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				if _, _, err := s.LoginOrAdopt(t.Context(), fixed, "ann", password, r); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		users, err := admin.Users(t.Context(), core.UserFilter{}, 10)
		if err != nil || len(users) != 1 {
			t.Errorf("%d users, %v", len(users), err)
		}
		if _, err := s.Login(t.Context(), fixed, "ann", password); err != nil {
			t.Error(err)
		}
	}
	if got := outcomes(t, log); len(got) != 2*16+2 {
		t.Errorf("audit %q", got)
	}
}

// TestAdoptLeavesRoomForOthers hashes other passwords while the referee thinks, although
// there is room for one.
func TestAdoptLeavesRoomForOthers(t *testing.T) {
	s, _, _ := audited(t, hashing.PoolOptions{Threads: 1, Queue: 1})
	if _, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "here", Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	asked, answer := make(chan struct{}, 3), make(chan struct{})
	r := slowReferee{asked, answer}
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		all.Go(func() { _, _, _ = s.LoginOrAdopt(t.Context(), fixed, name, "x", r) })
		<-asked
	}
	if _, err := s.Login(t.Context(), fixed, "here", "secret"); err != nil {
		t.Errorf("while three are asked about: %v", err)
	}
	close(answer)
	all.Wait()
}

type slowReferee struct {
	asked  chan<- struct{}
	answer <-chan struct{}
}

func (r slowReferee) Ask(context.Context, string, string) (core.Vouched, time.Duration, error) {
	r.asked <- struct{}{}
	<-r.answer
	return core.Vouched{}, 0, &core.Error{Kind: core.KindInvalidCredentials}
}

// TestAdoptTellsNothingByItsTime takes as long for users who are not asked about, and for
// logins beyond the limits, as for a referee that says no. In the bubble, what is computed
// takes no time.
func TestAdoptTellsNothingByItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := audited(t, hashing.PoolOptions{Threads: 1, Queue: 10})
		for _, u := range []core.Registration{{Username: "adopted", Attributes: fromFixed}, {Username: "off", Inactive: true}, {Username: "own"}} {
			u.Password = "secret"
			if _, err := s.CreateUser(t.Context(), core.Policy{}, u); err != nil {
				t.Fatal(err)
			}
		}
		r := &referee{takes: time.Second}
		for _, name := range []string{"nobody", "adopted", "off", "own"} {
			for i := range few.Burst + 2 {
				began := time.Now()
				_, _, err := s.LoginOrAdopt(t.Context(), fixed, name, "wrong", r)
				if took := time.Since(began).Truncate(core.MaxBlur); core.KindOf(err) != core.KindInvalidCredentials || took != r.takes {
					t.Errorf("%s, login %d of %d that are counted: %v after %v, want %v", name, i+1, few.Burst, err, took, r.takes)
				}
			}
		}
	})
}

// TestAdoptAddressed keeps the name of a user as the address where users have no other name.
func TestAdoptAddressed(t *testing.T) {
	s, _, _ := audited(t, hashing.PoolOptions{})
	p := fixed
	p.EmailIsUsername, p.NormalizeEmail = true, true
	r := &referee{knows: map[string]string{"ann@Example.org": "old"}}
	if _, adopted, err := s.LoginOrAdopt(t.Context(), p, "ann@Example.org", "old", r); err != nil || !adopted {
		t.Fatalf("%t, %v", adopted, err)
	}
	user, err := s.User(t.Context(), "ann@Example.org")
	if err != nil || user.Email != "ann@Example.org" {
		t.Errorf("%+v, %v", user, err)
	}
}
