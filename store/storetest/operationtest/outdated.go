package operationtest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func mailsOutdated(t *testing.T, p operables) {
	a, b := mailStores(p)
	accounts := p.a.(core.AccountStore)
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	change := func(username, email string) {
		t.Helper()
		to := ann
		to.Username, to.Email = username, email
		kept, err := accounts.UpdateUser(t.Context(), core.UserChange{Was: ann, To: to, At: suite.Noon()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ann = kept
	}
	outdated := func(m core.Mail, want bool) {
		t.Helper()
		if m.Outdated() != want {
			t.Errorf("mail of user %d is outdated: %t", m.UserID, m.Outdated())
		}
	}
	enqueueTo(t, a, core.MailPasswordReset, ann, 0)
	claimed := claim(t, b, 0)
	change("anna", "ANN@example.org")
	if err := b.UpdateMail(t.Context(), claimed); err != nil {
		t.Errorf("a claimed mail of who has another name: %v", err)
	}
	enqueueTo(t, a, core.MailUsernameReset, ann, time.Second)
	enqueueTo(t, a, core.MailPasswordReset, bob, 2*time.Second)
	was := ann
	change("anna", "new@example.org")
	suite.WantError(t, "a claimed mail to the former address", b.UpdateMail(t.Context(), claimed), core.ErrNotFound)
	enqueueTo(t, a, core.MailPasswordReset, ann, 3*time.Second)
	enqueueTo(t, b, core.MailPasswordReset, was, 4*time.Second)
	for _, want := range []bool{true, false, false, true} { // that which nobody has claimed, bob's, that to the new address, and one that was counted before
		outdated(claim(t, b, time.Minute-time.Microsecond), want)
	}
	outdated(claim(t, b, time.Minute), true) // that which was claimed
	wantMails(t, b, 5)
}

// mailsOutdatedAtOnce has a mail be asked for while the address changes: it is outdated, whichever comes first.
func mailsOutdatedAtOnce(t *testing.T, p operables) {
	a, b := mailStores(p)
	ann := p.Add(t, suite.NewUser("ann"))
	for i := range 20 {
		to := ann
		to.Email = fmt.Sprintf("ann%d@example.org", i)
		var both sync.WaitGroup
		both.Go(func() {
			m := core.Mail{Kind: core.MailPasswordReset, Profile: suite.Issuer, UserID: ann.ID, Email: ann.Email, CreatedAt: suite.Noon()}
			if err := a.EnqueueMail(t.Context(), m, nil); err != nil {
				t.Error(err)
			}
		})
		both.Go(func() {
			if _, err := p.b.(core.AccountStore).UpdateUser(t.Context(), core.UserChange{Was: ann, To: to, At: suite.Noon()}, nil); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		m := claim(t, b, 0)
		if !m.Outdated() {
			t.Errorf("%d: the mail that was counted for %s goes to %s", i, ann.Email, to.Email)
		}
		if err := b.RemoveMail(t.Context(), m, nil); err != nil {
			t.Error(err)
		}
		ann = to
	}
}
