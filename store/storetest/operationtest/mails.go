package operationtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func mails() []testCase {
	return []testCase{
		{"none", mailsNone},
		{"the first that is due is claimed, once", mailsClaims},
		{"a claim ends", mailsLease},
		{"a clock that was ahead", mailsAhead},
		{"only the last claim counts", mailsLost},
		{"mails of nobody", mailsOfNobody},
		{"an entry of the audit record in the same step", mailsAudited},
		{"concurrent claims", mailsRaces},
		{"accounts by ID, and their last logins", mailsAccounts},
		{"concurrent logins of one user", mailsLogins},
		{"one activation", mailsActivation},
		{"links that are used", mailsLinks},
		{"who has another address gets no mail that was asked for before", mailsOutdated},
		{"who changes the address while a mail is asked for", mailsOutdatedAtOnce},
	}
}

// mailStores returns the mail stores of both handles.
func mailStores(p operables) (a, b core.MailStore) {
	of := func(s any) core.MailStore { return s.(interface{ Backend() core.Backend }).Backend().Mail }
	return of(p.a), of(p.b)
}

// enqueue adds a mail that is due so long after noon.
func enqueue(t *testing.T, s core.MailStore, kind core.MailKind, userID int64, after time.Duration) {
	t.Helper()
	if err := s.EnqueueMail(t.Context(), core.Mail{Kind: kind, Profile: suite.Issuer, UserID: userID, CreatedAt: suite.Noon().Add(after)}, nil); err != nil {
		t.Fatalf("enqueue mail: %v", err)
	}
}

// enqueueTo is enqueue of a mail to the address that a user has.
func enqueueTo(t *testing.T, s core.MailStore, kind core.MailKind, u core.User, after time.Duration) {
	t.Helper()
	m := core.Mail{Kind: kind, Profile: suite.Issuer, UserID: u.ID, Email: u.Email, CreatedAt: suite.Noon().Add(after)}
	if err := s.EnqueueMail(t.Context(), m, nil); err != nil {
		t.Fatalf("enqueue mail: %v", err)
	}
}

// claim claims a mail so long after noon, for a minute.
func claim(t *testing.T, s core.MailStore, after time.Duration) core.Mail {
	t.Helper()
	now := suite.Noon().Add(after)
	m, err := s.ClaimMail(t.Context(), now, now.Add(time.Minute))
	if err != nil {
		t.Fatalf("claim mail: %v", err)
	}
	return m
}

// wantNoMail checks that none is due so long after noon.
func wantNoMail(t *testing.T, s core.MailStore, after time.Duration) {
	t.Helper()
	now := suite.Noon().Add(after)
	m, err := s.ClaimMail(t.Context(), now, now.Add(time.Minute))
	if !errors.Is(err, core.ErrNotFound) {
		t.Errorf("claimed %+v, %v", m, err)
	}
}

// wantMails checks how many wait.
func wantMails(t *testing.T, s core.MailStore, want int64) {
	t.Helper()
	if n, err := s.CountMails(t.Context()); n != want || err != nil {
		t.Errorf("%d mails wait, %v, want %d", n, err, want)
	}
}

func mailsNone(t *testing.T, p operables) {
	a, b := mailStores(p)
	wantNoMail(t, a, 0)
	wantMails(t, b, 0)
	gone := core.Mail{ID: "none", Attempts: 1, DueAt: suite.Noon()}
	suite.WantError(t, "update", a.UpdateMail(t.Context(), gone), core.ErrNotFound)
	suite.WantError(t, "remove", b.RemoveMail(t.Context(), gone, nil), core.ErrNotFound)
}

func mailsClaims(t *testing.T, p operables) {
	a, b := mailStores(p)
	ann := p.Add(t, suite.NewUser("ann"))
	enqueueTo(t, a, core.MailPasswordReset, ann, time.Second)
	enqueueTo(t, b, core.MailActivation, ann, 0)
	wantMails(t, b, 2)
	wantNoMail(t, b, -time.Microsecond)
	first := claim(t, b, time.Second)
	if first.ID == "" {
		t.Error("no ID")
	}
	want := core.Mail{ID: first.ID, Kind: core.MailActivation, Profile: suite.Issuer, UserID: ann.ID, CreatedAt: suite.Noon(), DueAt: suite.Noon().Add(61 * time.Second), Attempts: 1}
	suite.WantSame(t, "the first", want, first)
	second := claim(t, a, time.Second)
	suite.WantSame(t, "the second", []string{string(core.MailPasswordReset)}, []string{string(second.Kind)})
	wantNoMail(t, a, time.Second)
	if err := a.RemoveMail(t.Context(), first, nil); err != nil {
		t.Error(err)
	}
	wantMails(t, b, 1)
	suite.WantError(t, "remove again", b.RemoveMail(t.Context(), first, nil), core.ErrNotFound)
	if err := b.RemoveMail(t.Context(), second, nil); err != nil {
		t.Error(err)
	}
	wantNoMail(t, a, time.Hour)
}

