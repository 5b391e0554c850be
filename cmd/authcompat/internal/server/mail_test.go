package server

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/mailer/mailertest"
	"github.com/authcompat/authcompat/core"
)

// TestMailsAreSent holds that a server with the settings of an SMTP server sends what its store has.
func TestMailsAreSent(t *testing.T) {
	t.Chdir(t.TempDir())
	port, texts := mailertest.TakeMails(t)
	if err := os.Mkdir("templates", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("templates/confirmation.txt", []byte("Hello {{.Username}}, this is {{.SiteName}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	writeSettings(t, fmt.Sprintf("smtp: {host: 127.0.0.1, port: %d, encryption: none, from: a@example.org}\nmail: {templates: templates, site_name: Shop}\n", port))
	s := unheard(t)
	user, err := s.engine.Backend.CreateUser(t.Context(), core.NewUser{Username: "ann", Email: "ann@example.org", CreatedAt: time.Now()}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	mail := core.Mail{Kind: core.MailConfirmation, Profile: "authtokens", UserID: user.ID, Email: user.Email, CreatedAt: time.Now().Add(-time.Second)}
	if err := s.engine.Backend.Mail.EnqueueMail(t.Context(), mail, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.engine.Close(); err != nil {
		t.Fatal(err)
	}
	f := config.NewServer()
	f.AddFlags(pflag.NewFlagSet("", pflag.ContinueOnError))
	all, err := f.Resolve(t.Context(), "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Run(ctx, f, all, nil, io.Discard, io.Discard) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	select {
	case text := <-texts:
		if !strings.Contains(text, "Hello ann, this is Shop") || !strings.Contains(text, "Subject: Your account at Shop is ready") {
			t.Errorf("text: %s", text)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no mail")
	}
}

// TestNoMails holds that nothing is sent without an SMTP server.
func TestNoMails(t *testing.T) {
	t.Chdir(t.TempDir())
	writeSettings(t, "")
	s := unheard(t)
	defer s.engine.Close()
	if s.mail != nil {
		t.Error("there is a sender")
	}
}
