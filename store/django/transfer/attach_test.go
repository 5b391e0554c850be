package transfer_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestSideBySide runs genuine Django and the engine on one database at once.
func TestSideBySide(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "django.sqlite3")
		liveTogether(t, djangotest.Start(t, path), path, 100)
	})
	t.Run("postgres", func(t *testing.T) {
		old, dsn := djangoOnPostgres(t)
		liveTogether(t, old, dsn, 1000)
	})
}

// djangoOnPostgres starts a Django project on a cluster of its own, because Django does
// not know schemas, and returns the URL of its database.
func djangoOnPostgres(t *testing.T) (*djangotest.Django, string) {
	t.Helper()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	u, err := url.Parse(cluster.DSN())
	if err != nil {
		t.Fatal(err)
	}
	database := strings.Join([]string{u.Hostname(), u.Port(), strings.TrimPrefix(u.Path, "/"), u.User.Username()}, " ")
	return djangotest.Start(t, database), cluster.DSN()
}

func liveTogether(t *testing.T, old *djangotest.Django, dsn string, users int) {
	made := old.Make(users)
	s, err := live.Open(t.Context(), dsn, tables.Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	hasher, err := hashing.NewDjangoHasher(quick)
	if err != nil {
		t.Fatal(err)
	}
	hasher.KeepHashes = true
	engine := core.New(core.Config{Backend: core.Backend{Store: s, Plaintext: s}, Hasher: hasher}) // no sealing key: the tables store the text
	authenticate := func(token string) (string, core.Session) {
		t.Helper()
		session, err := engine.Authenticate(t.Context(), policy, core.Presented(token))
		if err != nil && core.KindOf(err) != core.KindTokenUnknown {
			t.Fatal(err)
		}
		return session.User.Username, session
	}

	// What Django created is valid here, and stays valid there.
	pairs, tokens := [][2]string{}, map[string]string{}
	for _, u := range made {
		if name, _ := authenticate(u.Token); name != u.Username {
			t.Fatalf("token of %s speaks for %q", u.Username, name)
		}
		session, err := engine.Login(t.Context(), policy, u.Username, u.Password)
		if err != nil || session.Key != u.Token {
			t.Fatalf("login of %s: %v; the same token: %t", u.Username, err, session.Key == u.Token)
		}
		pairs, tokens[u.Token] = append(pairs, [2]string{u.Username, u.Password}), u.Username
	}
	// What is created here is valid at Django at once, and vice versa.
	for n := range 10 {
		name, password := fmt.Sprint("here-", n), fmt.Sprint("made here ", n)
		session, err := engine.Register(t.Context(), policy, core.Registration{Username: name, Email: name + "@example.org", Password: password})
		if err != nil {
			t.Fatal(err)
		}
		if token := old.Login(name, password); token != session.Key {
			t.Errorf("Django gives %s another token", name)
		}
		pairs, tokens[session.Key] = append(pairs, [2]string{name, password}), name

		old.Ask(nil, "register", fmt.Sprint("there-", n), "made there")
		token := old.Login(fmt.Sprint("there-", n), "made there")
		session, err = engine.Login(t.Context(), policy, fmt.Sprint("there-", n), "made there")
		if err != nil || session.Key != token {
			t.Errorf("login of a user of Django's: %v; the same token: %t", err, session.Key == token)
		}
		tokens[token] = fmt.Sprint("there-", n)
	}
	// A logout on either side is final on both.
	for n, u := range made[:20] {
		if n%2 == 0 {
			old.Ask(nil, "logout", u.Token)
		} else {
			_, session := authenticate(u.Token)
			if err := engine.Logout(t.Context(), session); err != nil {
				t.Fatal(err)
			}
		}
		tokens[u.Token] = ""
		if name, _ := authenticate(u.Token); name != "" {
			t.Errorf("a token of %s works here after its logout", u.Username)
		}
		if n%4 < 2 { // log in again, on the other side
			session, err := engine.Login(t.Context(), policy, u.Username, u.Password)
			if err != nil || session.Key == u.Token {
				t.Errorf("login of %s after logout: %v; the old token: %t", u.Username, err, session.Key == u.Token)
			}
			tokens[session.Key] = u.Username
		}
	}
	wantPasswords(t, old, pairs)
	wantTokens(t, old, tokens)
	for token, want := range tokens {
		if name, _ := authenticate(token); name != want {
			t.Errorf("a token of %q speaks for %q here", want, name)
		}
	}
}
