package live_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
)

// TestUserTokens reads what a user has, whoever issued it, and says whether a login shows it
// again.
func TestUserTokens(t *testing.T) {
	for table, ddl := range map[string]string{"knox": djangotest.KnoxDDL, "authtoken": djangotest.AuthtokenDDL} {
		for name, create := range databases(djangotest.UsersDDL, ddl) {
			t.Run(table+" on "+name, func(t *testing.T) {
				d := create(t)
				s := mustOpen(t, d.source).(*live.Store)
				var users []core.User
				for _, name := range []string{"ann", "bob"} {
					u, err := s.CreateUser(t.Context(), core.NewUser{Username: name, PasswordHash: "!"}, nil, nil)
					if err != nil {
						t.Fatal(err)
					}
					users = append(users, u)
				}
				created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
				want := 2
				if table == "authtoken" {
					want = 1
				}
				for i := range want {
					key := keyOf(string(rune('a' + i)))[:40] // as long as an authtoken may be
					token := core.Token{Digest: key.SHA256(), Plaintext: key, UserID: users[0].ID, Realm: core.DefaultRealm, CreatedAt: created}
					if table == "knox" {
						token.ExpiresAt = created.Add(time.Hour)
					}
					if err := s.IssueToken(t.Context(), token, "", 0, nil); err != nil {
						t.Fatal(err)
					}
				}
				reader := s.Backend().Tokens
				got, anyIssuer, err := reader.UserTokens(t.Context(), users[0].ID)
				if err != nil || len(got) != want || anyIssuer != (table == "authtoken") {
					t.Errorf("%d tokens, any issuer %t, %v", len(got), anyIssuer, err)
				}
				for _, token := range got {
					if token.UserID != users[0].ID || token.Realm != core.DefaultRealm || len(token.Digest) == 0 {
						t.Errorf("%+v", token)
					}
				}
				if got, _, err := reader.UserTokens(t.Context(), users[1].ID); err != nil || len(got) != 0 {
					t.Errorf("another user has %d tokens, %v", len(got), err)
				}
			})
		}
	}
}
