package mailer

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/store/sqlite"
)

// noon is when everything happens.
func noon() time.Time { return time.Date(2026, time.June, 16, 12, 0, 0, 0, time.UTC) }

// office is a queue with a sender.
type office struct {
	path     string
	store    *sqlite.Store
	queue    core.MailStore
	sender   *Sender
	server   *smtpServer
	log      bytes.Buffer
	mutex    sync.Mutex
	now      time.Time
	ahead    time.Duration // of the clock that the sender goes by, before now
	outcomes []string
}

// links makes the links of all mails.
func links(m core.Mail, r Recipient) (Link, error) {
	g := &maillink.Generator{Secrets: []string{"secret"}}
	l := Link{SiteName: "Example", Domain: "example.org"}
	if m.Kind == core.MailEmailVerification {
		l.Token = g.MakeEmailKey(r.AddressID, noon())
		l.URL = "https://example.org/#/confirm/" + l.Token
	} else if m.Kind.HasLink() {
		l.UID = maillink.EncodeUID(maillink.Base64, r.ID)
		l.Token = g.Make(r.LinkUser(), noon())
		l.URL = "https://example.org/#/reset/" + l.UID + "/" + l.Token
	}
	return l, nil
}

// annsToken is the token in ann's mails.
const annsToken = "da9lc0-"

// newOffice opens a store, with ann in it, and a sender to a server.
func newOffice(t *testing.T, configure func(*smtpServer), settings func(*Server)) *office {
	t.Helper()
	o := &office{path: filepath.Join(t.TempDir(), "a.db"), now: noon(), server: newServer(t, configure)}
	var err error
	if o.store, err = sqlite.Open(t.Context(), o.path, sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.store.Close() })
	o.queue = o.store.Backend().Mail
	o.addUser(t, "ann", func(*core.NewUser) {})
	templates, err := LoadTemplates(nil)
	if err != nil {
		t.Fatal(err)
	}
	server := Server{Host: "127.0.0.1", Port: o.server.port, Encryption: None, From: "Example <noreply@example.org>", Name: "here.example.org", Timeout: 5 * time.Second}
	if settings != nil {
		settings(&server)
	}
	o.sender, err = New(server, &Composer{Store: o.queue, Accounts: o.store, Addresses: o.store.Backend().Addresses, Templates: templates, Link: links}, Options{
		Log: slog.New(slog.NewTextHandler(&o.log, nil)),
		Clock: func(context.Context) (time.Time, error) {
			o.mutex.Lock()
			defer o.mutex.Unlock()
			return o.now.Add(o.ahead), nil
		},
		OnOutcome: func(_ core.MailKind, outcome string) { o.outcomes = append(o.outcomes, outcome) },
	})
	if err != nil {
		t.Fatal(err)
	}
	o.sender.uptime = func() time.Time { return o.now }
	return o
}

func (o *office) addUser(t *testing.T, name string, change func(*core.NewUser)) core.User {
	t.Helper()
	u := core.NewUser{Username: name, Email: name + "@example.org", PasswordHash: "hash of " + name, CreatedAt: noon()}
	change(&u)
	user, err := o.store.CreateUser(t.Context(), u, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

func (o *office) enqueue(t *testing.T, kind core.MailKind, userID int64) {
	t.Helper()
	account, err := o.store.AccountByID(t.Context(), userID)
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		t.Fatal(err)
	}
	if err := o.queue.EnqueueMail(t.Context(), core.Mail{Kind: kind, Profile: "api", UserID: userID, Email: account.Email, CreatedAt: o.now.Add(o.ahead)}, nil); err != nil {
		t.Fatal(err)
	}
}

// step does what a Sender does, until nothing is due, and ends the connection. It returns the errors.
func (o *office) step(t *testing.T) (errs []error) {
	t.Helper()
	for range 20 {
		again, err := o.sender.next(t.Context())
		if err != nil {
			return append(errs, err)
		}
		if !again {
			o.sender.quit()
			return errs
		}
	}
	t.Fatal("there is no end")
	return nil
}

// later lets time pass.
func (o *office) later(d time.Duration) { o.now = o.now.Add(d) }

// set sets the clock that the sender goes by, to so much ahead of the time.
func (o *office) set(ahead time.Duration) { o.ahead = ahead }

func (o *office) waiting(t *testing.T) int64 {
	t.Helper()
	n, err := o.queue.CountMails(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}
