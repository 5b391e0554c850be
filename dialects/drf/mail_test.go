package drf_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/core/password/validation"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// byMail is djoser's API with everything that is done by mail.
const byMail = `
name: bymail
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
passwords: {validators: [common, similarity]}
mails:
  password_reset_confirm_url: '#/password/reset/confirm/{uid}/{token}'
  username_reset_confirm_url: '#/username/reset/confirm/{uid}/{token}'
  activation_url: '#/activate/{uid}/{token}'
  SETTINGS
endpoints:
  register:
    path: /users/
    renderers: [json]
    fields: {email: {required: false}, username: {characters: django}, password: {}}
    reply: {status: 201, body: {username: $user.username}}
  reset_password: {path: /reset_password/, renderers: [json], fields: {email: {}}, reply: {status: 204}}
  reset_password_confirm:
    path: /reset_password_confirm/
    renderers: [json]
    fields: {uid: {}, token: {}, new_password: {role: password}, re_new_password: {role: password_again}}
    reply: {status: 204}
  reset_username: {path: /reset_username/, renderers: [json], fields: {email: {}}, reply: {status: 204}}
  reset_username_confirm:
    path: /reset_username_confirm/
    renderers: [json]
    fields: {uid: {}, token: {}, new_username: {role: username, characters: django}, re_new_username: {role: username_again}}
    reply: {status: 204}
  activate: {path: /activation/, renderers: [json], fields: {uid: {}, token: {}}, reply: {status: 204}}
  resend_activation: {path: /resend_activation/, renderers: [json], fields: {email: {}}, reply: {status: 204}}
`

// post office is an API whose mails nobody takes.
type office struct {
	*apitest.API
	store *sqlite.Store
	links *maillink.Generator
}

// newOffice makes an API with settings of djoser, and users: john, ann who is inactive, and joe without a password.
func newOffice(t *testing.T, profile, settings string) *office {
	t.Helper()
	o := &office{store: sqlitetest.MustOpen(t), links: &maillink.Generator{Secrets: []string{"_"}}}
	o.API = apitest.MustNew(t, apitest.MustParse(t, profile, "SETTINGS", settings), o.store, dialects.WithLinks(o.links), dialects.WithCommonPasswords(validation.Common{"666": {}}))
	o.Engine.OnMail(func() {})
	for _, r := range []core.Registration{
		{Username: "john", Email: "john@beatles.com", Password: "secret"},
		{Username: "ann", Email: "ann@beatles.com", Password: "secret", Inactive: true},
		{Username: "joe", Email: "joe@beatles.com", NoPassword: true},
		{Username: "jim", Email: "jim@beatles.com", NoPassword: true, Inactive: true},
	} {
		if _, err := o.Engine.CreateUser(t.Context(), core.Policy{}, r); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// token makes the token of a user's link.
func (o *office) token(t *testing.T, id int64) string {
	t.Helper()
	a, err := o.store.AccountByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return o.links.Make(maillink.User{ID: a.ID, PasswordHash: a.PasswordHash, Email: a.Email, LastLogin: a.LastLogin}, time.Now())
}

// mails returns those that wait, as kind and user, and takes them away.
func (o *office) mails(t *testing.T) string {
	t.Helper()
	var all []string
	for {
		now := time.Now().Add(time.Hour)
		m, err := o.store.Backend().Mail.ClaimMail(t.Context(), now, now.Add(core.MaxMailWait))
		if errors.Is(err, core.ErrNotFound) {
			return strings.Join(all, ", ")
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(m.Kind, " of ", m.UserID))
	}
}

// step is a request with its answer; TOKEN stands for a good token of the user whose uid it has, and AGAIN for that of the
// step before.
type step struct{ path, body, want, mails string }

func (o *office) run(t *testing.T, steps []step) {
	t.Helper()
	last := ""
	for i, s := range steps {
		body := s.body
		for id, uid := range map[int64]string{1: "MQ", 2: "Mg", 3: "Mw"} {
			if strings.Contains(body, `"uid":"`+uid+`"`) && strings.Contains(body, "TOKEN") {
				last = o.token(t, id)
			}
		}
		body = strings.NewReplacer("TOKEN", last, "AGAIN", last).Replace(body)
		w := o.Ask(t, "POST", s.path, body, "Content-Type", json)
		if got := strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Body)); got != s.want {
			t.Errorf("%d: %s %s\n got %s\nwant %s", i, s.path, s.body, got, s.want)
		}
		if got := o.mails(t); got != s.mails {
			t.Errorf("%d: %s %s sends %q, want %q", i, s.path, s.body, got, s.mails)
		}
	}
}

