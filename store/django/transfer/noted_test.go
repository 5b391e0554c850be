package transfer_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	coretransfer "github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
	"github.com/google/go-cmp/cmp"
)

// cut is a store whose process ends when a page has been committed at Django and is not marked here yet: of users, or of tokens.
type cut struct {
	transfer.Source
	users bool
}

var errCut = errors.New("cut off")

func (c cut) MarkExported(ctx context.Context, place coretransfer.Checkpoint, users []coretransfer.ImportedUser, tokens map[string][]core.Digest) error {
	if c.users == (len(users) > 0) && len(users)+len(tokens) > 0 {
		return errCut
	}
	return c.Source.MarkExported(ctx, place, users, tokens)
}

// giveCut exports until it is cut off.
func (h house) giveCut(t *testing.T, path string, users bool) {
	t.Helper()
	to, err := tables.OpenTarget(t.Context(), path, tables.Mapping{}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	o := transfer.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: time.Now}
	if _, err := transfer.Export(t.Context(), cut{h.store, users}, to, o); !errors.Is(err, errCut) {
		t.Fatalf("not cut off: %v", err)
	}
}

// wantRefused imports while it is not known what an export has written.
func (h house) wantRefused(t *testing.T, path string) {
	t.Helper()
	if _, err := h.try(t, tables.Mapping{}, func(*transfer.Options) {}, path); !errors.Is(err, transfer.ErrExportCutOff) {
		t.Errorf("import: %v", err)
	}
}

// TestExportCutOffTokens cuts an export off when tokens are there and not marked here. What is logged out on either side after that
// stays so on both.
func TestExportCutOffTokens(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, `CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL UNIQUE)`,
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
	h.give(t, path) // the passwords that were hashed anew
	mustExec(t, path, `DELETE FROM authtoken_token`)
	h.take(t, path) // ends them here
	for name := range keys {
		session, err := h.service.Login(t.Context(), policy, name, "pw-"+name)
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = session.Key
	}
	h.giveCut(t, path, false)
	h.logout(t, keys["ann"])
	mustExec(t, path, `DELETE FROM authtoken_token WHERE user_id = 2`)
	h.wantRefused(t, path)
	h.give(t, path)
	if diff := cmp.Diff(map[string]string{keys["carl"]: "3"}, queried(t, path, `SELECT key, user_id FROM authtoken_token`)); diff != "" {
		t.Errorf("tokens there (-want +got):\n%s", diff)
	}
	h.take(t, path)
	h.wantOwners(t, map[string]string{keys["ann"]: "", keys["bob"]: "", keys["carl"]: "carl"})
}

