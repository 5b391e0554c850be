package postgres

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
	"github.com/jmoiron/sqlx"
)

// mustOpen returns a store with access to its internals.
func mustOpen(t *testing.T, parameters ...string) *Store {
	t.Helper()
	s, err := Open(t.Context(), postgrestest.Schema(t, parameters...))
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

// fill inserts users and tokens, and updates the planner's statistics.
const fill = `
	INSERT INTO @users (username, email, password_hash, active, created_at)
	SELECT CASE WHEN i % 2 = 0 THEN 'user ' ELSE 'User ' END || i, 'user' || i || '@example.com', '', TRUE, 0 FROM generate_series(1, 5000) i;
	INSERT INTO @tokens (digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, seal_key)
	SELECT sha256(i::text::bytea), i, 'default', 'api', 0, i, 0, i % 2 = 0, '' FROM generate_series(1, 5000) i;
	ANALYZE @users; ANALYZE @tokens`

// TestPlans checks that no query scans a table.
func TestPlans(t *testing.T) {
	s := mustOpen(t)
	if _, err := s.db.Exec(s.qualify(fill)); err != nil {
		t.Fatal(err)
	}
	digest, end := []byte{1}, 10
	tests := []struct {
		name, query string
		arguments   []any
		want        []string
	}{
		{"find token", selectToken, []any{digest, "default"}, []string{"Index Scan using tokens_pkey on tokens t", "Index Scan using users_pkey on users u"}},
		{"account", selectAccount, []any{"ann"}, []string{"Index Scan using users_username_key on users"}},
		{"account, whatever the case", withAlikeUsername, []any{"ann", 2}, []string{"Scan using users_username_key on users", "users_username_capitals"}},
		{"whether a name is taken", usernameTaken, []any{"ann", 1}, []string{"Scan using users_username_key on users", "users_username_capitals"}},
		{"accounts by address, among any number", withAlikeEmail, []any{"ann@example.com", 5}, []string{"Scan using users_email on users", "Scan using users_email_capitals on users"}},
		{"accounts by exact address, among any number", withSameEmail, []any{"ann@example.com", 5}, []string{"Scan using users_email on users"}},
		{"the last who came to an address", `SELECT ` + afterAll(`$1::text`), []any{"ann@example.com"}, []string{"Scan Backward using users_email on users", "Scan Backward using users_email_capitals on users"}},
		{"whether an address is taken", emailTaken, []any{"ann@example.com", 1}, []string{"Scan using users_email on users", "Scan using users_email_capitals on users"}},
		{"recipient", alikeRecipient, []any{"ann@example.com", 5, true}, []string{"Scan using users_email on users", "Scan using users_email_capitals on users"}},
		{"exact recipient", sameRecipient, []any{"ann@example.com", 5, true}, []string{"Scan using users_email on users"}},
		{"reusable token", selectReusable, []any{1, "default", "api"}, []string{"Index Scan using tokens_reusable on tokens", "Index Cond: ((user_id = '1'::bigint) AND (CASE WHEN reusable THEN realm ELSE NULL::text END = 'default'::text) AND (CASE WHEN reusable THEN issuer ELSE NULL::text END = 'api'::text))"}},
		{"move expiry", moveExpiry, []any{digest, 4000, end}, []string{"Index Scan using tokens_pkey on tokens"}},
		{"delete token", removeToken, []any{digest}, []string{"Index Scan using tokens_pkey on tokens"}},
		{"delete user's tokens", removeUserTokens, []any{1, "default"}, []string{"Index Scan using tokens_reusable on tokens"}},
		{"whether a user has many tokens", moreTokens, []any{1, "default", 5000}, []string{"Scan using tokens_reusable on tokens"}},
		{"some of a user's tokens", someTokens, []any{1, "default", 5000}, []string{"Scan using tokens_reusable on tokens"}},
		{"lock user", lockUser, []any{1}, []string{"Index Scan using users_pkey on users"}},
		{"expired tokens", `SELECT digest FROM @tokens WHERE expires_at < $1 LIMIT 100`, []any{end}, []string{"Index Scan using tokens_expiry on tokens"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			plan := s.explain(t, test.query, test.arguments...)
			for _, want := range test.want {
				if !strings.Contains(plan, want) {
					t.Errorf("no %q in\n%s", want, plan)
				}
			}
			// At most $2 of each part of a UNION are sorted.
			if sorts, parts := strings.Count(plan, "Sort Key: (COALESCE"), strings.Count(test.query, "UNION ALL"); sorts > min(parts, 1) {
				t.Errorf("rows are sorted, of which there may be any number:\n%s", plan)
			}
			if strings.Contains(plan, "Seq Scan") {
				t.Errorf("a table is scanned:\n%s", plan)
			}
		})
	}
}

// explain returns the plan of a query.
func (s *Store) explain(t *testing.T, query string, arguments ...any) string {
	t.Helper()
	var steps []string
	if err := s.db.SelectContext(t.Context(), &steps, "EXPLAIN "+s.qualify(query), arguments...); err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "\n")
}