func mailsLease(t *testing.T, p operables) {
	a, b := mailStores(p)
	enqueue(t, a, core.MailActivation, 1, 0)
	m := claim(t, a, 0)
	wantNoMail(t, b, time.Minute-time.Microsecond)
	again := claim(t, b, time.Minute)
	m.DueAt, m.Attempts = suite.Noon().Add(2*time.Minute), 2
	suite.WantSame(t, "the next claim", m, again)
}

func mailsAhead(t *testing.T, p operables) {
	a, b := mailStores(p)
	ann := p.Add(t, suite.NewUser("ann"))
	enqueueTo(t, a, core.MailActivation, ann, core.MaxMailWait)
	wantNoMail(t, b, 0)
	enqueue(t, a, core.MailActivation, 0, core.MaxMailWait+time.Microsecond) // nobody's, which is removed
	enqueueTo(t, a, core.MailPasswordReset, ann, core.MaxMailWait+time.Microsecond)
	if got := claim(t, b, 0); got.Kind != core.MailPasswordReset || !got.DueAt.Equal(suite.Noon().Add(time.Minute)) {
		t.Errorf("claimed %+v", got)
	}
	wantNoMail(t, a, time.Minute-time.Microsecond)
	if got := claim(t, a, time.Minute); got.Kind != core.MailPasswordReset || got.Attempts != 2 {
		t.Errorf("claimed %+v", got)
	}
	wantMails(t, b, 2)
}

