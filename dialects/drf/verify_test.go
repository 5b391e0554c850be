package drf_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// verifying is what dj-rest-auth does about addresses.
const verifying = `
name: verifying
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
emails: {case: insensitive, verification: VERIFICATION}
mails: {email_confirm_url: '/confirm/{key}/', links: allauth, password_reset_confirm_url: '/reset/{uid}/{token}/'}
endpoints:
  register:
    path: /registration/
    renderers: [json]
    fields: {username: {}, email: {}, password1: {role: password}}
    reply: {status: 201, body: REPLY}
  verify_email: {path: /verify-email/, renderers: [json], fields: {key: {role: token}}, reply: {status: 200, body: {detail: ok}}}
  resend_verification: {path: /resend-email/, renderers: [json], fields: {email: {}}, reply: {status: 200, body: {detail: ok}}}
  login: {path: /login/, renderers: [json], fields: {username: {}, password: {}}, reply: {status: 200, body: {key: $token.key}}}
  reset_password_confirm:
    path: /reset/
    renderers: [json]
    fields: {uid: {}, token: {}, password: {}}
    reply: {status: 200}
messages: {email_taken: A user is already registered with this e-mail address.}
`

const (
	mandatory = "mandatory"
	sentReply = "{detail: Verification e-mail sent.}"
)

// newVerifying makes an API whose users verify their addresses, or may.
func newVerifying(t *testing.T, store *sqlite.Store, verification, reply string) *office {
	t.Helper()
	o := &office{store: store, links: &maillink.Generator{Secrets: []string{"_"}, AllEmails: true}}
	o.API = apitest.MustNew(t, apitest.MustParse(t, verifying, "VERIFICATION", verification, "REPLY", reply), store, dialects.WithLinks(o.links))
	o.Engine.OnMail(func() {})
	return o
}

// key makes the key of a user's address.
func (o *office) key(t *testing.T, userID int64, at time.Time) string {
	t.Helper()
	found, err := o.store.Backend().Addresses.Addresses(t.Context(), core.AddressFilter{UserID: userID}, 2)
	if err != nil || len(found) != 1 {
		t.Fatalf("user %d has the addresses %+v, %v", userID, found, err)
	}
	return o.links.MakeEmailKey(found[0].ID, at)
}

// verify runs steps; KEY1 stands for a key of user 1, and LATE1 for one of long ago.
func (o *office) verify(t *testing.T, steps []step) {
	t.Helper()
	placeholder := regexp.MustCompile(`(KEY|LATE)(\d)`)
	keyed := regexp.MustCompile(`[0-9a-f]{40}`)
	for i, s := range steps {
		body := placeholder.ReplaceAllStringFunc(s.body, func(found string) string {
			at := time.Now()
			if strings.HasPrefix(found, "LATE") {
				at = at.Add(-73 * time.Hour)
			}
			return o.key(t, int64(found[len(found)-1]-'0'), at)
		})
		w := o.Ask(t, "POST", s.path, body, "Content-Type", json)
		if got := keyed.ReplaceAllString(strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Body)), "TOKEN"); got != s.want {
			t.Errorf("%d: %s %s\n got %s\nwant %s", i, s.path, s.body, got, s.want)
		}
		if got := o.mails(t); got != s.mails {
			t.Errorf("%d: %s %s sends %q, want %q", i, s.path, s.body, got, s.mails)
		}
	}
}

// TestMandatoryVerification holds what dj-rest-auth 5.0.2 answers with ACCOUNT_EMAIL_VERIFICATION = 'mandatory'.
func TestMandatoryVerification(t *testing.T) {
	const (
		ann        = `{"username":"ann","email":"ann@example.org","password1":"a good one"}`
		login      = `{"username":"ann","password":"a good one"}`
		unverified = `400 {"non_field_errors":["E-mail is not verified."]}`
		notFound   = `404 {"detail":"Not found."}`
		ok         = `200 {"detail":"ok"}`
		taken      = `400 {"email":["A user is already registered with this e-mail address."]}`
	)
	newVerifying(t, sqlitetest.MustOpen(t), mandatory, sentReply).verify(t, []step{
		{"/registration/", ann, `201 {"detail":"Verification e-mail sent."}`, "email_verification of 1"},
		{"/login/", login, unverified, ""},
		{"/login/", `{"username":"ann","password":"a bad one"}`, `400 {"non_field_errors":["Unable to log in with provided credentials."]}`, ""},
		{"/resend-email/", `{"email":"ann@example.org"}`, ok, "email_verification of 1"},
		{"/resend-email/", `{"email":"Ann@example.org"}`, ok, ""}, // as there
		{"/resend-email/", `{"email":"bob@example.org"}`, ok, ""},
		{"/resend-email/", `{"email":"ann"}`, `400 {"email":["Enter a valid email address."]}`, ""},
		{"/verify-email/", `{}`, `400 {"key":["This field is required."]}`, ""},
		{"/verify-email/", `{"key":"x"}`, notFound, ""},
		{"/verify-email/", `{"key":"LATE1"}`, notFound, ""},
		{"/verify-email/", `{"key":"KEY1x"}`, notFound, ""},
		{"/login/", login, unverified, ""},
		{"/verify-email/", `{"key":"KEY1"}`, ok, ""},
		{"/verify-email/", `{"key":"KEY1"}`, notFound, ""},
		{"/resend-email/", `{"email":"ann@example.org"}`, ok, ""},
		{"/login/", login, `200 {"key":"TOKEN"}`, ""},
		{"/registration/", `{"username":"eve","email":"ANN@example.org","password1":"a good one"}`, taken, ""},
	})
}