// TestAskByMail asks for mails as djoser 2.1 and dj-rest-auth 5.0.2 answer: the same for those who exist and for others.
func TestAskByMail(t *testing.T) {
	const unknown = `400 ["User with given email does not exist."]`
	for settings, steps := range map[string][]step{
		"send: [activation]": {
			{"/reset_password/", `{"email":"john@beatles.com"}`, "204", "password_reset of 1"},
			{"/reset_password/", `{"email":"JOHN@beatles.com"}`, "204", ""},
			{"/reset_password/", `{"email":"paul@beatles.com"}`, "204", ""},
			{"/reset_password/", `{"email":"ann@beatles.com"}`, "204", ""}, // inactive
			{"/reset_password/", `{"email":"joe@beatles.com"}`, "204", ""}, // without a password
			{"/reset_password/", `{"email":"john"}`, `400 {"email":["Enter a valid email address."]}`, ""},
			{"/reset_password/", `{"email":""}`, `400 {"email":["This field may not be blank."]}`, ""},
			{"/reset_password/", `{}`, `400 {"email":["This field is required."]}`, ""},
			{"/reset_username/", `{"email":"john@beatles.com"}`, "204", "username_reset of 1"},
			{"/reset_username/", `{"email":"paul@beatles.com"}`, "204", ""},
			{"/resend_activation/", `{"email":"ann@beatles.com"}`, "204", "activation of 2"},
			{"/resend_activation/", `{"email":"john@beatles.com"}`, "400", ""}, // active
			{"/resend_activation/", `{"email":"jim@beatles.com"}`, "400", ""},
			{"/resend_activation/", `{"email":"paul@beatles.com"}`, "400", ""},
		},
		"send: [confirmation]": {{"/resend_activation/", `{"email":"ann@beatles.com"}`, "400", ""}},
		"show_email_not_found: true": {
			{"/reset_password/", `{"email":"john@beatles.com"}`, "204", "password_reset of 1"},
			{"/reset_password/", `{"email":"paul@beatles.com"}`, unknown, ""},
			{"/reset_username/", `{"email":"ann@beatles.com"}`, unknown, ""},
			{"/reset_password/", `{"email":"joe@beatles.com"}`, unknown, ""},
		},
		"links: allauth\nemails: {case: insensitive}": {
			{"/reset_password/", `{"email":"JOHN@Beatles.com"}`, "204", "password_reset of 1"},
			{"/reset_password/", `{"email":"joe@beatles.com"}`, "204", "password_reset of 3"},
			{"/reset_password/", `{"email":"ann@beatles.com"}`, "204", ""},
		},
		"links: allauth\n  send: [activation]": {
			{"/resend_activation/", `{"email":"ann@beatles.com"}`, "204", "activation of 2"},
			{"/resend_activation/", `{"email":"jim@beatles.com"}`, "400", ""}, // shut out
		},
	} {
		t.Run(settings, func(t *testing.T) {
			newOffice(t, byMail, settings).run(t, steps)
		})
	}
}

