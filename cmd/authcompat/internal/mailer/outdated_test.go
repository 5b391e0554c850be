package mailer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// TestAddressChangesWhileMailWaits holds that what was asked for at one address is not sent to another that the user
// has by then, where nobody has counted it: not if the server did not take it at once, nor if it is being sent.
func TestAddressChangesWhileMailWaits(t *testing.T) {
	var o *office
	var ann core.User
	move := func(email string) {
		to := ann
		to.Email = email
		kept, err := o.store.UpdateUser(t.Context(), core.UserChange{Was: ann, To: to, At: o.now}, nil)
		if err != nil {
			t.Error(err)
		}
		ann = kept
	}
	answer := ""
	sending := func() {}
	o = newOffice(t, func(s *smtpServer) {
		s.answer = func(command string) string {
			if !strings.HasPrefix(command, "RCPT") {
				return ""
			}
			sending()
			return answer
		}
	}, nil)
	account, err := o.store.Account(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	ann = account.User

	answer = "450 4.2.0 later"
	o.enqueue(t, core.MailPasswordReset, ann.ID)
	o.step(t)
	move("victim@example.org")
	answer = ""
	o.later(time.Hour)
	o.step(t)
	if got := strings.Join(o.outcomes, " "); got != Postponed+" "+Obsolete || o.waiting(t) != 0 {
		t.Errorf("a mail that waited: %s, %d wait", got, o.waiting(t))
	}

	o.outcomes = nil
	o.later(time.Hour)
	o.enqueue(t, core.MailPasswordReset, ann.ID)
	sending = func() { move("another@example.org") }
	if errs := o.step(t); len(errs) > 0 { // after which those of others would wait
		t.Errorf("a mail that was being sent: %v", errs)
	}
	sending = func() {}
	o.later(time.Hour)
	o.step(t)
	if got := o.outcomes; len(got) == 0 || got[len(got)-1] != Obsolete || o.waiting(t) != 0 {
		t.Errorf("a mail that was being sent: %s, %d wait", got, o.waiting(t))
	}
	if got := o.server.mails(); len(got) != 0 {
		t.Errorf("mails were sent: %v", got)
	}

	o.enqueue(t, core.MailPasswordReset, ann.ID)
	o.step(t)
	if got := o.server.mails(); len(got) != 1 || !strings.Contains(fmt.Sprint(got[0]), "another@example.org") {
		t.Errorf("what is asked for afterwards: %v", got)
	}
}
