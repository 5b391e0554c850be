package mailer

import (
	"context"
	"errors"
	"net/textproto"

	"github.com/authcompat/authcompat/core"
)

// codes of answers that are final: the same command will be refused again (RFC 5321, section 4.2.1).
const firstPermanent = 500

// What came of a try that says nothing of the mail.
const (
	broken  = "broken"  // the connection, or the store, failed before the server had all of it
	blocked = "blocked" // the server takes no mails at all
)

// deliver hands a mail to the server. The outcome is Sent, Refused, Postponed, Unknown, broken or
// blocked. It counts m.Deliveries in the store before the
// server gets the text, and in m as it is then.
func (s *Sender) deliver(ctx context.Context, m *core.Mail, e envelope) (outcome string, err error) {
	if err := s.session.UpdateDeadline(s.server.Timeout); err != nil {
		return broken, err
	}
	if err := s.session.Mail(e.from); err != nil { // which is the same for all mails
		return blocked, err
	}
	if err := s.session.Rcpt(e.to); err != nil {
		return s.declined(err, refusal(err))
	}
	text, err := s.session.Data()
	if err != nil {
		return s.declined(err, refusal(err))
	}
	m.Deliveries++
	if err := s.store.UpdateMail(ctx, *m); err != nil {
		m.Deliveries--
		if errors.Is(err, core.ErrNotFound) { // the user has another address by now, or another sender has it
			err = nil
		}
		return broken, err // hanging up before the end of the text takes the mail back
	}
	if _, err := text.Write(e.content); err != nil {
		m.Deliveries--
		return broken, err
	}
	if err := text.Close(); err != nil {
		if codeOf(err) == 0 {
			return Unknown, err
		}
		m.Deliveries--
		return refusal(err), err
	}
	return Sent, nil
}

// declined returns the outcome of a command that the server has refused, and begins anew, or
// broken if there was no answer.
func (s *Sender) declined(err error, outcome string) (string, error) {
	if codeOf(err) == 0 {
		return broken, err
	}
	if s.session.Reset() != nil {
		s.hangUp()
	}
	return outcome, err
}

// refusal returns the outcome of an answer that refuses a mail.
func refusal(err error) string {
	if codeOf(err) >= firstPermanent {
		return Refused
	}
	return Postponed
}

// codeOf returns the code of a server's answer, or 0 if the error is none. What else the answer says
// is not logged: it may repeat an address or a part of the text.
func codeOf(err error) int {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return answer.Code
	}
	return 0
}

// quit ends the connection in which nothing is under way, if there is one.
func (s *Sender) quit() {
	if s.session == nil {
		return
	}
	if s.session.UpdateDeadline(s.server.Timeout) == nil {
		_ = s.session.Quit() // all mails are settled
	}
	s.hangUp()
}

// hangUp cuts the connection, if there is one.
func (s *Sender) hangUp() {
	if s.session == nil {
		return
	}
	_ = s.session.Close()
	s.session = nil
}
