package live_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
)

// oldUsersDDL has columns as short as those of Django 1.4.
var oldUsersDDL = strings.NewReplacer("username varchar(150)", "username varchar(30)", "email varchar(254)", "email varchar(75)", "first_name varchar(150)", "first_name varchar(30)").
	Replace(djangotest.UsersDDL)

// unhashed is a hasher that must not be used.
type unhashed struct{ core.Hasher }

// TestShortColumns registers users whose texts are longer than Django's columns: they are
// refused before anything is hashed.
func TestShortColumns(t *testing.T) {
	for name, create := range databases(oldUsersDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			s := mustOpen(t, d.source).(*live.Store)
			engine := core.New(core.Config{Backend: s.Backend(), Hasher: unhashed{}, DatabaseKey: make([]byte, core.DatabaseKeySize)})
			for _, test := range []struct {
				name string
				user core.NewUser
				fits bool
			}{
				{"all that there is room for", core.NewUser{Username: strings.Repeat("é", 30), Email: strings.Repeat("é", 75)}, true},
				{"a long username", core.NewUser{Username: strings.Repeat("é", 31)}, false},
				{"a username that ends in spaces", core.NewUser{Username: "ann" + strings.Repeat(" ", 28)}, false},
				{"a long address", core.NewUser{Username: "ann", Email: strings.Repeat("x", 76)}, false},
				{"a long attribute", core.NewUser{Username: "ann", Attributes: map[string]string{"first_name": strings.Repeat("x", 31)}}, false},
			} {
				test.user.PasswordHash = "!"
				if err := s.CheckUser(test.user); (err == nil) != test.fits || err != nil && !errors.Is(err, core.ErrInvalidUser) {
					t.Errorf("%s: checked: %v", test.name, err)
				}
				if _, err := s.CreateUser(t.Context(), test.user, nil, nil); (err == nil) != test.fits || err != nil && !errors.Is(err, core.ErrInvalidUser) {
					t.Errorf("%s: created: %v", test.name, err)
				}
				if test.fits {
					continue
				}
				_, err := engine.Register(t.Context(), core.Policy{Issuer: "api", Realm: core.DefaultRealm, TokenHex: 64},
					core.Registration{Username: test.user.Username, Email: test.user.Email, Attributes: test.user.Attributes, Password: "a password"})
				if core.KindOf(err) != core.KindInvalidUser {
					t.Errorf("%s: registered: %v", test.name, err)
				}
			}
		})
	}
}

// TestShortenedColumn makes a column shorter under an open store.
func TestShortenedColumn(t *testing.T) {
	d := databases(djangotest.UsersDDL, djangotest.KnoxDDL)["postgres"](t)
	s := mustOpen(t, d.source).(*live.Store)
	mustExec(t, d, `ALTER TABLE auth_user ALTER COLUMN username TYPE varchar(30)`)
	long := core.NewUser{Username: strings.Repeat("x", 31), PasswordHash: "!"}
	if _, err := s.CreateUser(t.Context(), long, nil, nil); !errors.Is(err, core.ErrInvalidUser) {
		t.Errorf("created: %v", err)
	}
	if err := s.CheckUser(long); !errors.Is(err, core.ErrInvalidUser) {
		t.Errorf("checked: %v", err)
	}
	mustExec(t, d, `ALTER TABLE auth_user ALTER COLUMN password TYPE varchar(30)`)
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: strings.Repeat("x", 31)}, nil, nil); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("with a long hash: %v", err)
	}
}

// TestReusedID gives the IDs of deleted users again, as after manage.py flush: nobody gets
// the attributes of a user who had the ID before.
func TestReusedID(t *testing.T) {
	restart := map[string]string{
		"sqlite":   `DELETE FROM sqlite_sequence WHERE name = 'auth_user'`,
		"postgres": `ALTER SEQUENCE auth_user_id_seq RESTART`,
	}
	for name, create := range databases(djangotest.UsersDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			s := mustOpen(t, d.source)
			add := func(name string, attributes map[string]string) core.User {
				t.Helper()
				user, err := s.CreateUser(t.Context(), core.NewUser{Username: name, PasswordHash: "!", Attributes: attributes}, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				account, err := s.Account(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				if account.Attributes["location"] != attributes["location"] {
					t.Errorf("%s has attributes %v", name, account.Attributes)
				}
				return user
			}
			alice := add("alice", map[string]string{"location": "Ulm"})
			mustExec(t, d, `DELETE FROM auth_user`, restart[name])
			if bob := add("bob", nil); bob.ID != alice.ID {
				t.Fatalf("ids %d and %d", alice.ID, bob.ID)
			}
			mustExec(t, d, `DELETE FROM auth_user`, restart[name])
			add("carol", map[string]string{"location": "Bonn"})
			mustExec(t, d, `DELETE FROM auth_user`, restart[name])
			add("dave", map[string]string{"location": "Kiel"})
		})
	}
}