// TestPlansWithoutCapitals has many users of whom none has a capital in the name, so that PostgreSQL has to guess how many have
// one that is looked for, and of whom a third, the newest, have one address: to find the first of those who match by a look at
// each user seems cheap to it.
func TestPlansWithoutCapitals(t *testing.T) {
	s := mustOpen(t)
	if _, err := s.db.Exec(s.qualify(`
		INSERT INTO @users (username, email, password_hash, active, created_at)
		SELECT 'user ' || i, CASE WHEN i > 20000 THEN 'all@example.com' ELSE 'user' || i || '@example.com' END, '', TRUE, 0 FROM generate_series(1, 30000) i;
		ANALYZE @users`)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		query     string
		arguments []any
		index     string
	}{
		"account, whatever the case":              {withAlikeUsername, []any{"nobody", 2}, "users_username_capitals"},
		"account":                                 {selectUsers + sameUsername + ` LIMIT $2`, []any{"nobody", 2}, "users_username_key"},
		"whether a name is taken":                 {usernameTaken, []any{"nobody", 1}, "users_username_capitals"},
		"whether an address of nobody is taken":   {emailTaken, []any{"nobody@example.com", 1}, "users_email_capitals"},
		"whether an address of many is taken":     {emailTaken, []any{"all@example.com", 1}, "users_email_capitals"},
		"accounts with an address of many":        {withAlikeEmail, []any{"all@example.com", 2}, "users_email_capitals"},
		"the last who came to an address of many": {`SELECT ` + afterAll(`$1::text`), []any{"all@example.com"}, "users_email_capitals"},
	} {
		plan := s.explain(t, test.query, test.arguments...)
		if !strings.Contains(plan, test.index) || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Filter: ((username") {
			t.Errorf("%s: users are looked at one after the other:\n%s", name, plan)
		}
	}
}

// TestPlansOfAddresses checks that no look-up of addresses reads all of them: neither before PostgreSQL has statistics of
// them, nor of an address that many have and nobody has verified, as where somebody registers with it again and again.
func TestPlansOfAddresses(t *testing.T) {
	s := mustOpen(t)
	if _, err := s.db.Exec(s.qualify(`
		INSERT INTO @users (username, email, password_hash, active, created_at)
		SELECT 'user ' || i, '', '', TRUE, 0 FROM generate_series(1, 60000) i;
		INSERT INTO @email_addresses (user_id, email, verified)
		SELECT id, CASE WHEN id > 45000 THEN 'all@example.com' ELSE 'user' || id || '@example.com' END, id <= 45000 AND id % 2 = 0 FROM @users`)); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		for name, f := range map[string]core.AddressFilter{
			"of a user":                             {UserID: 3},
			"of a user, verified":                   {UserID: 55000, Email: "all@example.com", Verified: true},
			"of nobody":                             {Email: "nobody@example.com", Verified: true, CaseBlind: true},
			"that many have":                        {Email: "all@example.com", Verified: true, CaseBlind: true},
			"that many have, in the same case":      {Email: "all@example.com", Verified: true},
			"that many have, verified or not":       {Email: "all@example.com", CaseBlind: true},
			"that one has, whether verified or not": {Email: "user77@example.com", CaseBlind: true},
		} {
			statement, arguments := s.addresses().Query(f, 2)
			plan := s.explain(t, statement, arguments...)
			if strings.Contains(plan, "email_addresses_pkey") || strings.Contains(plan, "Seq Scan") {
				t.Errorf("%s, an address %s: all are looked at:\n%s", when, name, plan)
			}
		}
	}
	check("without statistics")
	if _, err := s.db.Exec(s.qualify(`ANALYZE @email_addresses`)); err != nil {
		t.Fatal(err)
	}
	check("with statistics")
}

