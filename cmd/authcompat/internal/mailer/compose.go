package mailer

import (
	"context"
	"errors"

	"github.com/authcompat/authcompat/core"
)

// Link is what the mails of a profile say of where they lead to.
type Link struct {
	SiteName, Domain string
	URL, UID, Token  string // empty for kinds without a link
}

// Composer makes mails of what the queue has.
type Composer struct {
	Store     core.MailStore
	Accounts  core.AccountStore
	Templates *Templates
	// Link returns the link of a mail, with a new token if its kind has one. It is asked when the mail
	// is sent.
	Link func(m core.Mail, a core.Account) (Link, error)
}

// errNothing is the error of a mail that nobody is to get any more.
var errNothing = errors.New("nobody is to get this mail any more")

// compose returns the message of a mail. It fails with errNothing if its user is gone, has no address, or
// is not active, or for an activation is active already.
func (c *Composer) compose(ctx context.Context, m core.Mail) (Message, error) {
	account, err := c.Accounts.AccountByID(ctx, m.UserID)
	if errors.Is(err, core.ErrNotFound) {
		return Message{}, errNothing
	}
	if err != nil {
		return Message{}, &unavailableError{err}
	}
	if account.Email == "" || account.Active == (m.Kind == core.MailActivation) {
		return Message{}, errNothing
	}
	link, err := c.Link(m, account)
	if err != nil {
		return Message{}, err
	}
	// Whoever registers with somebody's address chooses the name, and must not write paragraphs of the mail.
	message, err := c.Templates.Fill(m.Kind, m.Profile, Data{
		SiteName: link.SiteName, Domain: link.Domain, Username: oneLine(account.Username), Email: account.Email,
		URL: link.URL, UID: link.UID, Token: link.Token,
	})
	message.To = account.Email
	return message, err
}

// unavailableError is an error of the store, which another try may not have.
type unavailableError struct{ err error }

// Error implements error.
func (e *unavailableError) Error() string { return e.err.Error() }

// Unwrap returns the store's error.
func (e *unavailableError) Unwrap() error { return e.err }
