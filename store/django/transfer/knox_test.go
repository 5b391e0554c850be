package transfer_test

import (
	"crypto/rand"
	"crypto/sha512"
	"database/sql"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// generation is a version of django-rest-knox with its table and its way to make a
// token's row (knox/crypto.py and knox/models.py of each version).
type generation struct {
	name  core.LegacyFormat
	table string
	row   func(token string) (digest, salt, key string)
}

func sha512hex(parts ...string) string {
	sum := sha512.New()
	for _, part := range parts {
		sum.Write([]byte(part))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func unhex(text string) string {
	raw, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func generations() []generation {
	return []generation{
		{core.Knox41, `CREATE TABLE knox_authtoken (digest varchar(128) NOT NULL PRIMARY KEY, salt varchar(16) NOT NULL UNIQUE,
			created datetime NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id), expiry datetime NULL, token_key varchar(8) NOT NULL)`,
			func(token string) (string, string, string) {
				salt := token[len(token)-16:]
				return sha512hex(unhex(token), unhex(salt)), salt, token[:8]
			}},
		{core.Knox42, `CREATE TABLE knox_authtoken (digest varchar(128) NOT NULL PRIMARY KEY,
			created datetime NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id), expiry datetime NULL, token_key varchar(8) NOT NULL)`,
			func(token string) (string, string, string) { return sha512hex(unhex(token)), "", token[:8] }},
		{core.Knox5, `CREATE TABLE knox_authtoken (digest varchar(128) NOT NULL PRIMARY KEY,
			created datetime NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id), expiry datetime NULL, token_key varchar(25) NOT NULL)`,
			func(token string) (string, string, string) { return sha512hex(token), "", token[:15] }},
	}
}

// insert inserts the row of a token; an empty expiry means never.
func (g generation) insert(t *testing.T, db *sql.DB, user int, token, expiry string) {
	t.Helper()
	digest, salt, key := g.row(token)
	columns, marks, values := "digest, created, user_id, expiry, token_key", "?, '2026-01-02 03:04:05.000006', ?, nullif(?, ''), ?", []any{digest, user, expiry, key}
	if salt != "" {
		columns, marks, values = columns+", salt", marks+", ?", append(values, salt)
	}
	if _, err := db.Exec(`INSERT INTO knox_authtoken (`+columns+`) VALUES (`+marks+`)`, values...); err != nil {
		t.Fatal(err)
	}
}

// TestKnox imports the tokens of each generation, issues others that are exported, and
// revokes them.
func TestKnox(t *testing.T) {
	for _, g := range generations() {
		t.Run(string(g.name), func(t *testing.T) { moveKnox(t, g) })
	}
}

func moveKnox(t *testing.T, g generation) {
	const users = 20
	database := filepath.Join(t.TempDir(), "knox.sqlite3")
	mustMakeSource(t, database, users)
	db, err := sql.Open("sqlite", database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{`DROP TABLE authtoken_token`, g.table} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	token := func(user, n int) string { return fmt.Sprintf("%04x%04x%056x", user, n, 0xdecade*user+n) }
	ends := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	for user := 1; user <= users; user++ {
		g.insert(t, db, user, token(user, 0), "")
		g.insert(t, db, user, token(user, 1), ends.Format("2006-01-02 15:04:05.000000"))
		g.insert(t, db, user, token(user, 2), "2026-01-03 00:00:00")
	}
	h := mustHouse(t)
	report := h.take(t, database)
	if c := report.Tokens["knox_authtoken"]; c.Added != 2*users || c.Expired != users {
		t.Fatalf("import: %+v", report)
	}
	for user := 1; user <= users; user++ {
		for n, end := range []time.Time{{}, ends} {
			session, err := h.service.Authenticate(t.Context(), policy, core.Presented(token(user, n)))
			if err != nil || session.User.ID != int64(user) || !session.Token.ExpiresAt.Equal(end) {
				t.Fatalf("token %d of user %d: %v, ends %v", n, user, err, session.Token.ExpiresAt)
			}
		}
	}
	// Half of the users log out of all sessions, and log in again under a profile that
	// keeps the generation's digests.
	keeping := core.Policy{Issuer: "knox-api", Realm: policy.Realm, TokenHex: 64, TTL: time.Hour, LegacyFormat: g.name}
	var issued []string
	for user := 1; user <= users/2; user++ {
		session, err := h.service.Authenticate(t.Context(), policy, core.Presented(token(user, 0)))
		if err == nil {
			err = h.service.LogoutAll(t.Context(), session)
		}
		if err != nil {
			t.Fatal(err)
		}
		for n := range 2 {
			if _, err := h.service.Authenticate(t.Context(), policy, core.Presented(token(user, n))); core.KindOf(err) != core.KindTokenUnknown {
				t.Fatalf("token %d of user %d after logout of all: %v", n, user, err)
			}
		}
		issued = append(issued, h.mustRegister(t, keeping, fmt.Sprint("new", user)))
	}
	back := h.give(t, database)
	if back.Dropped != users || back.Tokens.Added != len(issued) || back.Tokens.Refused > 0 {
		t.Fatalf("export: %+v", back)
	}
	for _, text := range issued {
		wantRow(t, db, g, text, true)
	}
	for user := 1; user <= users; user++ {
		wantRow(t, db, g, token(user, 0), user > users/2)
	}
}

// mustRegister registers a user and returns the token.
func (h house) mustRegister(t *testing.T, p core.Policy, name string) string {
	t.Helper()
	session, err := h.service.Register(t.Context(), p, core.Registration{Username: name, Password: "a password"})
	if err != nil {
		t.Fatal(err)
	}
	return session.Key
}

// wantRow looks up a token as knox does: by token_key, then by the digest computed with
// the row's salt.
func wantRow(t *testing.T, db *sql.DB, g generation, token string, want bool) {
	t.Helper()
	_, _, key := g.row(token)
	columns := "digest, ''"
	if g.name == core.Knox41 {
		columns = "digest, salt"
	}
	rows, err := db.Query(`SELECT `+columns+` FROM knox_authtoken WHERE token_key = ?`, key)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := false
	for rows.Next() {
		var digest, salt string
		if err := rows.Scan(&digest, &salt); err != nil {
			t.Fatal(err)
		}
		if g.name == core.Knox41 {
			found = found || digest == sha512hex(unhex(token), unhex(salt))
			continue
		}
		made, _, _ := g.row(token)
		found = found || digest == made
	}
	if found != want {
		t.Errorf("%s: knox finds the token: %t, want %t", g.name, found, want)
	}
}

// TestAuthtokenTTL imports tokens of Django REST framework with an expiry: created plus
// the profile's TTL.
func TestAuthtokenTTL(t *testing.T) {
	database := filepath.Join(t.TempDir(), "db.sqlite3")
	mustMakeSource(t, database, 3) // created on 2026-11-01 at 10:00
	from, err := tables.Open(t.Context(), tables.Mapping{}, database)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	h := mustHouse(t)
	sliding := core.Policy{Issuer: "sliding-api", Realm: core.DefaultRealm, TTL: 15 * 24 * time.Hour, Sliding: true, Reuse: true}
	created := time.Date(2026, 11, 1, 10, 0, 0, 1000, time.UTC)
	for _, step := range []struct {
		now            time.Time
		added, expired int
	}{{created.Add(15*24*time.Hour + time.Second), 0, 3}, {created.Add(15*24*time.Hour - time.Second), 3, 0}} {
		report, err := transfer.Import(t.Context(), from, h.store, transfer.Options{
			Policy: sliding, Sealer: h.sealer, Random: rand.Reader, Zone: time.UTC,
			Clock: func() time.Time { return step.now },
		})
		if err != nil {
			t.Fatal(err)
		}
		if c := report.Tokens["authtoken_token"]; c.Added != step.added || c.Expired != step.expired {
			t.Errorf("at %v: %+v", step.now, c)
		}
	}
	tokens, err := h.store.ExportTokens(t.Context(), sliding.Realm, core.Token{}, 1)
	if err != nil || len(tokens) != 1 {
		t.Fatal(err)
	}
	got := tokens[0]
	if !got.ExpiresAt.Equal(created.Add(sliding.TTL)) || got.Sliding != sliding.TTL || !got.Reusable || got.Issuer != "sliding-api" {
		t.Errorf("token: ends %v, slides %v, reusable %t, of %s", got.ExpiresAt, got.Sliding, got.Reusable, got.Issuer)
	}
}