// TestConfirm follows links as djoser 2.1 answers: each is good once.
func TestConfirm(t *testing.T) {
	const (
		badUID   = `400 {"uid":["Invalid user id or user doesn't exist."]}`
		badToken = `400 {"token":["Invalid token for given user."]}`
		stale    = `403 {"detail":"Stale token for given user."}`
		all      = "send: [activation, confirmation, password_changed_confirmation, username_changed_confirmation]"
	)
	for name, steps := range map[string][]step{
		"password": {
			{"/reset_password_confirm/", `{"uid":"x","token":"-","new_password":"new","re_new_password":"new"}`, badUID, ""},
			{"/reset_password_confirm/", `{"uid":"NQ","token":"-","new_password":"new","re_new_password":"new"}`, badUID, ""}, // the fifth, unknown
			{"/reset_password_confirm/", `{"uid":"MQ","token":"wrong","new_password":"new","re_new_password":"new"}`, badToken, ""},
			{"/reset_password_confirm/", `{"uid":"x","token":"-","new_password":"666","re_new_password":"new"}`, `400 {"new_password":["This password is too common."]}`, ""},
			{"/reset_password_confirm/", `{"uid":"x","token":"-","new_password":"new","re_new_password":"old"}`, `400 {"non_field_errors":["The two password fields didn't match."]}`, ""},
			{"/reset_password_confirm/", `{"uid":"MQ"}`, `400 {"token":["This field is required."],"new_password":["This field is required."],"re_new_password":["This field is required."]}`, ""},
			{"/reset_password_confirm/", `{"uid":"Mg","token":"TOKEN","new_password":"new","re_new_password":"new"}`, "204", "password_changed_confirmation of 2"}, // inactive: it is not sent
			{"/reset_password_confirm/", `{"uid":"MQ","token":"AGAIN","new_password":"new","re_new_password":"new"}`, badToken, ""},
			{"/reset_password_confirm/", `{"uid":"MQ","token":"TOKEN","new_password":"john","re_new_password":"john"}`, "204", "password_changed_confirmation of 1"},
			{"/reset_password_confirm/", `{"uid":"MQ","token":"AGAIN","new_password":"new","re_new_password":"new"}`, badToken, ""},
			{"/reset_username_confirm/", `{"uid":"MQ","token":"AGAIN","new_username":"new","re_new_username":"new"}`, badToken, ""},
		},
		"username": {
			{"/reset_username_confirm/", `{"uid":"x","token":"-","new_username":"new name","re_new_username":"new"}`, `400 {"new_username":["Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."]}`, ""},
			{"/reset_username_confirm/", `{"uid":"x","token":"-","new_username":"new","re_new_username":"old"}`, `400 {"non_field_errors":["The two username fields didn't match."]}`, ""},
			{"/reset_username_confirm/", `{"uid":"x","token":"-","new_username":"ann","re_new_username":"ann"}`, `400 {"new_username":["A user with that username already exists."]}`, ""},
			{"/reset_username_confirm/", `{"uid":"x","token":"-","new_username":"new","re_new_username":"new"}`, badUID, ""},
			{"/reset_username_confirm/", `{"uid":"MQ","token":"wrong","new_username":"new","re_new_username":"new"}`, badToken, ""},
			{"/reset_username_confirm/", `{"uid":"MQ","token":"TOKEN","new_username":"new","re_new_username":"new"}`, "204", "username_changed_confirmation of 1"},
			{"/reset_username_confirm/", `{"uid":"MQ","token":"AGAIN","new_username":"newer","re_new_username":"newer"}`, badToken, ""},
		},
		"activation": {
			{"/activation/", `{"uid":"wrong","token":"-"}`, badUID, ""},
			{"/activation/", `{"uid":"Mg","token":"wrong"}`, badToken, ""},
			{"/activation/", `{"uid":"MQ","token":"TOKEN"}`, stale, ""},
			{"/activation/", `{"uid":"Mg","token":"TOKEN"}`, "204", "confirmation of 2"},
			{"/activation/", `{"uid":"Mg","token":"AGAIN"}`, stale, ""},
			{"/reset_password_confirm/", `{"uid":"Mg","token":"AGAIN","new_password":"new","re_new_password":"new"}`, badToken, ""},
			{"/reset_username_confirm/", `{"uid":"Mg","token":"AGAIN","new_username":"new","re_new_username":"new"}`, badToken, ""},
			{"/activation/", `{"uid":"Mg","token":"AGAIN"}`, stale, ""},
			{"/activation/", `{"uid":"MQ","token":"AGAIN"}`, badToken, ""},
			{"/activation/", `{"uid":"Mg"}`, `400 {"token":["This field is required."]}`, ""},
		},
		"registration": {
			{"/users/", `{"username":"paul","email":"paul@beatles.com","password":"a secret"}`, `201 {"username":"paul"}`, "activation of 5"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, byMail, all)
			o.run(t, steps)
			for user, want := range map[string]bool{"john": name != "username", "ann": true, "paul": false, "new": name == "username"} {
				u, err := o.Engine.User(t.Context(), user)
				if user == "paul" && name != "registration" {
					continue
				}
				if user == "ann" {
					want = name == "activation"
				}
				if active := err == nil && u.Active; active != want {
					t.Errorf("%s is active: %t, %v", user, active, err)
				}
			}
		})
	}
	t.Run("registration without an activation", func(t *testing.T) {
		o := newOffice(t, byMail, "send: [confirmation]")
		o.run(t, []step{{"/users/", `{"username":"paul","email":"paul@beatles.com","password":"a secret"}`, `201 {"username":"paul"}`, "confirmation of 5"}})
		if u, err := o.Engine.User(t.Context(), "paul"); err != nil || !u.Active {
			t.Errorf("%+v, %v", u, err)
		}
	})
}

