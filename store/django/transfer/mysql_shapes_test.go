package transfer_test

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
)

// TestMySQLCaseBlind warns about usernames that are equal in the source and distinct
// here, and keeps tokens apart that a case-insensitive key considers equal.
func TestMySQLCaseBlind(t *testing.T) {
	m := mustMaria(t, strings.Replace(mysqlUsers, "utf8mb4_bin", "utf8mb4_unicode_ci", 1), fmt.Sprintf(mysqlTokens, "integer", "auth_user (id)"))
	m.add(t, 1, "Ann")
	m.add(t, 2, "bob")
	h := mustHouse(t)
	report, err := h.both(t, tables.Mapping{}, nil, m.dsn)
	if err != nil || report.Users.Added != 2 || len(report.Notes) != 1 || !contains(report.Notes[0], "username_case: lower") {
		t.Fatalf("%+v, %v", report, err)
	}
	h.wantOwners(t, map[string]string{text("Ann"): "Ann", text("bob"): "bob", strings.ToUpper(text("bob")): ""})

	lower := mustHouse(t)
	report, err = lower.both(t, tables.Mapping{UsernameCase: "lower"}, nil, m.dsn)
	if err != nil || report.Users.Added != 2 || len(report.Notes) > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := lower.service.Login(t.Context(), policy, "ann", "pw-Ann"); err != nil {
		t.Errorf("login: %v", err)
	}

	// A token of another user that the key's collation considers equal to Ann's.
	other := mustHouse(t)
	source := mustSQL(t, "CREATE TABLE auth_user (id integer PRIMARY KEY, "+columns+")", fmt.Sprintf(authtoken, "auth_user (id)"),
		"INSERT INTO auth_user VALUES (7, "+user("cid")+"), (8, "+user("dan")+")",
		"INSERT INTO authtoken_token VALUES ('"+strings.ToUpper(text("Ann"))+"', "+joined+", 7), ('"+text("dan")+"', "+joined+", 8)")
	if _, err := other.both(t, tables.Mapping{}, nil, source); err != nil {
		t.Fatal(err)
	}
	back, err := other.tryGive(t, m.dsn)
	if err != nil || back.Users.Added != 2 || back.Tokens.Added != 1 || back.Tokens.Refused != 1 {
		t.Errorf("export: %+v, %v", back, err)
	}
	for _, p := range back.Problems {
		if strings.Contains(strings.ToLower(p.Reason), text("Ann")) {
			t.Errorf("the reason %q has a token", p.Reason)
		}
	}
	m.wantRows(t, "SELECT user_id, `key` FROM authtoken_token ORDER BY user_id", "1|"+text("Ann"), "2|"+text("bob"), "8|"+text("dan"))
}

// TestMySQLKnox imports and exports tokens of each generation of knox.
func TestMySQLKnox(t *testing.T) {
	for _, g := range generations() {
		t.Run(string(g.name), func(t *testing.T) {
			m := mustMariaUsers(t, "ann", "bob")
			m.exec(t, "DROP TABLE authtoken_token", strings.ReplaceAll(strings.Replace(g.table, "datetime", "datetime(6)", 2), "integer NOT NULL REFERENCES auth_user (id)", "integer NOT NULL, FOREIGN KEY (user_id) REFERENCES auth_user (id)"))
			token := func(user, n int) string { return fmt.Sprintf("%04x%04x%056x", user, n, 0xdecade*user+n) }
			ends := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
			for user := 1; user <= 2; user++ {
				g.insert(t, m.db, user, token(user, 0), "")
				g.insert(t, m.db, user, token(user, 1), ends.Format("2006-01-02 15:04:05.000000"))
				g.insert(t, m.db, user, token(user, 2), "2026-01-03 00:00:00")
			}
			h := mustHouse(t)
			report, err := h.both(t, tables.Mapping{}, nil, m.dsn)
			if c := report.Tokens["knox_authtoken"]; err != nil || c.Added != 4 || c.Expired != 2 {
				t.Fatalf("%+v, %v", report, err)
			}
			for user := 1; user <= 2; user++ {
				for n, end := range []time.Time{{}, ends} {
					session, err := h.service.Authenticate(t.Context(), policy, core.Presented(token(user, n)))
					if err != nil || session.User.ID != int64(user) || !session.Token.ExpiresAt.Equal(end) {
						t.Errorf("token %d of user %d: %v, ends %v", n, user, err, session.Token.ExpiresAt)
					}
				}
			}
			session, err := h.service.Authenticate(t.Context(), policy, core.Presented(token(1, 0)))
			if err == nil {
				err = h.service.LogoutAll(t.Context(), session)
			}
			if err != nil {
				t.Fatal(err)
			}
			keeping := core.Policy{Issuer: "knox-api", Realm: policy.Realm, TokenHex: 64, TTL: time.Hour, LegacyFormat: g.name}
			issued := h.mustRegister(t, keeping, "new")
			back := h.give(t, m.dsn)
			if back.Dropped != 2 || back.Tokens.Added != 1 || back.Tokens.Refused > 0 || back.Users.Added != 1 {
				t.Errorf("export: %+v", back)
			}
			wantRow(t, m.db, g, issued, true)
			wantRow(t, m.db, g, token(1, 0), false)
			wantRow(t, m.db, g, token(2, 1), true)
			if again := h.give(t, m.dsn); again.Users.Added+again.Users.Updated+again.Tokens.Added+again.Tokens.Updated+again.Dropped > 0 {
				t.Errorf("second export: %+v", again)
			}
		})
	}
}

