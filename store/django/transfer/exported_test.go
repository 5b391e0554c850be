package transfer_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// queried returns what a query of a SQLite file finds: the second column by the first.
func queried(t *testing.T, path, query string) map[string]string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			t.Fatal(err)
		}
		all[name] = value
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestExportLastLogin writes the later one of two last logins, whether or not anything else of the
// user has changed, and counts it as no change.
func TestExportLastLogin(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, fmt.Sprintf(authtoken, "auth_user (id)"),
		`INSERT INTO auth_user VALUES (1, `+user("ann")+`), (2, `+user("bob")+`), (3, `+user("carl")+`)`,
		`UPDATE auth_user SET last_login = '2999-01-02 03:04:05' WHERE username = 'bob'`)
	h := mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "bob"} { // which makes their passwords anew
		if _, err := h.service.Login(t.Context(), policy, name, "pw-"+name); err != nil {
			t.Fatal(err)
		}
	}
	if back := h.give(t, path); back.Users != (transfer.Counts{Read: 3, Updated: 2, Unchanged: 1}) {
		t.Errorf("export of passwords: %+v", back.Users)
	}
	p := policy
	p.UpdateLastLogin = true
	begun := time.Now().UTC()
	if _, err := h.service.Register(t.Context(), p, core.Registration{Username: "dora", Password: "pw-dora"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "bob", "dora"} {
		if _, err := h.service.Login(t.Context(), p, name, "pw-"+name); err != nil {
			t.Fatal(err)
		}
	}
	for round, want := range []transfer.Counts{{Read: 4, Added: 1, Unchanged: 3}, {Read: 4, Unchanged: 4}} {
		if back := h.give(t, path); back.Users != want {
			t.Errorf("export %d: %+v, want %+v", round, back.Users, want)
		}
		got := queried(t, path, `SELECT username, coalesce(last_login, 'never') FROM auth_user`)
		for _, name := range []string{"ann", "dora"} {
			at, err := time.Parse("2006-01-02 15:04:05.999999", got[name])
			if err != nil || at.Before(begun.Truncate(time.Microsecond)) || at.After(time.Now().UTC()) {
				t.Errorf("%s logged in at %q, %v", name, got[name], err)
			}
			got[name] = "here"
		}
		if diff := cmp.Diff(map[string]string{"ann": "here", "bob": "2999-01-02 03:04:05", "carl": "never", "dora": "here"}, got); diff != "" {
			t.Errorf("last logins after export %d (-want +got):\n%s", round, diff)
		}
	}
}

// TestDumpLastLogin writes when users last logged in, as far as that is known.
func TestDumpLastLogin(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, fmt.Sprintf(authtoken, "auth_user (id)"),
		`INSERT INTO auth_user VALUES (1, `+user("ann")+`), (2, `+user("bob")+`)`,
		`UPDATE auth_user SET last_login = '2026-01-02 03:04:05.678901' WHERE username = 'bob'`)
	h := mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := transfer.ExportDump(t.Context(), h.store, &out, transfer.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: time.Now}); err != nil {
		t.Fatal(err)
	}
	var objects []struct {
		Fields struct {
			Username string
			Login    *string `json:"last_login"`
		}
	}
	if err := json.Unmarshal(out.Bytes(), &objects); err != nil {
		t.Fatal(err)
	}
	if len(objects) != 2 || objects[0].Fields.Login != nil || objects[1].Fields.Login == nil || *objects[1].Fields.Login != "2026-01-02T03:04:05.678901Z" {
		t.Errorf("%s", out.Bytes())
	}
}

