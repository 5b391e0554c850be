package main

import (
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/mailer/mailertest"
)

// byMail is an API of djoser's with what is done by mail.
const byMail = `name: bymail
title: By mail
document: none
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
mails:
  password_reset_confirm_url: '#/password/reset/confirm/{uid}/{token}'
  activation_url: '#/activate/{uid}/{token}'
  send: [activation, confirmation, password_changed_confirmation]
endpoints:
  login: {path: /login/, fields: {username: {}, password: {}}, reply: {status: 200, body: {token: $token.key}}}
  register: {path: /users/, fields: {username: {}, email: {}, password: {}}, reply: {status: 201, body: {id: $user.id}}}
  activate: {path: /activation/, fields: {uid: {}, token: {}}, reply: {status: 204}}
  reset_password: {path: /reset_password/, fields: {email: {}}, reply: {status: 204}}
  reset_password_confirm: {path: /reset_password_confirm/, fields: {uid: {}, token: {}, new_password: {role: password}}, reply: {status: 204}}
`

// letter is a mail that came.
type letter struct{ to, subject, uid, token string }

// linkIn are the links of the profile.
var linkIn = regexp.MustCompile(`https://www\.example\.org/#/(?:password/reset/confirm|activate)/(\w+)/([\w-]+)`)

// next waits for a mail.
func next(t *testing.T, texts <-chan string) letter {
	t.Helper()
	select {
	case text := <-texts:
		m, err := mail.ReadMessage(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		l := letter{to: m.Header.Get("To"), subject: m.Header.Get("Subject")}
		if link := linkIn.FindStringSubmatch(string(body)); link != nil {
			l.uid, l.token = link[1], link[2]
		}
		return l
	case <-time.After(20 * time.Second):
		t.Fatal("no mail")
	}
	return letter{}
}

// TestByMail registers, activates, and resets a password by the links in the mails that come: each is good once. Who
// does not exist gets none.
func TestByMail(t *testing.T) {
	t.Parallel()
	port, texts := mailertest.TakeMails(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bymail.yaml": byMail, "key": "a secret key of Django's\n",
		"c.yaml": fmt.Sprintf(`store: sqlite:%s/auth.db
smtp: {host: 127.0.0.1, port: %d, encryption: none, from: "Example <noreply@example.org>"}
mail: {site_name: Example, domain: www.example.org}
django_secret_key_file: %s/key
`, dir, port, dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, append(cheap, "--config", filepath.Join(dir, "c.yaml"), "--profile", filepath.Join(dir, "bymail.yaml"))...)
	url := p.urls["bymail"]
	post := func(status int, path, body, want string) {
		t.Helper()
		if a := p.want(t, status, "POST", url+path, "", body); want != "" && a.body != want {
			t.Errorf("%s %s: %s, want %s", path, body, a.body, want)
		}
	}
	const badToken = `{"token":["Invalid token for given user."]}`
	post(201, "/users/", `{"username":"ann","email":"ann@example.org","password":"first"}`, `{"id":1}`)
	l := next(t, texts)
	if l.to != "<ann@example.org>" || l.subject != "Activate your account at Example" || l.uid != "MQ" {
		t.Fatalf("%+v", l)
	}
	link := fmt.Sprintf(`"uid":%q,"token":%q`, l.uid, l.token)
	post(400, "/login/", `{"username":"ann","password":"first"}`, "")
	post(204, "/reset_password/", `{"email":"ann@example.org"}`, "") // who is not active gets no mail
	post(204, "/activation/", "{"+link+"}", "")
	if l = next(t, texts); l.uid != "" {
		t.Errorf("%+v", l)
	}
	post(403, "/activation/", "{"+link+"}", `{"detail":"Stale token for given user."}`)
	post(200, "/login/", `{"username":"ann","password":"first"}`, "")

	post(204, "/reset_password/", `{"email":"nobody@example.org"}`, "")
	post(204, "/reset_password/", `{"email":"ann@example.org"}`, "")
	if l = next(t, texts); l.subject != "A new password for Example" || l.to != "<ann@example.org>" { // and none before it
		t.Fatalf("%+v", l)
	}
	link = fmt.Sprintf(`"uid":%q,"token":%q`, l.uid, l.token)
	post(204, "/reset_password_confirm/", `{`+link+`,"new_password":"second"}`, "")
	if l = next(t, texts); l.subject != "Your password for Example was changed" {
		t.Errorf("%+v", l)
	}
	post(400, "/reset_password_confirm/", `{`+link+`,"new_password":"third"}`, badToken)
	post(400, "/login/", `{"username":"ann","password":"first"}`, "")
	post(200, "/login/", `{"username":"ann","password":"second"}`, "")
	select {
	case text := <-texts:
		t.Errorf("one more mail: %s", text)
	default:
	}
}

// TestMailsNotConfigured serves a profile that sends mails where nobody takes them: it says so, and who asks is told.
func TestMailsNotConfigured(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "bymail.yaml")
	if err := os.WriteFile(file, []byte(byMail), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, append(cheap, "--profile", file, "--store", database(t))...)
	p.want(t, 503, "POST", p.urls["bymail"]+"/reset_password/", "", `{"email":"ann@example.org"}`)
	p.want(t, 503, "POST", p.urls["bymail"]+"/users/", "", `{"username":"ann","email":"ann@example.org","password":"first"}`)
	for _, want := range []string{"this profile sends mails, and there is no SMTP server", "this profile has links in mails, and there is no key for them"} {
		if !strings.Contains(p.log.String(), want) {
			t.Errorf("the log has no %q: %s", want, p.log.String())
		}
	}
}

// TestMailLimits serves with limits of mails of its own, and with others after a reload. Beyond those of a user and a
// recipient the answer is the same.
func TestMailLimits(t *testing.T) {
	t.Parallel()
	port, texts := mailertest.TakeMails(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "c.yaml")
	write := func(limits string) {
		t.Helper()
		for name, text := range map[string]string{
			"bymail.yaml": strings.Replace(byMail, "  send: [activation, confirmation, password_changed_confirmation]\n", "", 1), "key": "a secret key of Django's\n",
			"c.yaml": fmt.Sprintf(`store: sqlite:%s/auth.db
smtp: {host: 127.0.0.1, port: %d, encryption: none, from: noreply@example.org}
mail: {domain: www.example.org, %s}
django_secret_key_file: %s/key
`, dir, port, limits, dir),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("limit_per_user: 1/1h, limit_per_recipient: 2/1h, limit_per_address: 5/1h")
	p := start(t, append(cheap, "--config", file, "--profile", filepath.Join(dir, "bymail.yaml"))...)
	url := p.urls["bymail"]
	post := func(status int, path, body string) {
		t.Helper()
		p.want(t, status, "POST", url+path, "", body)
	}
	for _, name := range []string{"ann", "bea", "cleo"} {
		post(201, "/users/", `{"username":"`+name+`","email":"`+name+`@example.org","password":"first"}`)
	}
	post(201, "/users/", `{"username":"dan","email":"cleo@example.org","password":"first"}`)
	post(204, "/reset_password/", `{"email":"ann@example.org"}`)
	post(204, "/reset_password/", `{"email":"ann@example.org"}`) // no mail
	post(204, "/reset_password/", `{"email":"bea@example.org"}`)
	for _, want := range []string{"<ann@example.org>", "<bea@example.org>"} {
		if l := next(t, texts); l.to != want {
			t.Fatalf("%+v, want one to %s", l, want)
		}
	}
	post(204, "/reset_password/", `{"email":"nobody@example.org"}`)
	post(204, "/reset_password/", `{"email":"nobody@example.org"}`)
	post(429, "/reset_password/", `{"email":"cleo@example.org"}`)
	write("limit_per_user: 3/3h, limit_per_recipient: 1/1h, limit_per_address: 50/10h")
	p.sighup(t, "reloaded")
	post(204, "/reset_password/", `{"email":"ann@example.org"}`)
	post(204, "/reset_password/", `{"email":"cleo@example.org"}`) // to cleo and to dan
	post(204, "/reset_password/", `{"email":"cleo@example.org"}`) // to cleo alone, who had the address first
	post(204, "/reset_password/", `{"email":"bea@example.org"}`)
	for _, want := range []string{"<ann@example.org>", "<cleo@example.org>", "<cleo@example.org>", "<cleo@example.org>", "<bea@example.org>"} {
		if l := next(t, texts); l.to != want {
			t.Fatalf("%+v, want one to %s", l, want)
		}
	}
}

// TestOneMailbox registers with spellings of an address that are sent to one mailbox: they have the mails of one, and nobody
// owns a spelling.
func TestOneMailbox(t *testing.T) {
	t.Parallel()
	port, texts := mailertest.TakeMails(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bymail.yaml": byMail, "key": "a secret key of Django's\n",
		"c.yaml": fmt.Sprintf(`store: sqlite:%s/auth.db
smtp: {host: 127.0.0.1, port: %d, encryption: none, from: noreply@example.org}
mail: {domain: www.example.org, limit_per_recipient: 3/1h}
django_secret_key_file: %s/key
`, dir, port, dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, append(cheap, "--config", filepath.Join(dir, "c.yaml"), "--profile", filepath.Join(dir, "bymail.yaml"))...)
	for i, email := range []string{
		"ann@example.org", `\"ann\"@example.org`, `\"a\\nn\"@example.org`, `ann@exam\u00adple.org`, `ann@exam\u00ad\u00adple.org`, `ann@example\u3002org`, `ann@\u200bexample.org`,
		`ann@b\u00fccher.example`, "ann@xn--bcher-kva.example", "bob@example.org",
	} {
		p.want(t, 201, "POST", p.urls["bymail"]+"/users/", "", fmt.Sprintf(`{"username":"user%d","email":"%s","password":"first"}`, i, email))
	}
	for _, want := range []string{"<ann@example.org>", "<ann@example.org>", "<ann@example.org>", "<ann@xn--bcher-kva.example>", "<ann@xn--bcher-kva.example>", "<bob@example.org>"} {
		if l := next(t, texts); l.to != want {
			t.Fatalf("%+v, want one to %s", l, want)
		}
	}
}
