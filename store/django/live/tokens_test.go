package live_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
)

// TestTokenWithoutText issues tokens of which only the digest is known: Django could not
// read them, so that none is written.
func TestTokenWithoutText(t *testing.T) {
	for table, ddl := range map[string]string{"knox_authtoken": djangotest.KnoxDDL, "authtoken_token": djangotest.AuthtokenDDL} {
		for name, create := range databases(djangotest.UsersDDL, ddl) {
			t.Run(table+" on "+name, func(t *testing.T) {
				d := create(t)
				s := mustOpen(t, d.source)
				user, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				token := core.Token{Digest: keyOf("first").SHA256(), UserID: user.ID, Realm: core.DefaultRealm, CreatedAt: time.Now()}
				if err := s.IssueToken(t.Context(), token, "", nil); err == nil {
					t.Error("issued")
				}
				token.Reusable = true
				if _, err := s.ReuseToken(t.Context(), token, "", time.Now(), nil); err == nil {
					t.Error("issued to be reused")
				}
				if n := d.count(t, `SELECT count(*) FROM `+table); n != 0 {
					t.Errorf("%d rows were written", n)
				}
			})
		}
	}
}
