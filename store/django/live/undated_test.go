package live_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
)

// customDDL is a model of a project's own with a key and a user alone, as CustomToken in
// tests/authentication/models.py of Django REST framework 3.14.
const customDDL = `CREATE TABLE api_customtoken ("key" varchar(40) NOT NULL PRIMARY KEY,
	user_id integer NOT NULL UNIQUE REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED)`

// TestUndatedTokens works on a table that does not say when its tokens were created, beside
// authtoken's own: that is not touched.
func TestUndatedTokens(t *testing.T) {
	m := tables.Mapping{TokenTables: tables.Names{"api_customtoken"}}
	text := strings.Repeat("0123456789", 4)
	for name, create := range databases(djangotest.UsersDDL, djangotest.AuthtokenDDL, customDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			s, err := live.Open(t.Context(), d.source, m)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			policy := core.Policy{Issuer: "api", Realm: core.DefaultRealm, TokenHex: 40, TTL: time.Hour, Reuse: true}
			if err := s.CheckPolicy(policy); err != nil {
				t.Fatal(err)
			}
			hasher, err := hashing.NewDjangoHasher(1)
			if err != nil {
				t.Fatal(err)
			}
			engine := core.New(core.Config{Backend: s.Backend(), Hasher: hasher, Clock: func() time.Time { return now }})
			first, err := engine.Register(t.Context(), policy, core.Registration{Username: "ann", Password: "pw"})
			if err != nil {
				t.Fatal(err)
			}
			if n := d.count(t, `SELECT count(*) FROM api_customtoken WHERE "key" = '`+first.Key+`'`); n != 1 {
				t.Fatalf("%d rows for a new token", n)
			}
			now = now.Add(time.Hour)
			if _, err := engine.Authenticate(t.Context(), policy, core.Presented(first.Key)); core.KindOf(err) != core.KindTokenExpired {
				t.Errorf("ours after its end: %v", err)
			}
			mustExec(t, d, `DELETE FROM api_customtoken`, fmt.Sprintf(`INSERT INTO api_customtoken ("key", user_id) VALUES ('%s', %d)`, text, first.User.ID))
			session, err := engine.Authenticate(t.Context(), policy, core.Presented(text))
			if err != nil || !session.Token.CreatedAt.IsZero() || !session.Token.ExpiresAt.IsZero() {
				t.Fatalf("Django's token: %+v, %v", session.Token, err)
			}
			if again, err := engine.Login(t.Context(), policy, "ann", "pw"); err != nil || again.Key != text {
				t.Errorf("a login does not show Django's token: %v", err)
			}
			if err := engine.Logout(t.Context(), session); err != nil {
				t.Error(err)
			}
			if n := d.count(t, `SELECT (SELECT count(*) FROM api_customtoken) + (SELECT count(*) FROM authtoken_token)`); n != 0 {
				t.Errorf("%d tokens after the logout", n)
			}
		})
	}
}

// TestUndatedOnceDated has a migration take the column created away while the table is worked
// on: what the profiles were checked for holds no more.
func TestUndatedOnceDated(t *testing.T) {
	d := databases(djangotest.UsersDDL, djangotest.AuthtokenDDL)["sqlite"](t)
	s := mustOpen(t, d.source).(*live.Store)
	mustExec(t, d, `ALTER TABLE authtoken_token DROP COLUMN created`)
	if err := find(t, s, "first"); !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), "restart") {
		t.Errorf("error %v", err)
	}
}

// TestUndatedRefused opens tables that have no place for what a policy needs, or that are no
// tables of tokens.
func TestUndatedRefused(t *testing.T) {
	m := tables.Mapping{TokenTables: tables.Names{"api_customtoken"}}
	d := databases(djangotest.UsersDDL, strings.Replace(customDDL, `user_id`, `note varchar(9) NOT NULL, user_id`, 1))["sqlite"](t)
	if s, err := live.Open(t.Context(), d.source, m); err == nil || !strings.Contains(err.Error(), "key and user_id") {
		t.Errorf("a table with another column that needs a value: %v", err)
		if err == nil {
			s.Close()
		}
	}
	d = databases(djangotest.UsersDDL, strings.Replace(customDDL, `user_id`, `expiry TIME NULL, user_id`, 1))["sqlite"](t)
	s, err := live.Open(t.Context(), d.source, m)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	policy := core.Policy{Issuer: "api", Realm: core.DefaultRealm, TokenHex: 40, TTL: time.Hour, Reuse: true, Sliding: true}
	if err := s.CheckPolicy(policy); err != nil {
		t.Error(err)
	}
	policy.MaxTTL = 2 * time.Hour
	if err := s.CheckPolicy(policy); err == nil || !strings.Contains(err.Error(), "max") {
		t.Errorf("the longest life of tokens of unknown age: %v", err)
	}
}