// TestDisabledUserStaysSo has a user disabled who has a link to reset the password, where no activations are sent,
// and one without a password, where they are.
func TestDisabledUserStaysSo(t *testing.T) {
	const badToken = `400 {"token":["Invalid token for given user."]}`
	for settings, want := range map[string]string{
		"send: [confirmation]": `403 {"detail":"Stale token for given user."}`,
		"send: [activation]":   badToken,
	} {
		o := newOffice(t, byMail, settings)
		john, err := o.Engine.User(t.Context(), "john")
		if err != nil {
			t.Fatal(err)
		}
		link := o.token(t, john.ID)
		if err := o.Engine.SetActive(t.Context(), o.store.Backend().Admin, john, false); err != nil {
			t.Fatal(err)
		}
		if want == badToken {
			if err := o.Engine.SetPassword(t.Context(), john, "", true); err != nil {
				t.Fatal(err)
			}
		}
		o.run(t, []step{
			{"/activation/", fmt.Sprintf(`{"uid":"MQ","token":%q}`, link), want, ""},
			{"/resend_activation/", `{"email":"john@beatles.com"}`, "400", ""},
			{"/reset_password/", `{"email":"john@beatles.com"}`, "204", ""},
		})
		if u, err := o.Engine.User(t.Context(), "john"); err != nil || u.Active {
			t.Errorf("%s: %+v, %v", settings, u, err)
		}
	}
}

// TestUpdatesAskForNoMail holds that updates of an active user use up no mails: they would not be sent.
func TestUpdatesAskForNoMail(t *testing.T) {
	o := newOffice(t, byMail+"  me: {action: update, path: /me/, renderers: [json], fields: {email: {}}, reply: {status: 200, body: {email: $user.email}}}\n", "send: [activation]")
	one := core.Limit{Burst: 1, Window: time.Hour}
	o.Engine.SetLoginLimits(&core.LoginLimits{Limiter: o.store, PerUser: one, PerAddress: one, MailsPerUser: one})
	token, err := o.Engine.Login(t.Context(), core.Policy{TokenHex: 40, Realm: "default"}, "john", "secret")
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"email":"john@beatles.com"}`
	if w := o.Ask(t, "PATCH", "/me/", body, "Content-Type", json, "Authorization", "Token "+token.Key); w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	o.run(t, []step{{"/reset_password/", body, "204", "password_reset of 1"}})
}

// byForm is dj-rest-auth's reset.
const byForm = `
name: byform
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
passwords: {validators: [common, similarity], stage: field}
mails: {links: SETTINGS}
endpoints:
  confirm:
    action: reset_password_confirm
    path: /password/reset/confirm/
    renderers: [json]
    fields:
      new_password1: {role: password, max_length: 128}
      new_password2: {role: password_again, max_length: 128}
      uid: {}
      token: {}
    reply: {status: 200, body: {detail: Password has been reset with the new password.}}
