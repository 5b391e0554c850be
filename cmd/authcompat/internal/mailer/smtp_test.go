package mailer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// certificate returns one for 127.0.0.1, and the pool that has it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// TestEncryption holds what is sent over which connection, and that a password is sent over none that
// is not encrypted.
func TestEncryption(t *testing.T) {
	config, pool := certificate(t)
	for _, c := range []struct {
		name       string
		server     func(*smtpServer)
		settings   func(*Server)
		tls        bool
		user, want string // want: in the error
	}{
		{"STARTTLS and a password", func(s *smtpServer) { s.tls, s.offers, s.password = config, "LOGIN PLAIN", "pässword" },
			func(s *Server) { s.Encryption, s.Username, s.Password = "", "me", "pässword" }, true, "me", ""},
		{"STARTTLS without a password", func(s *smtpServer) { s.tls = config }, func(s *Server) { s.Encryption = STARTTLS }, true, "", ""},
		{"TLS and a password", func(s *smtpServer) { s.tls, s.implicit, s.offers, s.password = config, true, "PLAIN", "pw" },
			func(s *Server) { s.Encryption, s.Username, s.Password = TLS, "me", "pw" }, true, "me", ""},
		{"neither", nil, nil, false, "", ""},
		{"a server without STARTTLS", nil, func(s *Server) { s.Encryption = STARTTLS }, false, "", "does not support STARTTLS"},
		{"a certificate of nobody", func(s *smtpServer) { s.tls = config }, func(s *Server) { s.Encryption, s.TLSConfig = STARTTLS, nil }, false, "", "certificate"},
		{"a wrong password", func(s *smtpServer) { s.tls, s.offers, s.password = config, "PLAIN", "pw" },
			func(s *Server) { s.Encryption, s.Username, s.Password = STARTTLS, "me", "wr0ng" }, false, "", "535"},
		{"no way to log in", func(s *smtpServer) { s.tls, s.offers = config, "GSSAPI" },
			func(s *Server) { s.Encryption, s.Username, s.Password = STARTTLS, "me", "wr0ng" }, false, "", "no authentication that is known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t, c.server, func(s *Server) {
				s.TLSConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
				if c.settings != nil {
					c.settings(s)
				}
			})
			o.enqueue(t, core.MailPasswordReset, 1)
			errs := o.step(t)
			if c.want != "" {
				if len(errs) != 1 || !strings.Contains(errs[0].Error(), c.want) || strings.Contains(errs[0].Error(), "wr0ng") || len(o.server.mails()) != 0 || o.waiting(t) != 1 {
					t.Errorf("%v, %d mails, want %s", errs, len(o.server.mails()), c.want)
				}
				return
			}
			got := o.server.mails()
			if errs != nil || len(got) != 1 || got[0].tls != c.tls || got[0].user != c.user {
				t.Errorf("%v, %d mails", errs, len(got))
			}
		})
	}
}

// TestLongAnswer has a server say more than fits into memory, once on each connection.
func TestLongAnswer(t *testing.T) {
	for _, command := range []string{"connect", "EHLO", "MAIL", "."} {
		o := newOffice(t, func(s *smtpServer) {
			s.answer = func(got string) string {
				if strings.HasPrefix(got, command) {
					return "250 " + strings.Repeat("x", 4*maxAnswer)
				}
				return ""
			}
		}, nil)
		o.enqueue(t, core.MailPasswordReset, 1)
		if errs := o.step(t); len(errs) != 1 || !strings.Contains(errs[0].Error(), "answer has more than") || len(errs[0].Error()) > 1000 || o.waiting(t) != 1 {
			t.Errorf("%s: %.300v, %d mails wait", command, errs, o.waiting(t))
		}
	}
}

func TestCheck(t *testing.T) {
	good := Server{Host: "mail.example.org", From: "Example <noreply@example.org>"}
	for _, c := range []struct {
		name   string
		change func(*Server)
		want   string
	}{
		{"nothing", func(*Server) {}, ""},
		{"a host", func(s *Server) { s.Host = "" }, "the host of the SMTP server is missing"},
		{"a port", func(s *Server) { s.Port = 65536 }, "65536 is no port"},
		{"an encryption", func(s *Server) { s.Encryption = "ssl" }, `"ssl" is not one of starttls, tls and none`},
		{"a sender", func(s *Server) { s.From = "example" }, `the sender "example" is no address`},
		{"a password in the clear", func(s *Server) { s.Encryption, s.Username, s.Password = None, "me", "pw" }, "a password would be sent unencrypted: use starttls or tls"},
		{"a password in the clear on this machine", func(s *Server) { s.Encryption, s.Username, s.Host = None, "me", "localhost" }, ""},
		{"a timeout", func(s *Server) { s.Timeout = -1 }, "the timeout is negative"},
	} {
		s := good
		c.change(&s)
		if err := s.Check(); (err == nil) != (c.want == "") || err != nil && err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	for encryption, want := range map[Encryption]int{"": 587, STARTTLS: 587, TLS: 465, None: 25} {
		if got := (Server{Encryption: encryption}).withDefaults(); got.Port != want || got.Timeout != 30*time.Second {
			t.Errorf("%s: %+v", encryption, got)
		}
	}
}