func mailsLost(t *testing.T, p operables) {
	a, b := mailStores(p)
	enqueue(t, a, core.MailActivation, 1, 0)
	lost := claim(t, a, 0)
	lost.Deliveries, lost.DueAt = 1, suite.Noon().Add(30*time.Second)
	if err := a.UpdateMail(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	wantNoMail(t, b, 30*time.Second-time.Microsecond)
	kept := claim(t, b, 30*time.Second)
	if kept.Deliveries != 1 || kept.Attempts != 2 {
		t.Errorf("claimed %+v", kept)
	}
	suite.WantError(t, "update by who has lost it", a.UpdateMail(t.Context(), lost), core.ErrNotFound)
	suite.WantError(t, "removal by who has lost it", a.RemoveMail(t.Context(), lost, nil), core.ErrNotFound)
	kept.Deliveries = 0
	if err := b.UpdateMail(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	if next := claim(t, a, time.Hour); next.Deliveries != 0 || next.Attempts != 3 {
		t.Errorf("claimed %+v", next)
	}
}

func mailsOfNobody(t *testing.T, p operables) {
	a, b := mailStores(p)
	for i := range 3 {
		enqueue(t, a, core.MailPasswordReset, 0, time.Duration(i)*time.Second)
	}
	wantMails(t, b, 0)
	wantNoMail(t, b, time.Second)
	enqueue(t, a, core.MailPasswordReset, 7, 2*time.Second)
	if m := claim(t, b, 2*time.Second); m.UserID != 7 {
		t.Errorf("claimed %+v", m)
	}
	wantMails(t, a, 1)
}

func mailsAudited(t *testing.T, p operables) {
	a, b := mailStores(p)
	entry := func(act core.Action) *core.AuditEntry {
		return &core.AuditEntry{At: suite.Noon(), Action: act, Outcome: core.OK, UserID: 3, Profile: suite.Issuer}
	}
	if err := a.EnqueueMail(t.Context(), core.Mail{Kind: core.MailActivation, Profile: suite.Issuer, UserID: 3, CreatedAt: suite.Noon()}, entry(core.ActionAskMail)); err != nil {
		t.Fatal(err)
	}
	m := claim(t, b, 0)
	if err := b.RemoveMail(t.Context(), m, entry(core.ActionSendMail)); err != nil {
		t.Fatal(err)
	}
	suite.WantError(t, "remove again", b.RemoveMail(t.Context(), m, entry(core.ActionSendMail)), core.ErrNotFound)
	entries, err := p.b.AuditEntries(t.Context(), core.AuditFilter{}, 9)
	if err != nil {
		t.Fatal(err)
	}
	var acts []core.Action
	for _, e := range entries {
		acts = append(acts, e.Action)
	}
	suite.WantSame(t, "actions", []core.Action{core.ActionSendMail, core.ActionAskMail}, acts)
}

// mailsRaces lets claims and removals of both handles run together: each mail is claimed once.
func mailsRaces(t *testing.T, p operables) {
	a, b := mailStores(p)
	const count, workers = 24, 6
	for i := range count {
		enqueue(t, a, core.MailActivation, int64(i+1), 0)
	}
	var mutex sync.Mutex
	claimed := make(map[int64]int)
	suite.Together(workers, func(i int) {
		s := []core.MailStore{a, b}[i%2]
		for misses := 0; misses < 3; {
			m, err := s.ClaimMail(t.Context(), suite.Noon(), suite.Noon().Add(time.Minute))
			if errors.Is(err, core.ErrNotFound) { // or others were faster with all that it saw
				misses++
				continue
			}
			if err != nil {
				t.Error(err)
				return
			}
			mutex.Lock()
			claimed[m.UserID]++
			mutex.Unlock()
			if err := s.RemoveMail(t.Context(), m, nil); err != nil {
				t.Errorf("remove: %v", err)
			}
		}
	})
	for id, n := range claimed {
		if n != 1 {
			t.Errorf("the mail of %d was claimed %d times", id, n)
		}
	}
	if len(claimed) != count {
		t.Errorf("%d mails were claimed, want %d", len(claimed), count)
	}
	wantMails(t, a, 0)
}

func mailsAccounts(t *testing.T, p operables) {
	a, b := p.a.(core.AccountStore), p.b.(core.AccountStore)
	ann := p.Add(t, suite.NewUser("ann"))
	_, err := a.AccountByID(t.Context(), ann.ID+1)
	suite.WantError(t, "nobody", err, core.ErrNotFound)
	check := func(what string, login time.Time) {
		t.Helper()
		account, err := b.AccountByID(t.Context(), ann.ID)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		suite.WantSame(t, what, core.Account{User: ann, PasswordHash: "hash of ann", LastLogin: login}, account)
		byName, err := p.a.Account(t.Context(), "ann")
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		suite.WantSame(t, what+", by name", account, byName)
	}
	check("before", time.Time{})
	p.Issue(t, suite.TokenOf(ann, "of a stack that keeps no logins"))
	check("after a login that is not kept", time.Time{})
	login := suite.TokenOf(ann, "key")
	login.Login, login.CreatedAt = true, suite.Noon().Add(time.Hour)
	suite.WantError(t, "a login with a password that was changed", p.a.IssueToken(t.Context(), login, "another", 0, nil), core.ErrPasswordChanged)
	check("after a login that failed", time.Time{})
	if _, err := p.a.ReuseToken(t.Context(), login, "hash of ann", suite.Noon(), nil); err != nil {
		t.Fatal(err)
	}
	check("after a login", suite.Noon().Add(time.Hour))
	login.CreatedAt = suite.Noon().Add(2 * time.Hour)
	login.Digest, login.Plaintext = core.Presented("key-2").SHA256(), "key-2"
	login.Reusable = true
	for hour := range 2 { // the second is shown the token of the first
		login.CreatedAt = suite.Noon().Add(time.Duration(3+hour) * time.Hour)
		if _, err := p.b.ReuseToken(t.Context(), login, "hash of ann", suite.Noon(), nil); err != nil {
			t.Fatal(err)
		}
		check("after a login that reuses a token", login.CreatedAt)
	}
}

func mailsLogins(t *testing.T, p operables) {
	a, _ := p.a.(core.AccountStore), p.b.(core.AccountStore)
	ann := p.Add(t, suite.NewUser("ann"))
	const logins = 8
	errs := make([]error, logins)
	suite.Together(logins, func(i int) {
		login := suite.ReusableOf(ann, fmt.Sprint("key", i), time.Hour)
		login.Login = true
		_, errs[i] = p.Of(i).ReuseToken(t.Context(), login, "hash of ann", suite.Noon(), nil)
	})
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	account, err := a.AccountByID(t.Context(), ann.ID)
	if err != nil || !account.LastLogin.Equal(suite.Noon()) {
		t.Errorf("last login %v, %v", account.LastLogin, err)
	}
}

func mailsActivation(t *testing.T, p operables) {
	a, b := p.a.(core.AccountStore), p.b.(core.AccountStore)
	u := suite.NewUser("ann")
	u.Inactive = true
	ann, bob := p.Add(t, u), p.Add(t, suite.NewUser("bob"))
	entry := func() *core.AuditEntry {
		return &core.AuditEntry{At: suite.Noon(), Action: core.ActionEnableUser, Outcome: core.OK, UserID: ann.ID, Username: "ann"}
	}
	good := core.LinkUse{PasswordHash: "hash of ann", Email: ann.Email, At: suite.Noon()}
	another, later, moved := core.LinkUse{PasswordHash: "hash of bob", Email: bob.Email, At: suite.Noon()}, good, good
	later.LastLogin, moved.Email = suite.Noon(), "old@example.org"
	suite.WantError(t, "nobody", a.ActivateUser(t.Context(), bob.ID+1, good, entry()), core.ErrNotFound)
	suite.WantError(t, "who is active", a.ActivateUser(t.Context(), bob.ID, another, entry()), core.ErrNotFound)
	suite.WantError(t, "another password", a.ActivateUser(t.Context(), ann.ID, another, entry()), core.ErrNotFound)
	suite.WantError(t, "another login", a.ActivateUser(t.Context(), ann.ID, later, entry()), core.ErrNotFound)
	suite.WantError(t, "another address", a.ActivateUser(t.Context(), ann.ID, moved, entry()), core.ErrNotFound)
	errs := make([]error, 6)
	suite.Together(len(errs), func(i int) {
		errs[i] = []core.AccountStore{a, b}[i%2].ActivateUser(t.Context(), ann.ID, good, entry())
	})
	done := len(slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, core.ErrNotFound) }))
	if done != 1 {
		t.Errorf("%d activations: %v", done, errs)
	}
	account, err := b.AccountByID(t.Context(), ann.ID)
	if err != nil || !account.Active || !account.LastLogin.Equal(suite.Noon()) {
		t.Errorf("active: %t, last login %v, %v", account.Active, account.LastLogin, err)
	}
	entries, err := p.a.AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionEnableUser}, 9)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