// TestExportDeletions has an export delete the users who were deleted here, if asked for: not those who
// have changed there, nor those to whom rows of the application refer.
func TestExportDeletions(t *testing.T) {
	const refers = `integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED)`
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, boss_id integer NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED, `+columns+`)`,
		fmt.Sprintf(authtoken, "auth_user (id)"), `CREATE TABLE auth_user_groups (id integer PRIMARY KEY, user_id `+refers, `CREATE TABLE shop_order (id integer PRIMARY KEY, buyer_id `+refers,
		`INSERT INTO auth_user VALUES (1, NULL, `+user("ann")+`), (2, NULL, `+user("bob")+`), (3, NULL, `+user("carl")+`), (4, NULL, `+user("dora")+`), (5, 4, `+user("eve")+`)`,
		`INSERT INTO authtoken_token VALUES ('`+text("ann")+`', `+joined+`, 1), ('`+text("bob")+`', `+joined+`, 2)`,
		`INSERT INTO auth_user_groups VALUES (1, 1), (2, 2)`, `INSERT INTO shop_order VALUES (1, 3)`)
	h := mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
		t.Fatal(err)
	}
	if _, err := h.service.Register(t.Context(), policy, core.Registration{Username: "finn", Password: "pw-finn"}); err != nil {
		t.Fatal(err)
	}
	h.give(t, path)
	users := func() map[string]string { return queried(t, path, `SELECT username, is_active FROM auth_user`) }
	all := map[string]string{"ann": "1", "bob": "1", "carl": "1", "dora": "1", "eve": "1", "finn": "1"}
	if diff := cmp.Diff(all, users()); diff != "" {
		t.Fatalf("before (-want +got):\n%s", diff)
	}
	for _, name := range []string{"ann", "bob", "carl", "dora", "finn"} {
		u, err := h.service.User(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.store.DeleteUser(t.Context(), u.ID, nil); err != nil {
			t.Fatal(err)
		}
	}
	mustExec(t, path, `UPDATE auth_user SET email = 'bob@another.example' WHERE username = 'bob'`)

	back := h.give(t, path)
	if back.Deleted != 0 || back.Left != 5 || back.Dropped != 3 || len(back.Problems) != 5 {
		t.Errorf("without being asked: %+v", back)
	}
	if diff := cmp.Diff(all, users()); diff != "" {
		t.Errorf("without being asked (-want +got):\n%s", diff)
	}
	delete(all, "ann")
	delete(all, "finn")
	for round, deleted := range []int{2, 0} {
		back = h.giveWith(t, path, func(o *transfer.ExportOptions) { o.DeleteUsers = true })
		want := []transfer.Problem{
			{Row: "user 2", Reason: "was deleted here, and is still there (key 2): what is there has changed since it was last moved, and may be somebody else's"},
			{Row: "user 3", Reason: "was deleted here, and is still there (key 3): rows of shop_order refer to the user (column buyer_id), and what becomes of them is known to Django's models alone"},
			{Row: "user 4", Reason: "was deleted here, and is still there (key 4): rows of auth_user refer to the user (column boss_id), and what becomes of them is known to Django's models alone"},
		}
		if diff := cmp.Diff(want, back.Problems); diff != "" || back.Deleted != deleted || back.Left != 3 {
			t.Errorf("export %d: %+v\n%s", round, back, diff)
		}
		if diff := cmp.Diff(all, users()); diff != "" {
			t.Errorf("export %d (-want +got):\n%s", round, diff)
		}
	}
	if diff := cmp.Diff(map[string]string{"2": "2"}, queried(t, path, `SELECT id, user_id FROM auth_user_groups`)); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if got := queried(t, path, `SELECT key, user_id FROM authtoken_token`); len(got) != 0 {
		t.Errorf("tokens %v", got)
	}
}

// TestExportLeavesEnded logs users out at the source after an import, and after an export: exports do not bring these tokens
// back there, and the next import ends them here.
func TestExportLeavesEnded(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, fmt.Sprintf(authtoken, "auth_user (id)"),
		`INSERT INTO auth_user VALUES (1, `+user("ann")+`), (2, `+user("bob")+`), (3, `+user("carl")+`)`,
		`INSERT INTO authtoken_token VALUES ('`+text("ann")+`', `+joined+`, 1), ('`+text("carl")+`', `+joined+`, 3)`)
	h := mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, path); err != nil {
		t.Fatal(err)
	}
	session, err := h.service.Login(t.Context(), policy, "bob", "pw-bob")
	if err != nil {
		t.Fatal(err)
	}
	wantKept := func(what string, want transfer.Counts, there map[string]string) {
		t.Helper()
		if back := h.give(t, path); back.Tokens != want || len(back.Problems) > 0 {
			t.Errorf("%s: %+v, want %+v", what, back, want)
		}
		if diff := cmp.Diff(there, queried(t, path, `SELECT key, user_id FROM authtoken_token`)); diff != "" {
			t.Errorf("%s: tokens there (-want +got):\n%s", what, diff)
		}
	}
	logout := func(key string) { mustExec(t, path, `DELETE FROM authtoken_token WHERE key = '`+key+`'`) }
	logout(text("ann"))
	wantKept("logged out after an import", transfer.Counts{Read: 3, Added: 1, Unchanged: 1, Kept: 1}, map[string]string{session.Key: "2", text("carl"): "3"})
	logout(session.Key)
	wantKept("logged out after an export", transfer.Counts{Read: 3, Unchanged: 1, Kept: 2}, map[string]string{text("carl"): "3"})
	report, err := h.both(t, tables.Mapping{}, nil, path)
	if err != nil || report.Ended != 2 {
		t.Errorf("import: %+v, %v", report, err)
	}
	h.wantOwners(t, map[string]string{text("ann"): "", session.Key: "", text("carl"): "carl"})
	// Another login at the source, and one here, go over as any.
	mustExec(t, path, `INSERT INTO authtoken_token VALUES ('`+text("again")+`', `+joined+`, 1)`)
	if session, err = h.service.Login(t.Context(), policy, "bob", "pw-bob"); err != nil {
		t.Fatal(err)
	}
	wantKept("logged in again", transfer.Counts{Read: 2, Added: 1, Unchanged: 1}, map[string]string{session.Key: "2", text("carl"): "3", text("again"): "1"})
	// Under another name, a table that was lost gets all that is good here.
	mustExec(t, path, `DELETE FROM authtoken_token`)
	back := h.giveWith(t, path, func(o *transfer.ExportOptions) { o.Name = "a copy" })
	if back.Tokens.Added != 2 || back.Tokens.Kept > 0 {
		t.Errorf("under another name: %+v", back)
	}
}
