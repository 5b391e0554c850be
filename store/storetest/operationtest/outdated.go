package operationtest

import (
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
	enqueue(t, a, core.MailPasswordReset, ann.ID, 0)
	claimed := claim(t, b, 0)
	change("anna", "ANN@example.org")
	if err := b.UpdateMail(t.Context(), claimed); err != nil {
		t.Errorf("a claimed mail of who has another name: %v", err)
	}
	enqueue(t, a, core.MailUsernameReset, ann.ID, time.Second)
	enqueue(t, a, core.MailPasswordReset, bob.ID, 2*time.Second)
	change("anna", "new@example.org")
	suite.WantError(t, "a claimed mail to the former address", b.UpdateMail(t.Context(), claimed), core.ErrNotFound)
	enqueue(t, a, core.MailPasswordReset, ann.ID, 3*time.Second)
	for _, want := range []bool{true, false, false} { // that which nobody has claimed, bob's, and that to the new address
		outdated(claim(t, b, time.Minute-time.Microsecond), want)
	}
	outdated(claim(t, b, time.Minute), true) // that which was claimed
	wantMails(t, b, 4)
}
