package mailer

import (
	"bytes"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

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

// oneLine joins the lines of a text: of a subject, so that none becomes a header, as Django's templates do,
// or of a name, so that none becomes a line of the mail.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
