package server

import (
	"slices"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/mailer"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// openMail makes what sends mails, if there is an SMTP server.
func (s *server) openMail() (err error) {
	m, queue := &s.current().Mail, s.engine.Backend.Mail
	if m.Host == "" || queue == nil {
		return nil
	}
	site := &mailer.Site{Name: m.SiteName, Domain: m.Domain, Links: m.Links, Profile: s.profileLinks}
	s.mail, err = mailer.New(m.Server, &mailer.Composer{Store: queue, Accounts: s.engine.Backend.Accounts, Addresses: s.engine.Backend.Addresses, Templates: m.Templates, Link: site.Link}, mailer.Options{
		Log: s.log, Clock: s.engine.Now, OnOutcome: s.metrics.RegisterMails(mailer.Outcomes()...),
	})
	if err == nil {
		s.engine.OnMail(s.mail.Wake)
	}
	return err
}

// profileLinks returns where the links in a profile's mails lead to.
func (s *server) profileLinks(name string) (links mailer.ProfileLinks, ok bool) {
	for _, a := range s.apis {
		p := a.bound.Load().Profile
		if p.Name != name {
			continue
		}
		links = mailer.ProfileLinks{
			URLs: map[core.MailKind]string{
				core.MailPasswordReset:     p.Mails.PasswordResetConfirmURL,
				core.MailUsernameReset:     p.Mails.UsernameResetConfirmURL,
				core.MailActivation:        p.Mails.ActivationURL,
				core.MailEmailVerification: p.Mails.EmailConfirmURL,
			},
		}
		links.UID, links.AllEmails = dialects.LinkForm(p)
		links.PasswordLater = slices.ContainsFunc(p.Endpoints, func(e profiles.Endpoint) bool {
			_, takes := e.Field(profiles.RolePassword)
			return e.Action == profiles.Register && !takes
		})
		return links, true
	}
	return links, false
}

// dialectOptions are what the deployment adds to profiles.
func (s *server) dialectOptions(f *config.Config) []dialects.Option {
	return append(f.CommonPasswords.Options(), dialects.WithLinks(s.started.Mail.Links))
}

// warnMails warns of profiles whose mails can't be sent, or whose links nobody can follow.
func (s *server) warnMails(all []config.BoundProfile) {
	for _, p := range all {
		sends, links := p.Profile.SendsMails(), p.Profile.HasLinks()
		if sends && s.mail == nil {
			s.log.Warn("this profile sends mails, and there is no SMTP server: who asks for one, and registrations with an activation, are answered with 503, and no other mail is sent; give one with --smtp-host, or take the endpoints and mails.send out of the profile", "profile", p.Profile.Name)
		}
		if links && s.started.Mail.Links == nil {
			s.log.Warn("this profile has links in mails, and there is no key for them: what makes or follows one is answered with 503; give Django's SECRET_KEY, or any long random text, with --django-secret-key-file", "profile", p.Profile.Name)
		}
		if sends && s.mail != nil && s.started.Mail.Domain == "" {
			s.log.Warn("mails of this profile name no site, and a link that is a path leads nowhere: give the site's domain with --mail-domain", "profile", p.Profile.Name)
		}
	}
}
