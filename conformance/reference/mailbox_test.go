//go:build originals

package reference_test

import (
	"context"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/authcompat/authcompat/conformance/differential"
	"github.com/authcompat/authcompat/store"
)

// A mailbox has the mails that an SMTP server on loopback has taken.
type mailbox struct {
	port int

	mu    sync.Mutex
	mails []differential.Mail
	err   error
}

// newMailbox starts an SMTP server, which ends with the test.
func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailbox{port: listener.Addr().(*net.TCPAddr).Port}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() { m.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		served.Wait()
	})
	return m
}

// serve says yes to all that one client says.
func (m *mailbox) serve(conn net.Conn) {
	defer conn.Close()
	text := textproto.NewConn(conn)
	for reply := "220 ready"; text.PrintfLine("%s", reply) == nil; reply = "250 ok" {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		if !strings.EqualFold(line, "DATA") {
			continue
		}
		_ = text.PrintfLine("354 go ahead") // an error is that of the next line
		lines, err := text.ReadDotLines()
		if err != nil {
			return
		}
		m.take(strings.Join(lines, "\r\n"))
	}
}

func (m *mailbox) take(text string) {
	mail, err := read(text)
	// Django also sends to an address with control characters in quotes, which ours takes for none.
	if err == nil && strings.ContainsFunc(mail.To, unicode.IsControl) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = append(m.mails, mail)
	if err != nil && m.err == nil {
		m.err = fmt.Errorf("%w: %q", err, text)
	}
}

// empty returns the mails that have come, once.
func (m *mailbox) empty() ([]differential.Mail, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mails := m.mails
	m.mails = nil
	return mails, m.err
}

// kinds are the subjects of our built-in templates, and the kinds of the mails, as djoser's templates are called. Genuine mails say it in
// X-Kind.
var kinds = []struct{ subject, kind string }{
	{"Activate your account at ", differential.Activation},
	{"A new password for ", differential.PasswordReset},
	{"A new user name for ", differential.UsernameReset},
	{"Your account at ", "confirmation"},
	{"Your password for ", "password_changed_confirmation"},
	{"Your user name for ", "username_changed_confirmation"},
}

// link is that of a mail, with the paths of djoser's documents.
var link = regexp.MustCompile(`https://example\.com/#/(password/reset/confirm|username/reset/confirm|activate)/(\w+)/([\w-]+)`)

// paths are those of links, by the kind of the mail.
var paths = map[string]string{differential.PasswordReset: "password/reset/confirm", differential.UsernameReset: "username/reset/confirm", differential.Activation: "activate"}

func read(text string) (differential.Mail, error) {
	parsed, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return differential.Mail{}, err
	}
	body := io.Reader(parsed.Body)
	if strings.EqualFold(parsed.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	all, err := io.ReadAll(body)
	if err != nil {
		return differential.Mail{}, err
	}
	m := differential.Mail{Kind: parsed.Header.Get("X-Kind")}
	// Django encodes the part of an address before the @ where it is not ASCII, as a word of a name: nobody gets such a
	// mail. Ours has the address.
	if m.To, err = new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("To")); err != nil {
		return m, err
	}
	if to, err := mail.ParseAddress(m.To); err == nil {
		m.To = to.Address
	}
	m.To = strings.NewReplacer(`"`, "", `\`, "").Replace(m.To) // one address is quoted in several ways
	for _, k := range kinds {
		if strings.HasPrefix(parsed.Header.Get("Subject"), k.subject) {
			m.Kind = k.kind
		}
	}
	found := link.FindSubmatch(all)
	if (found == nil) != (paths[m.Kind] == "") || found != nil && string(found[1]) != paths[m.Kind] {
		return m, fmt.Errorf("a mail of the kind %q has the link %q", m.Kind, found)
	}
	if found != nil {
		m.UID, m.Token = string(found[2]), string(found[3])
	}
	return m, nil
}

// mailsOf returns what waits for the mails of a request: the reference server has sent its own when it
// answers, ours when none waits in its store any more.
func mailsOf(t *testing.T, reference, ours *mailbox, file string) func(context.Context) (reference, subject []differential.Mail, err error) {
	t.Helper()
	opened, err := store.Open(t.Context(), "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(ctx context.Context) (r, s []differential.Mail, err error) {
		ctx, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		for tick := time.NewTicker(time.Millisecond); ; {
			waiting, err := opened.Backend.Mail.CountMails(ctx)
			if err != nil {
				return nil, nil, fmt.Errorf("mails in %s: %w", filepath.Base(file), err)
			}
			if waiting == 0 {
				tick.Stop()
				break
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil, nil, fmt.Errorf("%d mails wait: %w", waiting, ctx.Err())
			}
		}
		if r, err = reference.empty(); err == nil {
			s, err = ours.empty()
		}
		return r, s, err
	}
}
