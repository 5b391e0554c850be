package mailer

import (
	"context"
	"errors"

	"github.com/authcompat/authcompat/core"
)

// Link is what the mails of a profile say of where they lead to.
type Link struct {
	SiteName, Domain string
	URL, UID, Token  string // empty for kinds without a link; a link with a key has no UID, and the key as its Token
}

// Composer makes mails of what the queue has.
type Composer struct {
	Store     core.MailStore
	Accounts  core.AccountStore
	Addresses core.AddressStore // nil: nobody verifies an address, and mails about that are to nobody
	Templates *Templates
	// Link returns the link of a mail, with a new token or key if its kind has one. It is asked when the
	// mail is sent.
	Link func(m core.Mail, r Recipient) (Link, error)
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
	recipient, err := c.recipient(ctx, m, account)
	if err != nil {
		return Message{}, err
	}
	link, err := c.Link(m, recipient)
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

// Recipient is who gets a mail.
type Recipient struct {
	core.Account
	Emails    []string // the addresses of the user, if a store keeps them
	AddressID int64    // of an address that is to be verified; else 0
}

// recipient finds what links are made of. A user who was there before addresses were verified gets one to
// verify, as allauth's pages give it (allauth/account/utils.py 0.57, send_email_confirmation). It fails with
// errNothing if the address of a mail about that is verified.
func (c *Composer) recipient(ctx context.Context, m core.Mail, a core.Account) (r Recipient, err error) {
	r.Account = a
	if m.Kind == core.MailEmailVerification {
		if c.Addresses == nil {
			return r, errNothing
		}
		address, err := c.Addresses.AddAddress(ctx, a.ID, a.Email)
		switch {
		case errors.Is(err, core.ErrNotFound), err == nil && address.Verified:
			return r, errNothing
		case err != nil:
			return r, &unavailableError{err}
		}
		r.AddressID = address.ID
	}
	if r.Emails, err = core.EmailsOf(ctx, c.Addresses, a.ID); err != nil {
		return r, &unavailableError{err}
	}
	return r, nil
}

// unavailableError is an error of the store, which another try may not have.
type unavailableError struct{ err error }

// Error implements error.
func (e *unavailableError) Error() string { return e.err.Error() }

// Unwrap returns the store's error.
func (e *unavailableError) Unwrap() error { return e.err }