// TestExportCutOffUsers cuts an export off when users are there and not marked here. What changes there after that is newer, and stays.
func TestExportCutOffUsers(t *testing.T) {
	for _, all := range []bool{false, true} { // whether nobody is left there as written
		path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`,
			`INSERT INTO auth_user VALUES (1, `+user("ann")+`), (2, `+user("bob")+`), (3, `+user("carl")+`)`)
		h := mustHouse(t)
		h.take(t, path)
		for _, name := range []string{"ann", "bob"} {
			account, err := h.store.Account(t.Context(), name)
			if err == nil {
				err = h.store.UpdatePassword(t.Context(), account.ID, account.PasswordHash, "md5$salt$here", false, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		h.giveCut(t, path, true)
		changed := map[string]string{"1": "md5$salt$there", "2": "md5$salt$here", "3": queried(t, path, `SELECT id, password FROM auth_user`)["3"]}
		mustExec(t, path, `UPDATE auth_user SET password = 'md5$salt$there' WHERE id = 1`)
		if all {
			mustExec(t, path, `UPDATE auth_user SET password = 'md5$salt$there' WHERE id = 2`)
			changed["2"] = "md5$salt$there"
		}
		h.wantRefused(t, path)
		h.give(t, path)
		h.take(t, path)
		h.give(t, path)
		if diff := cmp.Diff(changed, queried(t, path, `SELECT id, password FROM auth_user`)); diff != "" {
			t.Errorf("all %t: passwords there (-want +got):\n%s", all, diff)
		}
		ann, err := h.store.Account(t.Context(), "ann")
		if err != nil || ann.PasswordHash != "md5$salt$there" {
			t.Errorf("all %t: ann has %q here, %v", all, ann.PasswordHash, err)
		}
	}
}

// TestExportNotCommitted notes what never came there: nothing is taken for changed, or ended, there.
func TestExportNotCommitted(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, `CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL UNIQUE)`,
		`INSERT INTO auth_user VALUES (1, `+user("ann")+`)`)
	h := mustHouse(t)
	h.take(t, path)
	session, err := h.service.Login(t.Context(), policy, "ann", "pw-ann")
	if err != nil {
		t.Fatal(err)
	}
	ann, err := h.store.Account(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	place, err := h.store.FindImport(t.Context(), "sqlite:"+path)
	if err != nil || place.Source == 0 {
		t.Fatal(place, err)
	}
	for _, noted := range []coretransfer.NotedExport{
		{Users: []coretransfer.UserLink{{UserID: 1, Key: "1", Fingerprint: coretransfer.UserFingerprint(ann)}}},
		{Tokens: map[string][]core.Digest{"authtoken_token": {core.Presented(session.Key).SHA256()}}},
	} {
		if err := h.store.NoteExported(t.Context(), place.Source, noted); err != nil {
			t.Fatal(err)
		}
		mustExec(t, path, `UPDATE auth_user SET email = 'another@example.org'`)
		h.give(t, path)
	}
	h.take(t, path)
	if diff := cmp.Diff(map[string]string{session.Key: ann.PasswordHash}, queried(t, path, `SELECT key, password FROM authtoken_token JOIN auth_user ON user_id = id`)); diff != "" {
		t.Errorf("there (-want +got):\n%s", diff)
	}
	if ann, err = h.store.Account(t.Context(), "ann"); err != nil || ann.Email != "another@example.org" {
		t.Errorf("here: %q, %v", ann.Email, err)
	}
	h.wantOwners(t, map[string]string{session.Key: "ann"})
}

// reading is a source whose users are read, and changed there, before anything of them is written here.
type reading struct {
	tables.Source
	meanwhile func()
}

func (r reading) Each(ctx context.Context, table tables.Table, after string, do func(tables.Row) error) error {
	err := r.Source.Each(ctx, table, after, do)
	if table.Name == r.Shape().Users.Name {
		r.meanwhile()
	}
	return err
}

// TestExportDuringImport exports a password that was changed here while an import has read the older one: that does not come back.
func TestExportDuringImport(t *testing.T) {
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, `INSERT INTO auth_user VALUES (1, `+user("ann")+`)`)
	h := mustHouse(t)
	h.take(t, path)
	ann, err := h.store.Account(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.UpdatePassword(t.Context(), ann.ID, ann.PasswordHash, "md5$salt$newer", false, nil); err != nil {
		t.Fatal(err)
	}
	from, err := tables.Open(t.Context(), tables.Mapping{}, path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	_, err = transfer.Import(t.Context(), reading{from, func() { h.give(t, path) }}, h.store, transfer.Options{Policy: policy, Sealer: h.sealer, Random: rand.Reader, Zone: time.UTC, Clock: time.Now})
	if !errors.Is(err, coretransfer.ErrOvertaken) {
		t.Errorf("import: %v", err)
	}
	if ann, err = h.store.Account(t.Context(), "ann"); err != nil || ann.PasswordHash != "md5$salt$newer" {
		t.Errorf("password here: %q, %v", ann.PasswordHash, err)
	}
	h.take(t, path)
	if diff := cmp.Diff(map[string]string{"1": "md5$salt$newer"}, queried(t, path, `SELECT id, password FROM auth_user`)); diff != "" {
		t.Errorf("there (-want +got):\n%s", diff)
	}
}

// paging is a store whose users change after a page of them was read.
type paging struct {
	transfer.Source
	meanwhile func()
}

func (p paging) ExportUsers(ctx context.Context, after int64, limit int) ([]core.Account, error) {
	page, err := p.Source.ExportUsers(ctx, after, limit)
	if len(page) > 0 {
		p.meanwhile()
	}
	return page, err
}

// links is paging once the links of the page were read too.
type links struct{ paging }

func (l links) ExportUsers(ctx context.Context, after int64, limit int) ([]core.Account, error) {
	return l.Source.ExportUsers(ctx, after, limit)
}

func (l links) LinkedFingerprints(ctx context.Context, source int64, users []int64) ([]coretransfer.UserLink, error) {
	found, err := l.Source.LinkedFingerprints(ctx, source, users)
	l.meanwhile()
	return found, err
}

// TestImportDuringExport imports a password that was changed at Django while an export has read the older one here. One that is
// chosen here after that is newer than both.
func TestImportDuringExport(t *testing.T) {
	for _, late := range []bool{false, true} {
		path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, `INSERT INTO auth_user VALUES (1, `+user("ann")+`)`)
		h := mustHouse(t)
		h.take(t, path)
		to, err := tables.OpenTarget(t.Context(), path, tables.Mapping{}, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		defer to.Close()
		from := paging{h.store, sync.OnceFunc(func() {
			mustExec(t, path, `UPDATE auth_user SET password = 'md5$salt$there'`)
			h.take(t, path)
		})}
		var store transfer.Source = from
		if late {
			store = links{from}
		}
		if _, err := transfer.Export(t.Context(), store, to, transfer.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: time.Now}); err != nil {
			t.Fatal(err)
		}
		if err := h.store.UpdatePassword(t.Context(), 1, "md5$salt$there", "md5$salt$newest", false, nil); err != nil {
			t.Fatal(err)
		}
		h.give(t, path)
		h.take(t, path)
		ann, err := h.store.Account(t.Context(), "ann")
		if err != nil || ann.PasswordHash != "md5$salt$newest" {
			t.Errorf("late %t: here %q, %v", late, ann.PasswordHash, err)
		}
		if diff := cmp.Diff(map[string]string{"1": "md5$salt$newest"}, queried(t, path, `SELECT id, password FROM auth_user`)); diff != "" {
			t.Errorf("late %t: there (-want +got):\n%s", late, diff)
		}
	}
}