// TestMySQLCustomUsers has custom user models: UUID keys, generated columns, and an
// e-mail address that is unique and optional.
func TestMySQLCustomUsers(t *testing.T) {
	kinds := map[string]struct{ kind, ann, bob string }{
		"char": {"char(32)", "b1b2c3d4e5f64a5b8c6d7e8f90a1b2c3", "a1b2c3d4e5f64a5b8c6d7e8f90a1b2c3"},
		"uuid": {"uuid", "b1b2c3d4-e5f6-4a5b-8c6d-7e8f90a1b2c3", "a1b2c3d4-e5f6-4a5b-8c6d-7e8f90a1b2c3"},
	}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			m := mustMaria(t, "CREATE TABLE accounts_user (uid "+kind.kind+" NOT NULL PRIMARY KEY, password varchar(128) NOT NULL, last_login datetime(6) NULL, "+
				"username varchar(80) CHARACTER SET utf8mb3 NOT NULL UNIQUE, name_lower varchar(80) GENERATED ALWAYS AS (lower(username)) STORED, size integer AS (char_length(username)) VIRTUAL, "+
				"email varchar(254) NULL UNIQUE, is_active bit(1) NOT NULL, created_at datetime(6) NOT NULL, points double NOT NULL, note longtext NOT NULL, ref "+kind.kind+" NOT NULL UNIQUE)",
				fmt.Sprintf(mysqlTokens, kind.kind, "accounts_user (uid)"),
				"INSERT INTO accounts_user (uid, password, username, email, is_active, created_at, points, note, ref) VALUES ('"+kind.ann+"', '"+hashed("ann")+"', 'ann', NULL, 1, '"+moment+"', 1000000000, '', '"+kind.ann+"'), "+
					"('"+kind.bob+"', '"+hashed("bob")+"', 'bob', NULL, 1, '"+moment+"', 0.5, 'ć', '"+kind.bob+"')",
				"INSERT INTO authtoken_token VALUES ('"+text("ann")+"', '"+moment+"', '"+kind.ann+"'), ('"+text("bob")+"', '"+moment+"', '"+kind.bob+"')")
			h := mustHouse(t)
			report, err := h.both(t, tables.Mapping{}, nil, m.dsn)
			if err != nil || report.Users.Added != 2 || report.Tokens["authtoken_token"].Added != 2 {
				t.Fatalf("%+v, %v", report, err)
			}
			h.wantOwners(t, map[string]string{text("ann"): "ann", text("bob"): "bob"})
			if report, err = h.both(t, tables.Mapping{}, nil, m.dsn); err != nil || report.Users.Unchanged != 2 || report.Tokens["authtoken_token"].Unchanged != 2 {
				t.Errorf("second import: %+v, %v", report, err)
			}
			users, err := h.store.ExportUsers(t.Context(), 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range users {
				if u.Username == "ann" && (u.Attributes["points"] != "1000000000" || u.Attributes["name_lower"] != "ann" || u.Attributes["size"] != "3" || u.Email != "") {
					t.Errorf("attributes: %v", u.Attributes)
				}
			}
			for _, name := range []string{"New", "Newer", "🐢"} {
				h.mustRegister(t, policy, name)
			}
			if err := h.store.SetActive(t.Context(), users[0].ID, false, nil); err != nil {
				t.Fatal(err)
			}
			back := h.give(t, m.dsn)
			if back.Users.Added != 2 || back.Users.Updated != 2 || back.Users.Refused != 1 || back.Tokens.Added != 2 || back.Tokens.Refused != 1 {
				t.Errorf("export: %+v", back)
			}
			off := 2 - len(m.rows(t, "SELECT 1 FROM accounts_user WHERE username IN ('ann', 'bob') AND is_active"))
			if off != 1 {
				t.Errorf("%d of two users are inactive, want 1", off)
			}
			m.wantRows(t, "SELECT username, name_lower, size, email, is_active + 0, points, note, char_length(uid) FROM accounts_user JOIN authtoken_token ON user_id = uid WHERE username LIKE 'new%' ORDER BY username",
				fmt.Sprintf("New|new|3|NULL|1|0||%d", len(kind.ann)), fmt.Sprintf("Newer|newer|5|NULL|1|0||%d", len(kind.ann)))
			before := m.sums(t)
			if again := h.give(t, m.dsn); again.Users.Added+again.Users.Updated+again.Tokens.Added+again.Tokens.Updated+again.Dropped > 0 {
				t.Errorf("second export: %+v", again)
			}
			if diff := cmp.Diff(before, m.sums(t)); diff != "" {
				t.Errorf("a second export changed something:\n%s", diff)
			}
		})
	}
}

