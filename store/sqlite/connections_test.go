package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

// mustOpen returns a store with access to its internals.
func mustOpen(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "authcompat.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestLibrary checks that the library in use is the one checked at compile time.
func TestLibrary(t *testing.T) {
	s := mustOpen(t, Options{})
	var version string
	if err := s.reader.Get(&version, `SELECT sqlite_version()`); err != nil {
		t.Fatal(err)
	}
	var major, minor, patch int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil {
		t.Fatal(err)
	}
	if number := 1_000_000*major + 1_000*minor + patch; number < oldestLibrary {
		t.Errorf("SQLite is %s", version)
	}
}

// TestSettings checks each connection of both pools, including one that replaces
// another.
func TestSettings(t *testing.T) {
	s := mustOpen(t, Options{Readers: 3})
	want := map[string]string{"foreign_keys": "1", "synchronous": "2", "journal_mode": "wal", "application_id": "1635083119"}
	check := func(name string, db *sqlx.DB, count int) {
		t.Helper()
		for range count {
			conn, err := db.Connx(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for pragma, want := range want {
				var got string
				if err := conn.GetContext(t.Context(), &got, "PRAGMA "+pragma); err != nil || got != want {
					t.Errorf("%s: %s is %q, %v, want %q", name, pragma, got, err, want)
				}
			}
		}
	}
	check("readers", s.reader, 3)
	check("writer", s.writer, 1)

	s.writer.SetMaxIdleConns(0)
	check("another writer", s.writer, 1)
}

func TestReadersOnlyRead(t *testing.T) {
	s := mustOpen(t, Options{})
	_, err := s.reader.Exec(`DELETE FROM users`)
	if !unavailable(err) || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("error %v", err)
	}
}

// firstOfSteps are the steps of [firstOf], whose conditions are met by these steps.
func firstOfSteps(conditions ...string) []string {
	steps := []string{"SEARCH users USING INTEGER PRIMARY KEY (rowid=?)", fmt.Sprintf("LIST SUBQUERY %d", 2*len(conditions)), "COMPOUND QUERY"}
	for i, step := range conditions {
		part, routine := "UNION ALL", fmt.Sprintf("subquery-%d", 2*i+1)
		if i == 0 {
			part = "LEFT-MOST SUBQUERY"
		}
		steps = append(steps, part, "CO-ROUTINE ("+routine+")", step, "SCAN ("+routine+")")
	}
	return append(steps, "USE TEMP B-TREE FOR ORDER BY")
}

// addressQuery returns the statement that finds an address.
func addressQuery(s *Store, verified, caseBlind bool) string {
	statement, _ := s.addresses().Query(core.AddressFilter{Email: "ann@example.com", Verified: verified, CaseBlind: caseBlind}, 2)
	return statement
}

// TestPlans checks that no query scans a table.
func TestPlans(t *testing.T) {
	const (
		exact    = "SEARCH users USING COVERING INDEX users_email_exact (email=? AND active=?)"
		capitals = "SEARCH users USING INDEX users_email_capitals (<expr>=? AND active=?)"
	)
	s := mustOpen(t, Options{})
	auditOfUser, _ := auditQuery(core.AuditFilter{Username: "ann", Before: 1000}, 50)
	tests := []struct {
		name, query string
		want        []string
	}{
		{"find token", selectToken, []string{
			"SEARCH t USING PRIMARY KEY (digest=?)", "SEARCH u USING INTEGER PRIMARY KEY (rowid=?)",
		}},
		{"account", selectAccount, []string{"SEARCH users USING INDEX sqlite_autoindex_users_1 (username=?)"}},
		{"account, whatever the case", strings.ReplaceAll(selectUsers+alikeUsername, "?1", "'ann'"), []string{
			"MULTI-INDEX OR", "INDEX 1", "SEARCH users USING INDEX sqlite_autoindex_users_1 (username=?)",
			"INDEX 2", "SEARCH users USING INDEX users_username_capitals (<expr>=?)",
		}},
		{"accounts by address", withAlikeEmail, firstOfSteps(exact, exact, capitals, capitals)},
		{"accounts by exact address", withSameEmail, firstOfSteps(exact, exact)},
		{"the last who came to an address", `SELECT ` + afterAll(`?1`), []string{
			"SCAN CONSTANT ROW", "SCALAR SUBQUERY 1", exact, "SCALAR SUBQUERY 2", exact, "SCALAR SUBQUERY 3", capitals, "SCALAR SUBQUERY 4", capitals,
		}},
		{"recipient", alikeRecipient, firstOfSteps(exact, capitals)},
		{"whether an address is taken", emailTaken, []string{
			"SCAN CONSTANT ROW", "SCALAR SUBQUERY 1", "SEARCH users USING COVERING INDEX users_email_exact (email=?)",
			"SCALAR SUBQUERY 2", "SEARCH users USING INDEX users_email_capitals (<expr>=?)",
		}},
		{"recipient by exact address", sameRecipient, []string{"SEARCH users USING INDEX users_email_exact (email=? AND active=?)"}},
		{"who has verified an address", addressQuery(s, true, true), []string{"SEARCH email_addresses USING INDEX email_addresses_verified (<expr>=?)"}},
		{"who has verified exactly an address", addressQuery(s, true, false), []string{"SEARCH email_addresses USING INDEX email_addresses_verified (<expr>=?)"}},
		{"exactly an address", addressQuery(s, false, false), []string{"SEARCH email_addresses USING INDEX email_addresses_lower (<expr>=?)"}},
		{"reusable token", selectReusable, []string{
			"SEARCH tokens USING INDEX tokens_reusable (user_id=? AND realm=? AND issuer=?)",
		}},
		{"move expiry", moveExpiry, []string{"SEARCH tokens USING PRIMARY KEY (digest=?)"}},
		{"delete token", deleteToken, []string{"SEARCH tokens USING PRIMARY KEY (digest=?)"}},
		{"whether a user has many tokens", moreTokens, []string{"SCAN CONSTANT ROW", "SCALAR SUBQUERY 1", "SEARCH tokens USING INDEX tokens_user (user_id=?)"}},
		{"some of a user's tokens", someTokens, []string{"SEARCH tokens USING PRIMARY KEY (digest=?)", "LIST SUBQUERY 1", "SEARCH tokens USING INDEX tokens_user (user_id=?)"}},
		{"delete user's tokens", deleteUserTokens, []string{"SEARCH tokens USING INDEX tokens_user (user_id=?)"}},
		{"mails of a user", `SELECT id FROM mails WHERE user_id = ?`, []string{"SEARCH mails USING COVERING INDEX mails_user (user_id=?)"}},
		{"audit record of a user", auditOfUser, []string{"SEARCH audit USING INDEX audit_username (username=? AND id<?)"}},
		{"expired tokens", `SELECT digest FROM tokens WHERE expires_at < ? LIMIT 100`, []string{
			"SEARCH tokens USING COVERING INDEX tokens_expiry (expires_at<?)",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var steps []struct {
				ID, Parent, NotUsed int
				Detail              string
			}
			arguments := make([]any, strings.Count(test.query, "?"))
			if strings.Contains(test.query, ":digest") {
				arguments = []any{nil, nil, nil}
			}
			query := strings.NewReplacer(":to", "?1", ":digest", "?2", ":now", "?3").Replace(test.query)
			if err := s.writer.Select(&steps, "EXPLAIN QUERY PLAN "+query, arguments...); err != nil {
				t.Fatal(err)
			}
			if len(steps) != len(test.want) {
				t.Fatalf("steps %v, want %v", steps, test.want)
			}
			for i, want := range test.want {
				if steps[i].Detail != want {
					t.Errorf("step %q, want %q", steps[i].Detail, want)
				}
			}
		})
	}
}

// TestUserGone checks what external SQL relies on: a user's tokens are deleted too, and
// the ID is never reused.
func TestUserGone(t *testing.T) {
	s := mustOpen(t, Options{})
	add := func(name string) core.User {
		user, err := s.CreateUser(t.Context(), core.NewUser{Username: name}, func(user core.User) (core.Token, error) {
			return core.Token{Digest: core.Presented(name).SHA256(), UserID: user.ID}, nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return user
	}
	ann := add("ann")
	if _, err := s.writer.Exec(`DELETE FROM users WHERE id = ?`, ann.ID); err != nil {
		t.Fatal(err)
	}
	var tokens int
	if err := s.reader.Get(&tokens, `SELECT count(*) FROM tokens`); err != nil || tokens != 0 {
		t.Errorf("%d tokens left, %v", tokens, err)
	}
	if bob := add("bob"); bob.ID <= ann.ID {
		t.Errorf("id %d after id %d", bob.ID, ann.ID)
	}
}

// TestBrokenRow checks that unreadable attributes are an error of their row, which does
// not show them.
func TestBrokenRow(t *testing.T) {
	s := mustOpen(t, Options{})
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann"}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.Exec(`UPDATE users SET attributes = '["s3cret"]'`); err != nil {
		t.Fatal(err)
	}
	_, err := s.Account(t.Context(), "ann")
	if err == nil || !strings.HasPrefix(err.Error(), "attributes of user 1 are not an object of texts: ") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v", err)
	}
}
