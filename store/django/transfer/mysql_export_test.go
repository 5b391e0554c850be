package transfer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// TestMySQLExport exports what happened here.
func TestMySQLExport(t *testing.T) {
	m := mustMariaUsers(t, "ann", "bob", "żółw")
	m.exec(t, "UPDATE auth_user SET is_staff = 1, first_name = 'Ánn', last_login = '2026-03-03 03:03:03.000003' WHERE id = 1")
	h := mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, m.dsn); err != nil {
		t.Fatal(err)
	}
	before := m.sums(t)
	if back := h.give(t, m.dsn); back.Users.Added+back.Users.Updated+back.Users.Refused+back.Tokens.Added+back.Dropped > 0 || back.Tokens.Unchanged != 3 {
		t.Errorf("export of nothing: %+v", back)
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("an export of nothing changed something:\n%s", diff)
	}
	var keys []string
	for _, name := range []string{"new", "🐢", "quote'\\\"`"} {
		session, err := h.service.Register(t.Context(), policy, core.Registration{Username: name, Email: "a@example.org", Password: "pw-" + name})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, session.Key)
	}
	session, err := h.service.Authenticate(t.Context(), policy, core.Presented(text("bob")))
	if err == nil {
		err = h.service.Logout(t.Context(), session)
	}
	if err == nil {
		err = h.store.SetActive(t.Context(), 3, false, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	back := h.give(t, m.dsn)
	if back.Users.Added != 3 || back.Users.Updated != 1 || back.Users.Refused > 0 || back.Tokens.Added != 3 || back.Tokens.Refused > 0 || back.Dropped != 1 {
		t.Errorf("export: %+v", back)
	}
	m.wantRows(t, "SELECT id, username, is_staff, is_active, first_name, last_login FROM auth_user ORDER BY id",
		"1|ann|1|1|Ánn|2026-03-03 03:03:03.000003", "2|bob|0|1||NULL", "3|żółw|0|0||NULL", "4|new|0|1||NULL", "5|🐢|0|1||NULL", "6|quote'\\\"`|0|1||NULL")
	m.wantRows(t, "SELECT user_id, `key` FROM authtoken_token ORDER BY user_id", "1|"+text("ann"), "3|"+text("żółw"), "4|"+keys[0], "5|"+keys[1], "6|"+keys[2])
	users, err := h.store.ExportUsers(t.Context(), 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	m.wantRows(t, "SELECT date_joined, password FROM auth_user WHERE id = 4", users[0].CreatedAt.Format("2006-01-02 15:04:05.000000")+"|"+users[0].PasswordHash)
	before = m.sums(t)
	if again := h.give(t, m.dsn); again.Users.Added+again.Users.Updated+again.Tokens.Added+again.Tokens.Updated+again.Dropped > 0 {
		t.Errorf("second export: %+v", again)
	}
	if diff := cmp.Diff(before, m.sums(t)); diff != "" {
		t.Errorf("a second export changed something:\n%s", diff)
	}
	m.exec(t, "INSERT INTO auth_user (password, username, date_joined) VALUES ('!', 'next', '"+moment+"')")
	m.wantRows(t, "SELECT id FROM auth_user WHERE username = 'next'", "7")
	report, err := h.both(t, tables.Mapping{}, nil, m.dsn)
	if err != nil || report.Users.Added != 1 || report.Users.Updated+report.Users.Refused > 0 || report.Tokens["authtoken_token"].Unchanged != 5 {
		t.Errorf("import after export: %+v, %v", report, err)
	}
	p := policy
	p.UpdateLastLogin = true
	if _, err := h.service.Login(t.Context(), p, "new", "pw-new"); err != nil {
		t.Fatal(err)
	}
	if err := h.store.DeleteUser(t.Context(), 5, nil); err != nil {
		t.Fatal(err)
	}
	if back := h.giveWith(t, m.dsn, func(o *transfer.ExportOptions) { o.DeleteUsers = true }); back.Deleted != 1 || back.Left != 0 || back.Users.Updated > 0 {
		t.Errorf("export of a deletion and of a login: %+v", back)
	}
	m.wantRows(t, "SELECT id, last_login IS NULL FROM auth_user WHERE id IN (4, 5, 6) ORDER BY id", "4|0", "6|1")
}

// TestMySQLRefusals exports users that a table can't hold, to a server that would
// modify them rather than fail.
func TestMySQLRefusals(t *testing.T) {
	for _, charset := range []string{"utf8mb3", "latin1", "ascii"} {
		t.Run(charset, func(t *testing.T) {
			m := mustMariaUsers(t)
			m.loose(t)
			m.exec(t, "DROP TABLE authtoken_token", "DROP TABLE auth_user",
				strings.Replace(mysqlUsers, "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "CHARACTER SET "+charset, 1), fmt.Sprintf(mysqlTokens, "integer", "auth_user (id)"))
			m.add(t, 1, "ann")
			h := mustHouse(t)
			if _, err := h.both(t, tables.Mapping{}, nil, m.dsn); err != nil {
				t.Fatal(err)
			}
			long := strings.Repeat("x", 151)
			tokens := map[string]string{}
			names := []string{"one", "ANN", "żółw", "🐢", "Größe", long, "two"}
			for _, name := range names {
				session, err := h.service.Register(t.Context(), policy, core.Registration{Username: name, Password: "pw-" + name})
				if err != nil {
					t.Fatal(err)
				}
				tokens[name] = session.Key
			}
			want := []string{"ann", "one"}
			refused := []string{"ANN", "🐢", long}
			for name, sets := range map[string]string{"żółw": "utf8mb3", "Größe": "utf8mb3 latin1"} {
				if strings.Contains(sets, charset) {
					want = append(want, name)
				} else {
					refused = append(refused, name)
				}
			}
			want = append(want, "two")
			back, err := h.tryGive(t, m.dsn)
			if err != nil {
				t.Fatal(err)
			}
			if back.Users.Added != len(want)-1 || back.Users.Refused != len(refused) || back.Tokens.Added != len(want)-1 {
				t.Errorf("%+v", back)
			}
			for _, p := range back.Problems {
				for _, key := range tokens {
					if strings.Contains(p.Reason, key) {
						t.Errorf("the reason %q has a token", p.Reason)
					}
				}
			}
			got := m.rows(t, "SELECT username FROM auth_user JOIN authtoken_token ON user_id = id")
			if missing := without(want, got); len(missing) > 0 || len(got) != len(want) {
				t.Errorf("users in the target: %q, want %q", got, want)
			}
			before := m.sums(t)
			if again, err := h.tryGive(t, m.dsn); err != nil || again.Users.Added+again.Users.Updated+again.Tokens.Added > 0 {
				t.Errorf("second export: %+v, %v", again, err)
			}
			if diff := cmp.Diff(before, m.sums(t)); diff != "" {
				t.Errorf("a second export changed something:\n%s", diff)
			}
		})
	}
}

// without returns the elements of all that are not in some.
func without(all, some []string) (rest []string) {
	for _, s := range all {
		found := false
		for _, o := range some {
			found = found || s == o
		}
		if !found {
			rest = append(rest, s)
		}
	}
	return rest
}

// TestMySQLDeadlock exports users while another transaction interferes: the server
// rolls back all rows of the batch, not only one.
func TestMySQLDeadlock(t *testing.T) {
	m := mustMariaUsers(t, "ann")
	h := mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, m.dsn); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first", "second", "third"} {
		h.mustRegister(t, policy, name)
	}
	m.exec(t, "CREATE TABLE log (id integer PRIMARY KEY, n integer NOT NULL)", "INSERT INTO log SELECT seq, 0 FROM seq_1_to_1000",
		"CREATE TRIGGER logged BEFORE INSERT ON auth_user FOR EACH ROW UPDATE log SET n = n + 1 WHERE id = 1 AND NEW.username = 'second'")
	other, err := m.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback() }()
	if _, err := other.Exec("UPDATE log SET n = 1"); err != nil { // so many rows that the export is the victim
		t.Fatal(err)
	}
	type result struct {
		report *transfer.ExportReport
		err    error
	}
	done := make(chan result, 1)
	go func() {
		report, err := h.tryGive(t, m.dsn)
		done <- result{report, err}
	}()
	for began := time.Now(); m.rows(t, "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")[0] == "Innodb_row_lock_current_waits|0"; {
		if time.Since(began) > 20*time.Second {
			t.Fatal("the export does not wait for the other's lock")
		}
	}
	if _, err := other.Exec("UPDATE auth_user SET is_staff = 1 WHERE id = 2"); err != nil {
		t.Fatal(err)
	}
	if err := other.Commit(); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.err == nil || !contains(r.err.Error(), "Deadlock") || contains(r.err.Error(), "\n") {
		t.Errorf("export: %+v, %v", r.report, r.err)
	}
	m.wantRows(t, "SELECT username FROM auth_user ORDER BY id", "ann")
	back := h.give(t, m.dsn)
	if back.Users.Added != 3 || back.Tokens.Added != 3 || back.Users.Refused+back.Tokens.Refused > 0 {
		t.Errorf("export again: %+v", back)
	}
	m.wantRows(t, "SELECT username FROM auth_user JOIN authtoken_token ON user_id = auth_user.id ORDER BY auth_user.id", "ann", "first", "second", "third")
}
