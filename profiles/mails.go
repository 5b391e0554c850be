package profiles

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// Mails says which mails the API sends, and what is in their links. What takes the mails, their
// texts and the key of the links are configuration.
type Mails struct {
	// The links of mails, with {uid} and {token}: a URL, or a path behind the site's domain. They are
	// djoser's settings of these names; empty: there are no such mails.
	PasswordResetConfirmURL, UsernameResetConfirmURL, ActivationURL string
	// EmailConfirmURL is the link with the {key} that verifies an address, likewise (dj-rest-auth's
	// account_confirm_email); empty: there are no such mails.
	EmailConfirmURL string
	// Send are the mails that nobody asks for.
	Send []SentMail
	// Links says whose form the uid and the token of links have: "django" unless the profile says
	// otherwise; empty without mails, which is the same.
	Links LinkForm
	// ShowEmailNotFound answers with an error where nobody has the address: false unless the profile says
	// otherwise (djoser's PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND and USERNAME_RESET_SHOW_EMAIL_NOT_FOUND, of which it takes
	// either for both).
	ShowEmailNotFound bool
}

// SentMail is a mail that nobody asks for.
type SentMail string

// The mails that nobody asks for.
const (
	// SendActivation sends a link to who registers, who is inactive until it is followed, and to who
	// changes the address (SEND_ACTIVATION_EMAIL).
	SendActivation SentMail = "activation"
	// SendConfirmation tells of an activation or, without one, of a registration (SEND_CONFIRMATION_EMAIL).
	SendConfirmation SentMail = "confirmation"
	// SendPasswordChanged tells of another password (PASSWORD_CHANGED_EMAIL_CONFIRMATION).
	SendPasswordChanged SentMail = "password_changed_confirmation"
	// SendUsernameChanged tells of another username (USERNAME_CHANGED_EMAIL_CONFIRMATION).
	SendUsernameChanged SentMail = "username_changed_confirmation"
)

// LinkForm says whose form the uid and the token of links have.
type LinkForm string

// The values of LinkForm.
const (
	LinksDjango LinkForm = "django" // the uid is base64
	// LinksAllauth is for dj-rest-auth where django-allauth is installed: the uid is base36, and the token depends
	// on all addresses of the user. Users whose password is unusable get links, too. Its adapter has a say in the
	// names and addresses that users choose.
	LinksAllauth LinkForm = "allauth"
)

// Sends tells whether the API sends a mail that nobody asks for.
func (m Mails) Sends(mail SentMail) bool { return slices.Contains(m.Send, mail) }

// mails reads which mails the API sends.
func mails(v yamlvalue.Value) (Mails, bool) {
	m := v.Mapping()
	read := Mails{Links: LinksDjango}
	yamlvalue.Optional(m, "password_reset_confirm_url", &read.PasswordResetConfirmURL, linkURL)
	yamlvalue.Optional(m, "username_reset_confirm_url", &read.UsernameResetConfirmURL, linkURL)
	yamlvalue.Optional(m, "activation_url", &read.ActivationURL, linkURL)
	yamlvalue.Optional(m, "email_confirm_url", &read.EmailConfirmURL, keyURL)
	yamlvalue.Optional(m, "send", &read.Send, yamlvalue.Words(SendActivation, SendConfirmation, SendPasswordChanged, SendUsernameChanged))
	yamlvalue.Optional(m, "links", &read.Links, yamlvalue.Word(LinksDjango, LinksAllauth))
	yamlvalue.Optional(m, "show_email_not_found", &read.ShowEmailNotFound, yamlvalue.Boolean)
	if v, _ := m.Get("send"); read.Sends(SendActivation) && read.ActivationURL == "" {
		v.Refuse("a mail about an activation has a link: activation_url is missing")
	}
	m.Done()
	return read, !m.Broken
}

// linkURL reads where the links of mails lead to.
func linkURL(v yamlvalue.Value) (string, bool) { return urlWith(v, "{uid}", "{token}") }

// keyURL reads where the links of mails with a key lead to.
func keyURL(v yamlvalue.Value) (string, bool) { return urlWith(v, "{key}") }