// mailsLinks has links refused whose user has changed, and those that are used keep a last login.
func mailsLinks(t *testing.T, p operables) {
	a, b := p.a.(core.AccountStore), p.b.(core.AccountStore)
	ann := p.Add(t, suite.NewUser("ann"))
	anna := ann
	anna.Username = "anna"
	good := core.LinkUse{PasswordHash: "hash of ann", Email: ann.Email, At: suite.Noon()}
	for name, link := range map[string]core.LinkUse{
		"another password": {PasswordHash: "hash of bob", Email: ann.Email, At: suite.Noon()},
		"another address":  {PasswordHash: "hash of ann", Email: "old@example.org", At: suite.Noon()},
		"another login":    {PasswordHash: "hash of ann", Email: ann.Email, LastLogin: suite.Noon(), At: suite.Noon()},
	} {
		_, err := a.UpdateUser(t.Context(), core.UserChange{Was: ann, To: anna, Link: &link}, nil)
		suite.WantError(t, "name, "+name, err, core.ErrConflict)
		_, err = a.ChangePassword(t.Context(), core.PasswordChange{UserID: ann.ID, Old: "hash of ann", New: "new", Link: &link}, nil)
		suite.WantError(t, "password, "+name, err, core.ErrPasswordChanged)
	}
	check := func(what string, want core.Account) {
		t.Helper()
		account, err := b.AccountByID(t.Context(), ann.ID)
		if err != nil {
			t.Fatal(err)
		}
		suite.WantSame(t, what, want, account)
	}
	check("before", core.Account{User: ann, PasswordHash: "hash of ann"})
	if _, err := a.UpdateUser(t.Context(), core.UserChange{Was: ann, To: anna, Link: &good}, nil); err != nil {
		t.Fatal(err)
	}
	check("a name", core.Account{User: anna, PasswordHash: "hash of ann", LastLogin: suite.Noon()})
	for i, at := range []time.Time{suite.Noon().Add(time.Hour), {}} {
		old := []string{"hash of ann", "new 0"}[i]
		link := core.LinkUse{PasswordHash: old, Email: ann.Email, LastLogin: suite.Noon().Add(time.Duration(i) * time.Hour), At: at}
		if _, err := a.ChangePassword(t.Context(), core.PasswordChange{UserID: ann.ID, Old: old, New: fmt.Sprint("new ", i), Link: &link}, nil); err != nil {
			t.Fatal(err)
		}
		check("a password", core.Account{User: anna, PasswordHash: fmt.Sprint("new ", i), LastLogin: suite.Noon().Add(time.Hour)})
	}
	inactive := anna
	inactive.Active = false
	for _, to := range []core.User{inactive, anna} { // who is inactive stays so
		to.Email = fmt.Sprint(to.Active) + "@example.org"
		kept, err := a.UpdateUser(t.Context(), core.UserChange{Was: anna, To: to}, nil)
		if err != nil || kept.Active {
			t.Errorf("%+v, %v", kept, err)
		}
		anna.Email = to.Email
	}
}
