package mailer

import (
	"bytes"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"github.com/authcompat/authcompat/dialects/pyidna"
)

// Message is a mail as it is sent.
type Message struct {
	To      string // an address, without a name
	Subject string
	Text    string
	HTML    string // empty: none
}

// envelope is a message on its way.
type envelope struct {
	from, to string // as SMTP writes them, in angle brackets
	content  []byte
}

// pack encodes a message. The ID tells the receiver that a second one is the same.
func (s Server) pack(m Message, id string, now time.Time) (envelope, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.From(s.From); err != nil {
		return envelope{}, err
	}
	if err := msg.To(asciiDomain(pyidna.New(), m.To)); err != nil {
		return envelope{}, err
	}
	from, err := msg.GetSender(false)
	if err != nil {
		return envelope{}, err
	}
	to, err := msg.GetRecipients()
	if err != nil {
		return envelope{}, err
	}
	_, domain, _ := strings.Cut(strings.Trim(from, "<>"), "@")
	msg.SetMessageIDWithValue(id + "@" + domain)
	msg.SetDateWithValue(now)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation replies
	msg.Subject(oneLine(m.Subject))
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	}
	var content bytes.Buffer
	if _, err := msg.WriteTo(&content); err != nil {
		return envelope{}, err
	}
	return envelope{from: from, to: to[0], content: content.Bytes()}, nil
}

// asciiDomain returns an address with its domain as SMTP servers without SMTPUTF8 take it and as Django writes it
// (django/core/mail/message.py 3.2, sanitize_address), or as it is if it has no such form.
func asciiDomain(names *pyidna.Codec, address string) string {
	at := strings.LastIndexByte(address, '@') + 1
	if strings.IndexFunc(address[at:], func(r rune) bool { return r > unicode.MaxASCII }) < 0 {
		return address
	}
	domain, err := names.ToASCII(address[at:])
	if err != nil {
		return address
	}
	return address[:at] + domain
}

// Mailbox returns a function for one of the spellings of an address ([core.Config].Mailbox): where mails to it go, without a
// name, comments or quotes, and with the letters of an internationalized domain. Django's validator takes addresses in
// quotes, and names with characters that IDNA drops, in any number: all reach the same. What is no address stays as it is.
func Mailbox() func(address string) string {
	names := pyidna.New()
	return func(address string) string {
		parsed, err := netmail.ParseAddress(asciiDomain(names, address))
		if err != nil {
			return address
		}
		at := strings.LastIndexByte(parsed.Address, '@') + 1
		domain, err := idna.Punycode.ToUnicode(strings.ToLower(parsed.Address[at:]))
		if err != nil {
			return parsed.Address
		}
		return parsed.Address[:at] + domain
	}
}

// oneLine joins the lines of a text: of a subject, so that none becomes a header, as Django's templates do,
// or of a name, so that none becomes a line of the mail.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