// TestVerifyAddressOfMany has many users with one address, one of whom verifies it while the row of another is locked: rows
// of others are not written, of which there may be so many that it would never end in time.
func TestVerifyAddressOfMany(t *testing.T) {
	s := mustOpen(t)
	const address = "all@example.com"
	var first, last core.User
	for _, user := range []*core.User{&first, &last} {
		added, err := s.CreateUser(t.Context(), core.NewUser{Username: fmt.Sprintf("user %p", user), Email: address, KeepAddress: true}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		*user = added
	}
	of := func(u core.User) core.Address {
		found, err := s.addresses().Addresses(t.Context(), core.AddressFilter{UserID: u.ID}, 1)
		if err != nil || len(found) != 1 {
			t.Fatalf("addresses of %d: %v, %v", u.ID, found, err)
		}
		return found[0]
	}
	tx, err := s.db.Beginx()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec(s.qualify(`SELECT 1 FROM @email_addresses WHERE id = $1 FOR UPDATE`), of(last).ID); err != nil {
		t.Fatal(err)
	}
	if err := s.addresses().VerifyAddress(t.Context(), of(first).ID, nil); err != nil {
		t.Fatalf("with another's row locked: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.addresses().VerifyAddress(t.Context(), of(last).ID, nil); !errors.Is(err, core.ErrEmailTaken) || of(last).Verified {
		t.Errorf("the second of an address: %v, verified: %v", err, of(last).Verified)
	}
}

// TestUserGone checks what external SQL relies on: a user's tokens are deleted too, and
// the ID is never reused.
func TestUserGone(t *testing.T) {
	s := mustOpen(t)
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
	if _, err := s.db.Exec(s.qualify(`DELETE FROM @users WHERE id = $1`), ann.ID); err != nil {
		t.Fatal(err)
	}
	var tokens int
	if err := s.db.Get(&tokens, s.qualify(`SELECT count(*) FROM @tokens`)); err != nil || tokens != 0 {
		t.Errorf("%d tokens left, %v", tokens, err)
	}
	if bob := add("bob"); bob.ID <= ann.ID {
		t.Errorf("id %d after id %d", bob.ID, ann.ID)
	}
}

// TestBrokenRow checks that unreadable attributes are an error of their row, which does
// not show them.
func TestBrokenRow(t *testing.T) {
	s := mustOpen(t)
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann"}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec(s.qualify(`UPDATE @users SET attributes = '["s3cret"]'`)); err != nil {
		t.Fatal(err)
	}
	_, err := s.Account(t.Context(), "ann")
	if err == nil || !strings.HasPrefix(err.Error(), "attributes of user 1 are not an object of texts: ") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v", err)
	}
}

// TestLookupWithNUL checks that no argument can end the statement that contains it.
func TestLookupWithNUL(t *testing.T) {
	s := mustOpen(t)
	for _, realm := range []string{"a\x00b", `a'b`, `a\'b`, `'); DROP TABLE users; --`, "\xff"} {
		if _, _, err := s.FindToken(t.Context(), realm, "key"); err == nil {
			t.Errorf("realm %q: found", realm)
		}
		if _, _, err := s.FindToken(t.Context(), "default", core.Presented(realm)); err == nil {
			t.Errorf("token %q: found", realm)
		}
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLookupPrepared checks that a look-up is planned once per connection, and that a
// deleted statement goes unnoticed.
func TestLookupPrepared(t *testing.T) {
	s := mustOpen(t, "pool_size", "2")
	find := func() {
		t.Helper()
		if _, _, err := s.FindToken(t.Context(), "default", "nobody's"); err == nil {
			t.Error("found")
		}
	}
	on := func(do func(conn *sqlx.Conn)) {
		t.Helper()
		conn, err := s.db.Connx(t.Context()) // the one that find used
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		do(conn)
	}
	prepared := func() (names []string) {
		on(func(conn *sqlx.Conn) {
			if err := conn.SelectContext(t.Context(), &names, `SELECT name FROM pg_prepared_statements`); err != nil {
				t.Fatal(err)
			}
		})
		return names
	}
	find()
	first := prepared()
	find()
	if again := prepared(); len(first) == 0 || len(again) != len(first) {
		t.Errorf("prepared %q, then %q", first, again)
	}
	on(func(conn *sqlx.Conn) {
		if _, err := conn.ExecContext(t.Context(), `DEALLOCATE ALL`); err != nil {
			t.Fatal(err)
		}
	})
	find() // finds the statement missing
	find()
	if again := prepared(); len(again) != len(first) {
		t.Errorf("prepared %q, then %q", first, again)
	}
}