// TestOptionalVerification holds what it answers with allauth's default: a registration gives a token, and sends a key.
func TestOptionalVerification(t *testing.T) {
	newVerifying(t, sqlitetest.MustOpen(t), "optional", "{key: $token.key}").verify(t, []step{
		{"/registration/", `{"username":"ann","email":"ann@example.org","password1":"a good one"}`, `201 {"key":"TOKEN"}`, "email_verification of 1"},
		{"/registration/", `{"username":"bob","email":"ann@example.org","password1":"a good one"}`, `201 {"key":"TOKEN"}`, "email_verification of 2"},
		{"/login/", `{"username":"ann","password":"a good one"}`, `200 {"key":"TOKEN"}`, ""},
		{"/verify-email/", `{"key":"KEY2"}`, `200 {"detail":"ok"}`, ""},
		{"/verify-email/", `{"key":"KEY1"}`, `200 {"detail":"ok"}`, ""}, // it is bob's by now, and nothing tells
		{"/verify-email/", `{"key":"KEY1"}`, `200 {"detail":"ok"}`, ""},
		{"/verify-email/", `{"key":"KEY2"}`, `404 {"detail":"Not found."}`, ""},
	})
}

// TestVerificationOfAnotherAddress holds that the address is verified that a user has, and no other.
func TestVerificationOfAnotherAddress(t *testing.T) {
	o := newVerifying(t, sqlitetest.MustOpen(t), mandatory, sentReply)
	o.verify(t, []step{
		{"/registration/", `{"username":"ann","email":"ann@example.org","password1":"a good one"}`, `201 {"detail":"Verification e-mail sent."}`, "email_verification of 1"},
		{"/verify-email/", `{"key":"KEY1"}`, `200 {"detail":"ok"}`, ""},
	})
	moved := "new@example.org"
	if _, err := o.Engine.UpdateUser(t.Context(), core.Policy{}, 1, core.UserUpdate{Email: &moved}); err != nil {
		t.Fatal(err)
	}
	o.verify(t, []step{
		{"/login/", `{"username":"ann","password":"a good one"}`, `400 {"non_field_errors":["E-mail is not verified."]}`, ""},
		{"/resend-email/", `{"email":"ann@example.org"}`, `200 {"detail":"ok"}`, ""},                        // an address that the user had
		{"/resend-email/", `{"email":"new@example.org"}`, `200 {"detail":"ok"}`, "email_verification of 1"}, // one that the user has to verify to log in again
	})
}

// TestVerificationWithoutMails holds that nobody registers who could not verify the address, and that others do.
func TestVerificationWithoutMails(t *testing.T) {
	const unavailable = `503 {"detail":"Service temporarily unavailable, try again later."}`
	for verification, want := range map[string]string{mandatory: unavailable, "optional": `201 {"detail":"Verification e-mail sent."}`} {
		store := sqlitetest.MustOpen(t)
		a := apitest.MustNew(t, apitest.MustParse(t, verifying, "VERIFICATION", verification, "REPLY", sentReply), store)
		for path, want := range map[string]string{"/registration/": want, "/resend-email/": unavailable, "/verify-email/": unavailable} {
			w := a.Ask(t, "POST", path, `{"username":"ann","email":"ann@example.org","password1":"a good one","key":"x"}`, "Content-Type", json)
			if got := strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Body)); got != want {
				t.Errorf("%s, %s: %s, want %s", verification, path, got, want)
			}
		}
	}
}

// TestAllauthsLinksKnowAllAddresses holds that the token of allauth's link depends on each address that the store
// keeps of the user, as there.
func TestAllauthsLinksKnowAllAddresses(t *testing.T) {
	o := newVerifying(t, sqlitetest.MustOpen(t), "optional", "{key: $token.key}")
	o.verify(t, []step{{"/registration/", `{"username":"ann","email":"ann@example.org","password1":"a good one"}`, `201 {"key":"TOKEN"}`, "email_verification of 1"}})
	if _, err := o.store.Backend().Addresses.AddAddress(t.Context(), 1, "second@example.org"); err != nil {
		t.Fatal(err)
	}
	account, err := o.store.AccountByID(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	user := account.LinkUser()
	body := func() string {
		return `{"uid":"1","token":"` + o.links.Make(user, time.Now()) + `","password":"another good one"}`
	}
	w := o.Ask(t, "POST", "/reset/", body(), "Content-Type", json)
	if w.Code != 400 {
		t.Errorf("without the second address: %d", w.Code)
	}
	user.Emails = []string{"second@example.org"}
	if w = o.Ask(t, "POST", "/reset/", body(), "Content-Type", json); w.Code != 200 {
		t.Errorf("with both: %d %s", w.Code, w.Body)
	}
}

// TestResendToAll holds that whoever registers first with the address of another does not keep that user from getting a key.
func TestResendToAll(t *testing.T) {
	const sent = `201 {"detail":"Verification e-mail sent."}`
	newVerifying(t, sqlitetest.MustOpen(t), mandatory, sentReply).verify(t, []step{
		{"/registration/", `{"username":"eve","email":"ann@example.org","password1":"a good one"}`, sent, "email_verification of 1"},
		{"/registration/", `{"username":"ann","email":"ann@example.org","password1":"a good one"}`, sent, "email_verification of 2"},
		{"/resend-email/", `{"email":"ann@example.org"}`, `200 {"detail":"ok"}`, "email_verification of 1, email_verification of 2"},
		{"/verify-email/", `{"key":"KEY2"}`, `200 {"detail":"ok"}`, ""},
		{"/resend-email/", `{"email":"ann@example.org"}`, `200 {"detail":"ok"}`, ""},
	})
}
