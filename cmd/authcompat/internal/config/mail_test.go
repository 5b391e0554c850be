package config_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/configtest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/mailer"
	"github.com/authcompat/authcompat/core/maillink"
)

// writeMailFiles writes what settings of mails name to the working directory.
func writeMailFiles(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"password": "hunter2\n", "empty": "\n", "key": "new key \r\n\nold key\n", "good/password_reset.txt": "{{.URL}}", "bad/password_reset.txt": "{{.Link}}", "bad/other.txt": "",
	} {
		if folder, _, nested := strings.Cut(name, "/"); nested {
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const mailBegin = "listeners: [{profile: ocd-users, address: '127.0.0.1:18000'}]\n"

// TestMailProblems names what is wrong with the settings of mails, with its position.
func TestMailProblems(t *testing.T) {
	writeMailFiles(t)
	for text, want := range map[string]string{
		"smtp: {host: mail.example.org, from: a@example.org}":                                           "",
		"smtp: {host: mail.example.org, from: a@example.org, username: me, password_file: password}":    "",
		"smtp: {host: mail.example.org, from: a@example.org, username: me}":                             "2:63: smtp.username: a name and a file with its password (--smtp-password-file, smtp.password_file) go together",
		"smtp: {host: mail.example.org, from: a@example.org, username: me, password_file: none}":        "2:82: smtp.password_file: open none: no such file or directory",
		"smtp: {host: mail.example.org, from: a@example.org, username: me, password_file: empty}":       "2:82: smtp.password_file: empty has no text",
		"smtp: {host: mail.example.org}":                                                                `2:14: smtp.host: the sender of mails (smtp.from) is missing`,
		"smtp: {host: mail.example.org, from: a@example.org, encryption: ssl}":                          `2:65: smtp.encryption: "ssl": want starttls or tls or none`,
		"smtp: {host: m, from: a@example.org, encryption: none, username: me, password_file: password}": "2:14: smtp.host: a password would be sent unencrypted: use starttls or tls",
		"smtp: {host: mail.example.org, from: a@example.org, port: 70000}":                              "2:14: smtp.host: 70000 is no port",
		"smtp: {from: a@example.org}":                                                                   "2:14: smtp.from: needs the SMTP server (--smtp-host, smtp.host)",
		"smtp: {server: x}":                                                                             "2:8: smtp.server: unknown key; the keys here are host, port, encryption, username, password_file, from",
		"smtp: {host: mail.example.org, from: a@example.org}\nmail: {templates: good}":                  "",
		"smtp: {host: mail.example.org, from: a@example.org}\nmail: {templates: bad}":                   "3:19: mail.templates: template other.txt: no mail has this name: it is KIND.subject.txt, KIND.txt or KIND.html, as in password_reset.txt\n3:19: mail.templates: template password_reset.txt: template: password_reset.txt:1:2: executing \"password_reset.txt\" at <.Link>: can't evaluate field Link in type mailer.Data",
		"django_secret_key_file: key":                                                                   "",
		"django_secret_key_file: none":                                                                  "2:25: django_secret_key_file: open none: no such file or directory",
		"django_time_zone: Mars":                                                                        `2:19: django_time_zone: "Mars" is no time zone, as Europe/Paris`,
		"link_format: 4.0":                                                                              `2:14: link_format: "4.0": want 3.1 or 3.1-sha1 or 2.2`,
		"link_timeout: 0s":                                                                              "2:15: link_timeout: a link has to be good for some time, as 3d",
	} {
		got := ""
		if _, _, err := configtest.Resolve(t, mailBegin+text+"\n"); err != nil {
			got = err.Error()
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}

// TestMail holds what the settings come to.
func TestMail(t *testing.T) {
	writeMailFiles(t)
	f, _, err := configtest.Resolve(t, mailBegin+`smtp: {host: mail.example.org, port: 2525, encryption: tls, from: Me <a@example.org>, username: me, password_file: password}
mail: {templates: good, site_name: Shop, domain: www.example.org}
django_secret_key_file: key
django_time_zone: Europe/Paris
link_format: "2.2"
link_timeout: 1d
`)
	if err != nil {
		t.Fatal(err)
	}
	want := mailer.Server{Host: "mail.example.org", Port: 2525, Encryption: mailer.TLS, Username: "me", Password: "hunter2", From: "Me <a@example.org>"}
	if d := cmp.Diff(want, f.Mail.Server); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	links := f.Mail.Links
	if links == nil || links.Zone.String() != "Europe/Paris" || links.Timeout != 24*time.Hour || links.Format != maillink.Django22 {
		t.Fatalf("links %+v", links)
	}
	if d := cmp.Diff([]string{"new key ", "old key"}, links.Secrets); d != "" {
		t.Errorf("keys (-want +got):\n%s", d)
	}
	if m, err := f.Mail.Templates.Fill("password_reset", "api", mailer.Data{URL: "x"}); err != nil || m.Text != "x" {
		t.Errorf("%+v, %v", m, err)
	}
	if f, _, err = configtest.Resolve(t, mailBegin); err != nil || f.Mail.Links != nil || f.Mail.Templates != nil || f.Mail.Host != "" {
		t.Errorf("without settings: %+v, %v", f.Mail, err)
	}
}
