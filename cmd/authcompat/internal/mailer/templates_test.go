package mailer

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/authcompat/authcompat/core"
	"github.com/google/go-cmp/cmp"
)

func files(texts map[string]string) fstest.MapFS {
	folder := make(fstest.MapFS)
	for name, text := range texts {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return folder
}

func TestTemplates(t *testing.T) {
	folder := files(map[string]string{
		"password_reset.subject.txt":    "Hello {{.Username}}\nBcc: all@example.org",
		"password_reset.html":           "<p>{{.Username}} <a href=\"{{.URL}}\">{{.URL}}</a></p>",
		"shop/password_reset.txt":       "The shop: {{.URL}} {{.UID}} {{.Token}} {{.Domain}} {{.Email}} {{.SiteName}}",
		"blog/password_reset.html":      "<b>{{.Username}}</b>",
		"shop/activation.subject.txt":   "Open the shop",
		"news/password_reset.txt":       "News",
		"news/password_reset.html":      "<i>News</i>",
		"blog/username_reset.html":      "<u>{{.Username}}</u>",
		"blog/confirmation.subject.txt": "Welcome to the blog",
	})
	templates, err := LoadTemplates(folder)
	if err != nil {
		t.Fatal(err)
	}
	data := Data{SiteName: "Site", Domain: "example.org", Username: "<ann>", Email: "ann@example.org", URL: "https://example.org/a?b=c&d", UID: "MQ", Token: "t-0"}
	const subject, page = "Hello <ann>\nBcc: all@example.org", `<p>&lt;ann&gt; <a href="https://example.org/a?b=c&amp;d">https://example.org/a?b=c&amp;d</a></p>`
	for _, c := range []struct {
		profile string
		kind    core.MailKind
		want    Message // Text: how it begins
	}{
		{"api", core.MailPasswordReset, Message{Subject: subject, Text: "Somebody", HTML: page}},
		{"shop", core.MailPasswordReset, Message{Subject: subject, Text: "The shop: https://example.org/a?b=c&d MQ t-0 example.org ann@example.org Site"}},
		{"blog", core.MailPasswordReset, Message{Subject: subject, Text: "Somebody", HTML: "<b>&lt;ann&gt;</b>"}},
		{"news", core.MailPasswordReset, Message{Subject: subject, Text: "News", HTML: "<i>News</i>"}},
		{"shop", core.MailActivation, Message{Subject: "Open the shop", Text: "Somebody"}},
		{"api", core.MailActivation, Message{Subject: "Activate your account at Site\n", Text: "Somebody"}},
	} {
		got, err := templates.Fill(c.kind, c.profile, data)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(got.Text, c.want.Text) {
			got.Text = c.want.Text
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s of %s (-want +got):\n%s", c.kind, c.profile, diff)
		}
	}
}

// TestBuiltinTemplates holds that all kinds have texts, with the link where there is one.
func TestBuiltinTemplates(t *testing.T) {
	templates, err := LoadTemplates(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range core.MailKinds() {
		m, err := templates.Fill(kind, "api", Data{SiteName: "Site", Username: "ann", URL: "https://example.org/link"})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if m.Subject == "" || !strings.Contains(m.Subject, "Site") || m.HTML != "" || strings.Contains(m.Text, "\nhttps://example.org/link\n") != kind.HasLink() {
			t.Errorf("%s: %+v", kind, m)
		}
	}
}

func TestTemplatesThatAreWrong(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"a name of no mail":    {"pasword_reset.txt", "", "template pasword_reset.txt: no mail has this name"},
		"a name in a folder":   {"shop/eu/password_reset.txt", "", "template shop/eu/password_reset.txt: no mail has this name"},
		"a field of no mail":   {"password_reset.txt", "{{.Password}}", "can't evaluate field Password"},
		"an HTML of no mail":   {"password_reset.html", "{{.Password}}", "can't evaluate field Password"},
		"no template at all":   {"activation.txt", "{{if}}", "missing value for if"},
		"one that is too long": {"activation.txt", strings.Repeat("x", maxTemplate+1), "it has 1048577 bytes, at most 1048576"},
	} {
		_, err := LoadTemplates(files(map[string]string{c.file: c.text}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
