package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/mailer"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/profiles/smallfile"
)

// Mail are the settings of mails and of the links in them, and what they come to.
type Mail struct {
	Host         string // of the SMTP server; empty: no mails are sent
	Port         int    // 0: that of the encryption
	Encryption   flagvalue.Enum
	Username     string
	PasswordFile string // empty: without authentication
	From         string
	TemplatesDir string // folder; empty: the built-in templates
	SiteName     string
	Domain       string // of the site that links lead to

	// The limits of what one user, one recipient and one client address make the server send; see
	// core.LoginLimits.
	UserLimit, RecipientLimit, AddressLimit flagvalue.RateLimit

	SecretKeyFile string // with Django's SECRET_KEY; empty: there are no links
	TimeZone      string // Django's TIME_ZONE
	LinkFormat    flagvalue.Enum
	LinkTimeout   flagvalue.Duration

	// What the settings come to, once they are resolved.
	Server    mailer.Server
	Templates *mailer.Templates
	Links     *maillink.Generator // nil: there is no key
}

// The flags of mails.
const (
	smtpHostFlag         = "smtp-host"
	smtpPortFlag         = "smtp-port"
	smtpEncryptionFlag   = "smtp-encryption"
	smtpUsernameFlag     = "smtp-username"
	smtpPasswordFileFlag = "smtp-password-file"
	smtpFromFlag         = "smtp-from"
	mailTemplatesFlag    = "mail-templates"
	mailSiteNameFlag     = "mail-site-name"
	mailDomainFlag       = "mail-domain"
	mailUserFlag         = "mail-limit-per-user"
	mailRecipientFlag    = "mail-limit-per-recipient"
	mailAddressFlag      = "mail-limit-per-address"
	secretKeyFlag        = "django-secret-key-file"
	timeZoneFlag         = "django-time-zone"
	linkFormatFlag       = "link-format"
	linkTimeoutFlag      = "link-timeout"
)

// newMail returns the default settings of mails.
func newMail() Mail {
	return Mail{
		Encryption:  flagvalue.NewEnum(mailer.STARTTLS, mailer.TLS, mailer.None),
		TimeZone:    "UTC",
		LinkFormat:  flagvalue.NewEnum(maillink.Django31, maillink.Django31SHA1, maillink.Django22),
		LinkTimeout: flagvalue.Duration(maillink.DefaultTimeout),

		UserLimit:      flagvalue.RateLimit(core.DefaultUserMailLimit()),
		RecipientLimit: flagvalue.RateLimit(core.DefaultRecipientMailLimit()),
		AddressLimit:   flagvalue.RateLimit(core.DefaultAddressMailLimit()),
	}
}

// addFlags adds the settings to the flags of a command.
func (m *Mail) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&m.Host, smtpHostFlag, "", "SMTP server that takes mails (reset of a password, activation); none are sent if empty")
	flags.IntVar(&m.Port, smtpPortFlag, 0, "its port; 0: 587 for starttls, 465 for tls, 25 for none")
	flags.Var(&m.Encryption, smtpEncryptionFlag, "how it is talked to: starttls, tls (from the beginning) or none")
	flags.StringVar(&m.Username, smtpUsernameFlag, "", "name to log in with at the SMTP server; none if empty")
	flags.StringVar(&m.PasswordFile, smtpPasswordFileFlag, "", "file with the password for it")
	flags.StringVar(&m.From, smtpFromFlag, "", "sender of mails, as Example <noreply@example.org>")
	flags.StringVar(&m.TemplatesDir, mailTemplatesFlag, "", "folder with templates of mails, as password_reset.txt, for those that are not to be the built-in ones")
	flags.StringVar(&m.SiteName, mailSiteNameFlag, "", "what mails call the site; the domain if empty")
	flags.StringVar(&m.Domain, mailDomainFlag, "", "domain that links in mails lead to, as www.example.org or https://www.example.org")
	flags.Var(&m.UserLimit, mailUserFlag, "mails with a link to one user, and likewise those without")
	flags.Var(&m.RecipientLimit, mailRecipientFlag, "mails with a new password, and as many others, to one mailbox, whoever has its address")
	flags.Var(&m.AddressLimit, mailAddressFlag, "mails that are asked for from one client address")
	flags.StringVar(&m.SecretKeyFile, secretKeyFlag, "", "file with Django's SECRET_KEY, which makes links in mails; further lines are SECRET_KEY_FALLBACKS")
	flags.StringVar(&m.TimeZone, timeZoneFlag, "UTC", "Django's TIME_ZONE, for the times in its links")
	flags.Var(&m.LinkFormat, linkFormatFlag, "links that are made are those of Django 3.1 and later, 3.1-sha1 (with DEFAULT_HASHING_ALGORITHM), or 2.2 and 3.0; all are accepted")
	flags.Var(&m.LinkTimeout, linkTimeoutFlag, "how long a link is good (PASSWORD_RESET_TIMEOUT)")
}

