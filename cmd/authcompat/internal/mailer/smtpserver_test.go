package mailer

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// drop is the answer of an smtpServer that ends the connection.
const drop = "drop"

// smtpServer is a server on loopback that takes mails.
type smtpServer struct {
	port     int
	listener net.Listener
	tls      *tls.Config // for STARTTLS; nil: it has none
	implicit bool        // TLS from the beginning
	offers   string      // mechanisms of AUTH; empty: none
	password string

	mutex    sync.Mutex
	answer   func(command string) string // to a command, "connect", or "." for the end of a text; empty: as usual
	accepted []taken
	sessions int
	closed   bool
	open     map[net.Conn]bool
}

// taken is a mail that the server has.
type taken struct {
	from, to, text string
	tls            bool
	user           string
}

// newServer starts a server.
func newServer(t *testing.T, configure func(*smtpServer)) *smtpServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &smtpServer{listener: listener, port: listener.Addr().(*net.TCPAddr).Port, open: make(map[net.Conn]bool)}
	if configure != nil {
		configure(s)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if !s.track(conn) {
				return
			}
			served.Go(func() {
				defer s.forget(conn)
				s.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		s.mutex.Lock()
		s.closed = true
		_ = listener.Close()
		for conn := range s.open {
			_ = conn.Close()
		}
		s.mutex.Unlock()
		served.Wait()
	})
	return s
}

func (s *smtpServer) track(conn net.Conn) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed {
		_ = conn.Close()
		return false
	}
	s.sessions++
	s.open[conn] = true
	return true
}

func (s *smtpServer) forget(conn net.Conn) {
	_ = conn.Close()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.open, conn)
}

// mails returns those that the server has.
func (s *smtpServer) mails() []taken {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]taken{}, s.accepted...)
}

// special returns the answer to a command that a test has set.
func (s *smtpServer) special(command string) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.answer == nil {
		return ""
	}
	return s.answer(command)
}

// serve speaks SMTP, as far as a client of this package does.
func (s *smtpServer) serve(conn net.Conn) {
	var m taken
	if s.implicit {
		conn, m.tls = tls.Server(conn, s.tls), true
	}
	text := textproto.NewConn(conn)
	greeting := s.special("connect")
	if greeting == drop {
		return
	}
	if greeting == "" {
		greeting = "220 ready"
	}
	for reply := greeting; reply != drop; {
		if text.PrintfLine("%s", reply) != nil {
			return
		}
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		if reply = s.special(line); reply != "" {
			continue
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			reply = "250-here\r\n250-8BITMIME\r\n"
			if s.tls != nil && !m.tls {
				reply += "250-STARTTLS\r\n"
			}
			if s.offers != "" {
				reply += "250-AUTH " + s.offers + "\r\n"
			}
			reply += "250 ENHANCEDSTATUSCODES"
		case "STARTTLS":
			if text.PrintfLine("220 go ahead") != nil {
				return
			}
			conn = tls.Server(conn, s.tls)
			text, m.tls = textproto.NewConn(conn), true
			line, err := text.ReadLine()
			if err != nil || !strings.HasPrefix(line, "EHLO") {
				return
			}
			reply = "250-here\r\n250-AUTH " + s.offers + "\r\n250 ENHANCEDSTATUSCODES"
		case "AUTH":
			_, initial, _ := strings.Cut(rest, " ")
			secret, _ := base64.StdEncoding.DecodeString(initial)
			parts := strings.Split(string(secret), "\x00")
			if len(parts) == 3 && parts[2] == s.password {
				m.user, reply = parts[1], "235 2.7.0 good"
			} else {
				reply = "535 5.7.8 bad"
			}
		case "MAIL":
			m.from, reply = rest, "250 2.1.0 ok"
		case "RCPT":
			m.to, reply = strings.TrimPrefix(rest, "TO:"), "250 2.1.5 ok"
		case "DATA":
			if text.PrintfLine("354 go ahead") != nil {
				return
			}
			content, err := readText(text.R)
			if err != nil {
				return
			}
			m.text = content
			if reply = s.special("."); reply == "" || reply == drop {
				s.mutex.Lock()
				s.accepted = append(s.accepted, m)
				s.mutex.Unlock()
			}
			if reply == "" {
				reply = "250 2.0.0 queued"
			}
		case "RSET", "NOOP":
			reply = "250 2.0.0 ok"
		case "QUIT":
			_ = text.PrintfLine("221 2.0.0 bye")
			return
		default:
			reply = "500 5.5.1 what?"
		}
	}
}

// readText reads the text of a mail, with its line ends.
func readText(r *bufio.Reader) (string, error) {
	var content strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == ".\r\n" {
			return content.String(), nil
		}
		content.WriteString(strings.TrimPrefix(line, "."))
	}
}
