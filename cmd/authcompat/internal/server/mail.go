package server

import (
	"github.com/authcompat/authcompat/cmd/authcompat/internal/mailer"
)

// openMail makes what sends mails, if there is an SMTP server.
func (s *server) openMail() (err error) {
	m, queue := &s.current().Mail, s.engine.Backend.Mail
	if m.Host == "" || queue == nil {
		return nil
	}
	site := &mailer.Site{Name: m.SiteName, Domain: m.Domain, Links: m.Links, Profile: s.profileLinks}
	s.mail, err = mailer.New(m.Server, &mailer.Composer{Store: queue, Accounts: s.engine.Backend.Accounts, Templates: m.Templates, Link: site.Link}, mailer.Options{
		Log: s.log, Clock: s.engine.Now, OnOutcome: s.metrics.RegisterMails(mailer.Outcomes()...),
	})
	if err == nil {
		s.engine.OnMail(s.mail.Wake)
	}
	return err
}

// profileLinks returns where the links in a profile's mails lead to. No profile says so yet.
func (s *server) profileLinks(string) (links mailer.ProfileLinks, ok bool) { return links, false }
