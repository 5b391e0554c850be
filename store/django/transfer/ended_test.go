package transfer_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
	"github.com/google/go-cmp/cmp"
)

// TestExportKnowsNewForms exports tokens whose text is sealed into knox's table alone, in a form that nothing here had before: they are
// the same tokens from then on, and a logout on either side is final on both.
func TestExportKnowsNewForms(t *testing.T) {
	for _, g := range generations() {
		t.Run(string(g.name), func(t *testing.T) {
			path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, g.table,
				`INSERT INTO auth_user VALUES (1, `+user("ann")+`), (2, `+user("bob")+`), (3, `+user("carl")+`)`)
			h := mustHouse(t)
			h.take(t, path)
			keys := map[string]string{}
			for _, name := range []string{"ann", "bob", "carl"} {
				session, err := h.service.Login(t.Context(), policy, name, "pw-"+name)
				if err != nil {
					t.Fatal(err)
				}
				keys[name] = session.Key
			}
			wantThere := func(what string, want ...string) {
				t.Helper()
				all := map[string]string{}
				for _, id := range want {
					all[id] = id
				}
				if diff := cmp.Diff(all, queried(t, path, `SELECT user_id, user_id FROM knox_authtoken`)); diff != "" {
					t.Errorf("%s: owners of the tokens there (-want +got):\n%s", what, diff)
				}
			}
			h.give(t, path)
			wantThere("exported", "1", "2", "3")
			if report := h.take(t, path); report.Tokens["knox_authtoken"].Added > 0 {
				t.Errorf("imported again: %+v", report.Tokens)
			}
			h.logout(t, keys["ann"])
			mustExec(t, path, `DELETE FROM knox_authtoken WHERE user_id = 2`)
			h.take(t, path)
			h.wantOwners(t, map[string]string{keys["ann"]: "", keys["bob"]: "", keys["carl"]: "carl"})
			if back := h.give(t, path); back.Dropped != 1 {
				t.Errorf("second export: %+v", back)
			}
			h.take(t, path)
			h.wantOwners(t, map[string]string{keys["ann"]: "", keys["bob"]: "", keys["carl"]: "carl"})
		})
	}
}

// logout ends a token here.
func (h house) logout(t *testing.T, token string) {
	t.Helper()
	session, err := h.service.Authenticate(t.Context(), policy, core.Presented(token))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.service.Logout(t.Context(), session); err != nil {
		t.Fatal(err)
	}
}

// ending is a store whose users log out while their tokens are exported: after an export has looked which tokens are new there.
type ending struct {
	transfer.Source
	logout func()
}

func (e ending) UnlinkedTokens(ctx context.Context, source int64, names []string, digests []core.Digest) ([]core.Digest, error) {
	unlinked, err := e.Source.UnlinkedTokens(ctx, source, names, digests)
	e.logout()
	return unlinked, err
}

// TestEndedWhileExported ends tokens that an export has read and not written yet. Neither does it write those that have ended by
// then, nor are those lost track of that end meanwhile: the next export removes them there, and no import brings them back.
func TestEndedWhileExported(t *testing.T) {
	for _, late := range []bool{false, true} {
		path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, `CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL UNIQUE)`,
			`INSERT INTO auth_user VALUES (1, `+user("ann")+`), (2, `+user("bob")+`)`,
			`INSERT INTO authtoken_token VALUES ('`+text("bob")+`', `+joined+`, 2)`)
		h := mustHouse(t)
		h.take(t, path)
		session, err := h.service.Login(t.Context(), policy, "ann", "pw-ann")
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, path, `DELETE FROM authtoken_token`) // bob logged out there
		end := sync.OnceFunc(func() {
			h.logout(t, session.Key)
			h.logout(t, text("bob")) // which an import ends too, that does not see it there
		})
		to, err := tables.OpenTarget(t.Context(), path, tables.Mapping{}, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		defer to.Close()
		o := transfer.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: time.Now}
		from := transfer.Source(h.store)
		if late {
			from = ending{Source: h.store, logout: end}
		} else {
			o.Progress = func(table string, _, _ int) {
				if table == "tokens" {
					end()
				}
			}
		}
		want := map[string]string{}
		if late {
			want[session.Key] = "1"
		}
		if _, err := transfer.Export(t.Context(), from, to, o); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, queried(t, path, `SELECT key, user_id FROM authtoken_token`)); diff != "" {
			t.Errorf("late %t: tokens there (-want +got):\n%s", late, diff)
		}
		h.take(t, path)
		h.wantOwners(t, map[string]string{session.Key: "", text("bob"): ""})
		if back := h.give(t, path); back.Dropped != len(want) {
			t.Errorf("late %t: next export: %+v", late, back)
		}
	}
}
