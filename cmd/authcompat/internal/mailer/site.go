package mailer

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/core/password"
)

// ProfileLinks are the links of a profile's mails.
type ProfileLinks struct {
	// URLs has for each kind with a link where it leads to, with {uid} and {token}, as in djoser's
	// PASSWORD_RESET_CONFIRM_URL: a URL, or a path behind the site's domain.
	URLs map[core.MailKind]string
	UID  maillink.UIDFormat // empty: maillink.Base64
	// AllEmails is set for the tokens of django-allauth, see [maillink.Generator]. It sends links to users
	// without a usable password, too.
	AllEmails bool
	// PasswordLater is set where a registration takes no password: whoever waits for an activation has none yet.
	PasswordLater bool
}

// denies reports whether a user gets no link of a kind for want of a usable password. An operator takes the password
// of whoever is to stay out ([core.Recipients]), maybe while a mail waits whose link would only be made now.
func (p ProfileLinks) denies(kind core.MailKind, encoded string) bool {
	switch kind {
	case core.MailActivation:
		return !p.PasswordLater && !password.IsUsable(encoded)
	case core.MailPasswordReset, core.MailUsernameReset:
		return !p.AllEmails && !password.IsUsable(encoded)
	}
	return false
}

// Site makes the links of mails.
type Site struct {
	Name   string // what mails call it; empty: the domain
	Domain string // as www.example.org; with http:// or https:// before it, that is the scheme of links
	Links  *maillink.Generator
	// Profile returns the links of a profile; ok is false if there is no such profile.
	Profile func(name string) (links ProfileLinks, ok bool)
	Now     func() time.Time // nil: time.Now
}

// Link makes the link of a mail, for a [Composer]. It fails if the profile has none of the kind, if
// there is no key, or with errNothing if the user has no password and gets none without.
func (s *Site) Link(m core.Mail, r Recipient) (Link, error) {
	domain := s.Domain
	scheme, rest, ok := strings.Cut(domain, "://")
	if ok {
		domain = rest
	} else {
		scheme = "https"
	}
	domain = strings.TrimRight(domain, "/")
	l := Link{SiteName: s.Name, Domain: domain}
	if l.SiteName == "" {
		l.SiteName = domain
	}
	if !m.Kind.HasLink() {
		return l, nil
	}
	p, ok := s.Profile(m.Profile)
	target := p.URLs[m.Kind]
	if !ok || target == "" || s.Links == nil {
		return Link{}, fmt.Errorf("mails of the kind %q have no link in the profile %q", m.Kind, m.Profile)
	}
	if p.denies(m.Kind, r.PasswordHash) {
		return Link{}, errNothing
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	g := *s.Links
	g.AllEmails = p.AllEmails
	if m.Kind == core.MailEmailVerification {
		l.Token = g.MakeEmailKey(r.AddressID, now())
	} else {
		user := r.LinkUser()
		user.Emails = r.Emails
		l.UID, l.Token = maillink.EncodeUID(p.UID, r.ID), g.Make(user, now())
	}
	target = strings.NewReplacer("{uid}", l.UID, "{token}", l.Token, "{key}", l.Token).Replace(target)
	if u, err := url.Parse(target); err == nil && u.Scheme != "" && u.Host != "" {
		l.URL = target
	} else {
		l.URL = scheme + "://" + domain + "/" + strings.TrimLeft(target, "/")
	}
	return l, nil
}