// TestMySQLBytes has binary columns for texts: those that are valid UTF-8 are imported,
// and others refused.
func TestMySQLBytes(t *testing.T) {
	insert := func(key, name string) string {
		return "INSERT INTO accounts_user (id, password, username, date_joined) VALUES (" + key + ", '!', " + name + ", '" + moment + "')"
	}
	m := mustMaria(t, "CREATE TABLE accounts_user (id binary(4) NOT NULL PRIMARY KEY, "+strings.Replace(mysqlColumns, "username varchar", "username varbinary", 1)+") CHARACTER SET utf8mb4",
		fmt.Sprintf(mysqlTokens, "binary(4)", "accounts_user (id)"),
		insert("'aaaa'", "'ann'"), insert("'bbbb'", "'żółw'"), insert("'cccc'", "x'ff41'"), insert("x'fffefdfc'", "'dan'"),
		"INSERT INTO authtoken_token SELECT md5(id), '"+moment+"', id FROM accounts_user")
	h := mustHouse(t)
	report, err := h.both(t, tables.Mapping{}, nil, m.dsn)
	if err != nil || report.Users.Added != 2 || report.Users.Refused != 2 || report.Tokens["authtoken_token"].Added != 2 || report.Tokens["authtoken_token"].Refused != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	for token, want := range map[string]string{md5Hex("aaaa"): "ann", md5Hex("bbbb"): "żółw"} {
		if session, err := h.service.Authenticate(t.Context(), policy, core.Presented(token)); err != nil || session.User.Username != want {
			t.Errorf("a token of %s speaks for %q, %v", want, session.User.Username, err)
		}
	}
	before := m.sums(t)
	h.mustRegister(t, policy, "new") // a user without a key in the target
	back, err := h.tryGive(t, m.dsn)
	if err != nil || back.Users.Refused != 1 || back.Users.Unchanged != 2 || back.Tokens.Unchanged != 2 {
		t.Errorf("export: %+v, %v", back, err)
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("the target was written to:\n%s", diff)
	}
}