// mailSettings returns the keys of mails.
func mailSettings() []setting {
	return []setting{
		of("smtp.host", smtpHostFlag, restartOnly, func(c *Config) *string { return &c.Mail.Host }),
		of("smtp.port", smtpPortFlag, restartOnly, func(c *Config) *int { return &c.Mail.Port }),
		of("smtp.encryption", smtpEncryptionFlag, restartOnly, func(c *Config) *string { return &c.Mail.Encryption.Value }),
		of("smtp.username", smtpUsernameFlag, restartOnly, func(c *Config) *string { return &c.Mail.Username }),
		of("smtp.password_file", smtpPasswordFileFlag, restartOnly, func(c *Config) *string { return &c.Mail.PasswordFile }),
		of("smtp.from", smtpFromFlag, restartOnly, func(c *Config) *string { return &c.Mail.From }),
		of("mail.templates", mailTemplatesFlag, restartOnly, func(c *Config) *string { return &c.Mail.TemplatesDir }),
		of("mail.site_name", mailSiteNameFlag, restartOnly, func(c *Config) *string { return &c.Mail.SiteName }),
		of("mail.domain", mailDomainFlag, restartOnly, func(c *Config) *string { return &c.Mail.Domain }),
		of("mail.limit_per_user", mailUserFlag, reloadable, func(c *Config) *flagvalue.RateLimit { return &c.Mail.UserLimit }),
		of("mail.limit_per_recipient", mailRecipientFlag, reloadable, func(c *Config) *flagvalue.RateLimit { return &c.Mail.RecipientLimit }),
		of("mail.limit_per_address", mailAddressFlag, reloadable, func(c *Config) *flagvalue.RateLimit { return &c.Mail.AddressLimit }),
		of("django_secret_key_file", secretKeyFlag, restartOnly, func(c *Config) *string { return &c.Mail.SecretKeyFile }),
		of("django_time_zone", timeZoneFlag, restartOnly, func(c *Config) *string { return &c.Mail.TimeZone }),
		of("link_format", linkFormatFlag, restartOnly, func(c *Config) *string { return &c.Mail.LinkFormat.Value }),
		of("link_timeout", linkTimeoutFlag, restartOnly, func(c *Config) *flagvalue.Duration { return &c.Mail.LinkTimeout }),
		of("common_passwords_file", CommonPasswordsFlag, reloadable, func(c *Config) *string { return &c.CommonPasswords.File }),
	}
}

// checkMail reads what the settings of mails name, and puts it together.
func (f *Server) checkMail(ctx context.Context, found *section.Problems) {
	m := &f.Mail
	f.checkLinks(ctx, found)
	if m.Host == "" {
		for _, s := range []struct{ flag, value string }{{smtpUsernameFlag, m.Username}, {smtpPasswordFileFlag, m.PasswordFile}, {smtpFromFlag, m.From}} {
			if s.value != "" && !found.Refused[smtpHostFlag] {
				found.Add(f.source(s.flag), "needs the SMTP server (--%s, smtp.host)", smtpHostFlag)
			}
		}
		return
	}
	m.Server = mailer.Server{Host: m.Host, Port: m.Port, Encryption: mailer.Encryption(m.Encryption.Value), Username: m.Username, From: m.From}
	switch {
	case (m.Username == "") != (m.PasswordFile == ""):
		found.Add(f.source(smtpUsernameFlag), "a name and a file with its password (--%s, smtp.password_file) go together", smtpPasswordFileFlag)
	case m.PasswordFile != "":
		lines, err := secretLines(ctx, m.PasswordFile)
		if err != nil {
			found.Add(f.source(smtpPasswordFileFlag), "%v", err)
		} else {
			m.Server.Password = lines[0]
		}
	}
	if err := m.Server.Check(); err != nil {
		for line := range strings.Lines(err.Error()) {
			found.Add(f.source(smtpHostFlag), "%s", strings.TrimSpace(line))
		}
	}
	var err error
	if m.TemplatesDir == "" {
		m.Templates, err = mailer.LoadTemplates(nil)
	} else {
		m.Templates, err = mailer.LoadTemplates(os.DirFS(m.TemplatesDir))
	}
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			found.Add(f.source(mailTemplatesFlag), "%s", strings.TrimSpace(line))
		}
	}
}

// checkLinks reads the key of links.
func (f *Server) checkLinks(ctx context.Context, found *section.Problems) {
	m := &f.Mail
	zone, err := time.LoadLocation(m.TimeZone)
	if err != nil || m.TimeZone == "" || m.TimeZone == "Local" {
		found.Add(f.source(timeZoneFlag), "%q is no time zone, as Europe/Paris", m.TimeZone)
	}
	if m.LinkTimeout <= 0 && !found.Refused[linkTimeoutFlag] {
		found.Add(f.source(linkTimeoutFlag), "a link has to be good for some time, as 3d")
	}
	if m.SecretKeyFile == "" {
		return
	}
	keys, err := secretLines(ctx, m.SecretKeyFile)
	if err != nil {
		found.Add(f.source(secretKeyFlag), "%v", err)
		return
	}
	m.Links = &maillink.Generator{Secrets: keys, Format: maillink.Format(m.LinkFormat.Value), Timeout: time.Duration(m.LinkTimeout), Zone: zone}
}

// secretLines reads a file with a secret in each line. Errors have none.
func secretLines(ctx context.Context, name string) (lines []string, err error) {
	data, err := smallfile.Read(ctx, name)
	if errors.Is(err, smallfile.ErrTooLarge) {
		err = fmt.Errorf("%s is larger than 1 MiB", name)
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s has no text", name)
	}
	return lines, nil
}
