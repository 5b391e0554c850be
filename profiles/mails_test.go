package profiles

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mailsProfile is djoser's settings of mails.
const mailsProfile = `name: mails
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
mails:
  password_reset_confirm_url: '#/password/reset/confirm/{uid}/{token}'
  username_reset_confirm_url: '#/username/reset/confirm/{uid}/{token}'
  activation_url: 'https://www.example.org/activate/{uid}/{token}'
  send: [activation, confirmation, password_changed_confirmation, username_changed_confirmation]
endpoints:
  reset_password: {path: /reset_password/, fields: {email: {}}, reply: {status: 204}}
  reset_username: {path: /reset_username/, fields: {email: {}}, reply: {status: 204}}
`

func TestMails(t *testing.T) {
	p, err := Parse("f.yaml", []byte(mailsProfile))
	if err != nil {
		t.Fatal(err)
	}
	want := Mails{
		PasswordResetConfirmURL: "#/password/reset/confirm/{uid}/{token}", UsernameResetConfirmURL: "#/username/reset/confirm/{uid}/{token}",
		ActivationURL: "https://www.example.org/activate/{uid}/{token}",
		Send:          []SentMail{SendActivation, SendConfirmation, SendPasswordChanged, SendUsernameChanged},
		Links:         LinksDjango,
	}
	if diff := cmp.Diff(want, p.Mails); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	checkRoundTrip(t, p)
	if !p.SendsMails() || !p.HasLinks() {
		t.Error("sends no mails, or has no links")
	}
	checkProblems(t, mailsProfile, []problem{
		{"words", "  send: [activation,", "  links: none\n  show_email_not_found: 1\n  send: [welcome,", []string{
			`f.yaml:9:10: mails.links: want django or allauth, not "none"`,
			"f.yaml:10:25: mails.show_email_not_found: want true or false, not the number 1",
			`f.yaml:11:10: mails.send[0]: want activation, confirmation, password_changed_confirmation or username_changed_confirmation, not "welcome"`,
		}},
		{"no token", "'#/password/reset/confirm/{uid}/{token}'", "'#/password/reset/confirm/{uid}/{uid}'", []string{
			"f.yaml:6:31: mails.password_reset_confirm_url: a link has {uid} once",
			"f.yaml:6:31: mails.password_reset_confirm_url: a link has {token} once",
		}},
		{"another variable", "#/username/reset", "#/{username}/reset", []string{
			"f.yaml:7:31: mails.username_reset_confirm_url: a link has only {uid} and {token} in braces, and characters of a URL",
		}},
		{"no link", "  username_reset_confirm_url: '#/username/reset/confirm/{uid}/{token}'\n", "", []string{
			"f.yaml:11:19: endpoints.reset_username.action: sends mails with a link: mails.username_reset_confirm_url is missing",
		}},
		{"an activation without a link", "  activation_url: 'https://www.example.org/activate/{uid}/{token}'\n", "", []string{
			"f.yaml:8:9: mails.send: a mail about an activation has a link: activation_url is missing",
		}},
	})
	checkProblems(t, plainProfile, []problem{
		{"family", "endpoints:\n", "mails: {links: django}\nendpoints:\n", []string{"f.yaml:5:1: mails: is of family drf alone"}},
	})
}

// verifyingProfile has users verify their address before they log in.
const verifyingProfile = `name: verifying
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
emails: {verification: mandatory}
mails: {email_confirm_url: '/confirm/{key}/'}
endpoints:
  register:
    path: /register/
    fields: {username: {}, email: {}, password: {}}
    reply: {status: 201, body: {detail: sent}}
  resend_verification: {path: /resend/, fields: {email: {}}, reply: {status: 200}}
  verify_email: {path: /verify/, fields: {key: {role: token}}, reply: {status: 200}}
`

func TestVerification(t *testing.T) {
	p, err := Parse("f.yaml", []byte(verifyingProfile))
	if err != nil {
		t.Fatal(err)
	}
	if p.Emails != (Emails{Case: CaseExact, Verification: VerificationMandatory}) || p.Mails.EmailConfirmURL != "/confirm/{key}/" {
		t.Errorf("%+v, %+v", p.Emails, p.Mails)
	}
	checkRoundTrip(t, p)
	if !p.SendsMails() || !p.HasLinks() {
		t.Error("sends no mails, or has no links")
	}
	checkProblems(t, verifyingProfile, []problem{
		{"a word", "verification: mandatory", "verification: required", []string{
			`f.yaml:5:24: emails.verification: want none, optional or mandatory, not "required"`,
		}},
		{"none", "verification: mandatory", "verification: none", []string{
			"f.yaml:12:24: endpoints.resend_verification: nobody has an address to verify: emails.verification is none",
			"f.yaml:13:17: endpoints.verify_email: nobody has an address to verify: emails.verification is none",
		}},
		{"no link", "mails: {email_confirm_url: '/confirm/{key}/'}", "mails: {}", []string{
			"f.yaml:9:5: endpoints.register.action: sends mails with a link: mails.email_confirm_url is missing",
			"f.yaml:12:24: endpoints.resend_verification.action: sends mails with a link: mails.email_confirm_url is missing",
		}},
		{"a link of another kind", "{key}", "{uid}/{token}", []string{
			"f.yaml:6:28: mails.email_confirm_url: a link has {key} once",
			"f.yaml:6:28: mails.email_confirm_url: a link has only {key} in braces, and characters of a URL",
		}},
		{"an address that can be left out", "email: {}, password", "email: {required: false}, password", []string{
			"f.yaml:9:5: endpoints.register: nobody without an address could verify one and log in: want a field with the role email that is required, and not blank",
		}},
		{"no address", "email: {}, password", "password", []string{
			"f.yaml:9:5: endpoints.register: nobody without an address could verify one and log in: want a field with the role email that is required, and not blank",
		}},
		{"a token", "{detail: sent}", "{key: $token.key}", []string{
			"f.yaml:9:5: endpoints.register: shows a token to users who have yet to verify their address: with emails.verification mandatory, none logs in before",
		}},
	})
	checkProblems(t, plainProfile, []problem{
		{"family", "endpoints:\n", "emails: {verification: optional}\nendpoints:\n", []string{"f.yaml:5:10: emails.verification: is of family drf alone"}},
	})
}