// TestMySQLPages reads more rows than fit a page, by keys of each kind, and finds the
// same rows with all of them.
func TestMySQLPages(t *testing.T) {
	const rows = 11_000
	for _, id := range []string{"integer AUTO_INCREMENT", "char(32)", "varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci", "uuid"} {
		t.Run(id, func(t *testing.T) {
			key := "md5(seq)"
			switch {
			case id == "uuid":
				key = "uuid()"
			case strings.HasPrefix(id, "integer"):
				key = "seq"
			}
			m := mustMaria(t, "CREATE TABLE accounts_user (id "+id+" NOT NULL PRIMARY KEY, points double NOT NULL, price float NOT NULL, "+mysqlColumns+") CHARACTER SET utf8mb4",
				fmt.Sprintf("INSERT INTO accounts_user (id, points, price, password, username, date_joined) SELECT %s, 1000000000, 1000000, '!', concat('u', seq), '%s' FROM seq_1_to_%d", key, moment, rows))
			from, err := tables.Open(t.Context(), tables.Mapping{UsernameCase: "lower"}, m.dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer from.Close()
			seen, texts := map[string]bool{}, map[string]int{}
			d := tables.Decoder{Mapping: from.Shape().Mapping, Zone: time.UTC}
			err = from.Each(t.Context(), from.Shape().Users, "", func(row tables.Row) error {
				u, err := d.User(row)
				seen[u.Username] = true
				texts[fmt.Sprint(u.Attributes["points"], " ", u.Attributes["price"], " ", u.CreatedAt.Format(time.RFC3339Nano))]++
				return err
			})
			if err != nil || len(seen) != rows || texts["1000000000 1000000 2026-01-02T03:04:05.000006Z"] != rows {
				t.Errorf("%d of %d users, %v: %v", len(seen), rows, texts, err)
			}
		})
	}
}

// TestMySQLUnreachable gets a single-line error that says what is wrong, without the
// password.
func TestMySQLUnreachable(t *testing.T) {
	m := mustMariaUsers(t, "ann")
	reader, err := url.Parse(m.reader(t))
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*url.URL)) string {
		u := *reader
		change(&u)
		return u.String()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	listener.Close()
	empty := mustMaria(t)
	form := "mysql://USER:PASSWORD@HOST/DATABASE"
	for name, test := range map[string]struct{ dsn, want string }{
		"wrong password":         {with(func(u *url.URL) { u.User = url.UserPassword(reader.User.Username(), "S3cretS3cret") }), "Access denied"},
		"unknown database":       {with(func(u *url.URL) { u.Path = "/nowhere"; u.User = url.User("root") }), "Unknown database"},
		"no right to it":         {with(func(u *url.URL) { u.Path = "/mysql" }), "Access denied"},
		"refused":                {with(func(u *url.URL) { u.Host = nobody }), "connection refused"},
		"no users":               {empty.dsn, "no table of users"},
		"no database":            {"mysql://ann:S3cret@127.0.0.1", form},
		"no host":                {"mysql:///S3cret", form},
		"bad escape":             {"mysql://ann:S3cret%zz@127.0.0.1/db", form},
		"slash in the password":  {"mysql://ann:12/S3cret@127.0.0.1/db", form},
		"letters and a slash":    {"mysql://ann:S3cret/x@127.0.0.1/db", form},
		"question mark in it":    {"mysql://ann:12/x?S3cret@127.0.0.1/db", form},
		"question mark after it": {"mysql://ann:12?S3cret@127.0.0.1/db", form},
		"hash in it":             {"mysql://ann:12/x#S3cret@127.0.0.1/db", form},
		"unknown parameter":      {"mysql://ann:S3cret@127.0.0.1/db?charset=utf8", `"charset"`},
		"sql in a parameter":     {"mysql://ann:S3cret@127.0.0.1/db?sql_log_bin=0", `"sql_log_bin"`},
		"unknown tls":            {"mysql://ann:S3cret@127.0.0.1/db?tls=perhaps", "none of true, false"},
		"several":                {"mysql://ann:S3cret@127.0.0.1/a/b", form},
	} {
		t.Run(name, func(t *testing.T) {
			for _, open := range []func() error{
				func() error { _, err := tables.Open(t.Context(), tables.Mapping{}, test.dsn); return err },
				func() error {
					_, err := tables.OpenTarget(t.Context(), test.dsn, tables.Mapping{}, time.UTC)
					return err
				},
			} {
				if err := open(); err == nil || !contains(err.Error(), test.want) || contains(err.Error(), "S3cret") || contains(err.Error(), "\n") {
					t.Errorf("error %v, want one line that says %q", err, test.want)
				}
			}
			if named := tables.Describe(test.dsn); contains(named, "S3cret") {
				t.Errorf("it is described as %q", named)
			}
		})
	}
}

// TestMySQLAttach checks that attaching to MySQL is refused.
func TestMySQLAttach(t *testing.T) {
	m := mustMariaUsers(t, "ann")
	before := m.sums(t)
	if _, err := live.Open(t.Context(), m.dsn, tables.Mapping{}); err == nil || !contains(err.Error(), "can be imported from and exported to, not worked on") || contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("it was written to:\n%s", diff)
	}
}