messages:
  uid_invalid: Invalid value
  link_invalid: Invalid value
  change_mismatch: The two password fields didn’t match.
`

// TestConfirmForm follows links as dj-rest-auth 5.0.2 answers, where django-allauth is installed and where it isn't.
func TestConfirmForm(t *testing.T) {
	for links, uid := range map[string]string{"django": "MQ", "allauth": "1"} {
		t.Run(links, func(t *testing.T) {
			o := newOffice(t, byForm, links)
			o.links.AllEmails = links == "allauth"
			const path, done = "/password/reset/confirm/", `200 {"detail":"Password has been reset with the new password."}`
			body := func(one, two, uid, token string) string {
				return fmt.Sprintf(`{"new_password1":%s,"new_password2":%s,"uid":%q,"token":%q}`, one, two, uid, token)
			}
			good := o.token(t, 1)
			o.run(t, []step{
				{path, body(`"new"`, `"new"`, "-wrong-uid-", good), `400 {"uid":["Invalid value"]}`, ""},
				{path, body(`"new"`, `"old"`, "-wrong-uid-", "-wrong-token-"), `400 {"uid":["Invalid value"]}`, ""},
				{path, body(`"666"`, `"666"`, uid, "-wrong-token-"), `400 {"token":["Invalid value"]}`, ""},
				{path, body(`"new"`, `"old"`, uid, good), `400 {"new_password2":["The two password fields didn’t match."]}`, ""},
				{path, body(`666`, `666`, uid, good), `400 {"new_password2":["This password is too common."]}`, ""},
				{path, body(`"john"`, `"john"`, uid, good), `400 {"new_password2":["The password is too similar to the username."]}`, ""},
				{path, body(`"new"`, `"new"`, uid, good), done, ""},
				{path, body(`"new"`, `"new"`, uid, good), `400 {"token":["Invalid value"]}`, ""},
			})
			if _, err := o.Engine.Login(t.Context(), core.Policy{TokenHex: 40, Realm: "default"}, "john", "new"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNoMail asks an API that can send none, or has no key.
func TestNoMail(t *testing.T) {
	const unavailable = `503 {"detail":"Service temporarily unavailable, try again later."}`
	p := apitest.MustParse(t, byMail, "SETTINGS", "send: [activation]")
	common := dialects.WithCommonPasswords(validation.Common{})
	for name, with := range map[string]struct{ links, sender bool }{"neither": {}, "no key": {sender: true}, "no sender": {links: true}} {
		options := []dialects.Option{common}
		if with.links {
			options = append(options, dialects.WithLinks(&maillink.Generator{Secrets: []string{"_"}}))
		}
		o := &office{API: apitest.MustNew(t, p, sqlitetest.MustOpen(t), options...), store: sqlitetest.MustOpen(t)}
		if with.sender {
			o.Engine.OnMail(func() {})
		}
		o.run(t, []step{
			{"/reset_password/", `{"email":"john@beatles.com"}`, unavailable, ""},
			{"/users/", `{"username":"paul","password":"a secret"}`, unavailable, ""},
		})
		if _, err := o.Engine.User(t.Context(), "paul"); core.KindOf(err) != core.KindUserUnknown {
			t.Errorf("%s: registered: %v", name, err)
		}
		want := unavailable
		if with.links {
			want = `400 {"uid":["Invalid user id or user doesn't exist."]}`
		}
		o.run(t, []step{{"/activation/", `{"uid":"MQ","token":"x"}`, want, ""}})
	}
}