// urlWith reads a URL that has each of the placeholders once.
func urlWith(v yamlvalue.Value, placeholders ...string) (string, bool) {
	s, ok := yamlvalue.Line(v)
	if !ok {
		return "", false
	}
	rest := s
	for _, needed := range placeholders {
		if strings.Count(s, needed) != 1 {
			v.Refuse("a link has %s once", needed)
			ok = false
		}
		rest = strings.ReplaceAll(rest, needed, "")
	}
	if strings.ContainsAny(rest, "{}\\\"<> ") {
		v.Refuse("a link has only %s in braces, and characters of a URL", strings.Join(placeholders, " and "))
		ok = false
	}
	return s, ok
}

// checkMails refuses endpoints that send mails whose link leads nowhere.
func (p *Profile) checkMails(m *yamlvalue.Map) {
	v, ok := m.Get("endpoints")
	if !ok {
		return
	}
	given := &yamlvalue.Map{}
	if v, ok := m.Get("mails"); ok {
		given = v.Mapping()
	}
	urls := map[Action]string{ResetPassword: "password_reset_confirm_url", ResetUsername: "username_reset_confirm_url", ResendVerification: "email_confirm_url"}
	for i, e := range v.Mapping().Entries {
		p.checkVerification(yamlvalue.Of(e.Value), p.Endpoints[i])
		key, linked := urls[p.Endpoints[i].Action]
		if p.Endpoints[i].Action == Register && p.Emails.Verification != VerificationNone {
			key, linked = "email_confirm_url", true
		}
		if !linked {
			continue
		}
		if _, ok := given.Get(key); !ok && !given.Broken {
			e.Value.RefuseKey("action", "sends mails with a link: mails.%s is missing", key)
		}
	}
}

// checkVerification refuses endpoints at which users could not verify their address, or would not have to.
func (p *Profile) checkVerification(v yamlvalue.Value, e Endpoint) {
	email, _ := e.Field(RoleEmail)
	switch {
	case p.Emails.Verification == "": // which has been reported
	case (e.Action == VerifyEmail || e.Action == ResendVerification) && p.Emails.Verification == VerificationNone:
		v.Refuse("nobody has an address to verify: emails.verification is %s", VerificationNone)
	case e.Action != Register || p.Emails.Verification != VerificationMandatory:
	case !email.Required || email.Blank:
		v.Refuse("nobody without an address could verify one and log in: want a field with the role %s that is required, and not blank", RoleEmail)
	case e.ShowsToken():
		v.Refuse("shows a token to users who have yet to verify their address: with emails.verification %s, none logs in before", VerificationMandatory)
	}
}

// SendsMails tells whether the API sends mails.
func (p *Profile) SendsMails() bool {
	return len(p.Mails.Send) > 0 || p.Emails.Verification.asked() || slices.ContainsFunc(p.Endpoints, func(e Endpoint) bool { return e.Action == ResetPassword || e.Action == ResetUsername })
}

// HasLinks tells whether the API makes or reads links in mails.
func (p *Profile) HasLinks() bool {
	return p.Mails.Sends(SendActivation) || p.Emails.Verification.asked() || slices.ContainsFunc(p.Endpoints, func(e Endpoint) bool {
		return slices.Contains([]Action{ResetPassword, ResetPasswordConfirm, ResetUsername, ResetUsernameConfirm, Activate}, e.Action)
	})
}

func (m Mails) show() *yaml.Node {
	s := yamlnode.NewMap()
	s.Text("password_reset_confirm_url", m.PasswordResetConfirmURL)
	s.Text("username_reset_confirm_url", m.UsernameResetConfirmURL)
	s.Text("activation_url", m.ActivationURL)
	s.Text("email_confirm_url", m.EmailConfirmURL)
	if len(m.Send) > 0 {
		s.Set("send", yamlnode.Words(m.Send))
	}
	s.Text("links", string(m.Links))
	s.Flag("show_email_not_found", m.ShowEmailNotFound)
	return yamlnode.Fold(s.Node, len("mails: "))
}
