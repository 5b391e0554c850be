package mailer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
)

// Encryption says how the connection to the server is encrypted.
type Encryption string

// The ways.
const (
	STARTTLS Encryption = "starttls" // Django's EMAIL_USE_TLS; a server without it gets nothing
	TLS      Encryption = "tls"      // from the beginning: EMAIL_USE_SSL
	None     Encryption = "none"     // Django's default; a password is sent to this machine alone
)

// Server is the SMTP server that takes the mails.
type Server struct {
	Host string // a name or an address, without a port
	Port int    // 0: 587, 465 with TLS, and 25 with None
	// Encryption is STARTTLS if it is empty.
	Encryption Encryption
	Username   string // empty: without authentication
	Password   string
	From       string // the sender, as in "Example <noreply@example.org>"
	// Name is what the server is greeted with (EHLO); empty: the machine's host name.
	Name string
	// Timeout limits connecting, and each mail; 0: DefaultTimeout.
	Timeout time.Duration
	// TLSConfig has the authorities that are trusted; nil: the machine's.
	TLSConfig *tls.Config
}

// DefaultTimeout is the default of Server.Timeout.
const DefaultTimeout = 30 * time.Second

// Check returns what is wrong with the settings, or nil. It has no secret.
func (s Server) Check() error {
	var errs []error
	if s.Host == "" {
		errs = append(errs, errors.New("the host of the SMTP server is missing"))
	}
	if s.Port < 0 || s.Port > 65535 {
		errs = append(errs, fmt.Errorf("%d is no port", s.Port))
	}
	if !slices.Contains([]Encryption{"", STARTTLS, TLS, None}, s.Encryption) {
		errs = append(errs, fmt.Errorf("%q is not one of starttls, tls and none", s.Encryption))
	}
	if s.From == "" {
		errs = append(errs, errors.New("the sender of mails (smtp.from) is missing"))
	} else if _, err := netmail.ParseAddress(s.From); err != nil {
		errs = append(errs, fmt.Errorf("the sender %q is no address", s.From))
	}
	if s.Username != "" && s.Encryption == None && !flagvalue.IsLoopback(s.Host) {
		errs = append(errs, errors.New("a password would be sent unencrypted: use starttls or tls"))
	}
	if s.Timeout < 0 {
		errs = append(errs, errors.New("the timeout is negative"))
	}
	return errors.Join(errs...)
}

// withDefaults fills what is left out.
func (s Server) withDefaults() Server {
	if s.Encryption == "" {
		s.Encryption = STARTTLS
	}
	if s.Port == 0 {
		s.Port = map[Encryption]int{STARTTLS: mail.DefaultPortTLS, TLS: mail.DefaultPortSSL, None: mail.DefaultPort}[s.Encryption]
	}
	if s.Timeout == 0 {
		s.Timeout = DefaultTimeout
	}
	return s
}

// connect returns a session in which the server takes mails. Its connection is closed if anything
// fails.
func (s Server) connect(ctx context.Context) (*smtp.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLSConfig != nil {
		config = s.TLSConfig.Clone()
	}
	config.ServerName = s.Host
	var conn net.Conn
	dial := func(ctx context.Context, network, address string) (_ net.Conn, err error) {
		if conn, err = (&net.Dialer{}).DialContext(ctx, network, address); err != nil {
			return nil, err
		}
		conn = &answering{Conn: conn}
		if s.Encryption == TLS {
			encrypted := tls.Client(conn, config)
			conn, err = encrypted, encrypted.HandshakeContext(ctx)
		}
		return conn, err
	}
	policy := mail.NoTLS
	if s.Encryption == STARTTLS {
		policy = mail.TLSMandatory
	}
	options := []mail.Option{mail.WithPort(s.Port), mail.WithTimeout(s.Timeout), mail.WithTLSPolicy(policy), mail.WithTLSConfig(config), mail.WithDialContextFunc(dial)}
	if s.Name != "" {
		options = append(options, mail.WithHELO(s.Name))
	}
	if s.Username != "" {
		options = append(options, mail.WithSMTPAuthCustom(&auth{server: s}))
	}
	client, err := mail.NewClient(s.Host, options...)
	if err != nil {
		return nil, err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		if conn != nil { // go-mail leaves it open
			_ = conn.Close()
		}
		return nil, err
	}
	return session, nil
}

// maxAnswer bounds what a server says to one thing that it is told, in bytes: go-mail keeps an answer of any length.
const maxAnswer = 256 << 10

// answering is a connection to a server whose answers are bounded. It is used by one goroutine.
type answering struct {
	net.Conn
	said int // since the last Write
}

// Write implements net.Conn.
func (a *answering) Write(b []byte) (int, error) {
	a.said = 0
	return a.Conn.Write(b)
}

// Read implements net.Conn.
func (a *answering) Read(b []byte) (int, error) {
	if a.said > maxAnswer {
		return 0, fmt.Errorf("the server's answer has more than %d bytes", maxAnswer)
	}
	n, err := a.Conn.Read(b)
	a.said += n
	return n, err
}

// auth authenticates by the best mechanism that the server offers.
type auth struct {
	server Server
	chosen smtp.Auth
}

// Start implements [smtp.Auth].
func (a *auth) Start(server *smtp.ServerInfo) (proto string, toServer []byte, err error) {
	name, password, local := a.server.Username, a.server.Password, flagvalue.IsLoopback(a.server.Host)
	offers := func(mechanism string) bool {
		return slices.ContainsFunc(server.Auth, func(m string) bool { return strings.EqualFold(m, mechanism) })
	}
	switch {
	case offers("SCRAM-SHA-256"):
		a.chosen = smtp.ScramSHA256Auth(name, password)
	case offers("SCRAM-SHA-1"):
		a.chosen = smtp.ScramSHA1Auth(name, password)
	case offers("CRAM-MD5"):
		a.chosen = smtp.CRAMMD5Auth(name, password)
	case offers("PLAIN"):
		a.chosen = smtp.PlainAuth("", name, password, a.server.Host, local)
	case offers("LOGIN"):
		a.chosen = smtp.LoginAuth(name, password, a.server.Host, local)
	default:
		return "", nil, errors.New("the server offers no authentication that is known here")
	}
	return a.chosen.Start(server)
}

// Next implements [smtp.Auth].
func (a *auth) Next(fromServer []byte, more bool) (toServer []byte, err error) {
	return a.chosen.Next(fromServer, more)
}
