package overlay_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/overlay"
	"github.com/authcompat/authcompat/store"
)

const usersDDL = `CREATE TABLE auth_user (id integer PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL, last_login datetime NULL, is_superuser boolean NOT NULL,
	username varchar(150) NOT NULL UNIQUE, last_name varchar(150) NOT NULL, email varchar(254) NOT NULL,
	is_staff boolean NOT NULL, is_active boolean NOT NULL, date_joined datetime NOT NULL, first_name varchar(150) NOT NULL);`

const knoxDDL = usersDDL + `CREATE TABLE knox_authtoken (digest varchar(128) NOT NULL PRIMARY KEY, created datetime NOT NULL, expiry datetime NULL,
	token_key varchar(25) NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id))`

const authtokenDDL = usersDDL + `CREATE TABLE authtoken_token ("key" varchar(40) NOT NULL PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL UNIQUE REFERENCES auth_user (id))`

// world is an engine on Django's tables, and the shadow of one.
type world struct {
	engine, shadow *core.Service
	hasher         *hashing.DjangoHasher
	backend        core.Backend
	path           string
}

func newWorld(t *testing.T, ddl string) *world {
	t.Helper()
	w := &world{path: filepath.Join(t.TempDir(), "django.sqlite3")}
	w.exec(t, ddl)
	b, err := store.Open(t.Context(), "django+sqlite:"+w.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	if w.hasher, err = hashing.NewDjangoHasher(1); err != nil {
		t.Fatal(err)
	}
	w.hasher.KeepHashes = true
	w.backend = b.Backend
	w.engine = core.New(core.Config{Backend: b.Backend, Hasher: w.hasher})
	w.shadow = core.New(core.Config{Backend: overlay.Backend(b.Backend), Hasher: overlay.Hasher{}})
	return w
}

func (w *world) exec(t *testing.T, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

// counts returns how many rows the tables have, and when the last token ends.
func (w *world) counts(t *testing.T) string {
	t.Helper()
	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all []string
	for _, statement := range []string{
		"SELECT count(*) FROM auth_user", "SELECT count(*) FROM authcompat_tokens", "SELECT count(*) FROM authcompat_audit", "SELECT group_concat(password || is_active || username || email) FROM auth_user",
	} {
		var value string
		if err := db.QueryRow(statement).Scan(&value); err != nil {
			t.Fatal(statement, err)
		}
		all = append(all, value)
	}
	return strings.Join(all, " ")
}

func (w *world) user(t *testing.T, p core.Policy, name string) core.Session {
	t.Helper()
	s, err := w.engine.Register(t.Context(), p, core.Registration{Username: name, Email: name + "@example.com", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check is what CheckPasswords wants.
func (w *world) check(ctx context.Context, username, encoded, plain string) (bool, error) {
	ok, _, err := w.hasher.Check(ctx, username, encoded, plain)
	return ok, err
}

var knox = core.Policy{Issuer: "knox", Realm: core.DefaultRealm, TokenHex: 64, TTL: 10 * time.Hour}

// TestLoginWithoutALogin logs in as the engine would, from the state before, and writes nothing.
func TestLoginWithoutALogin(t *testing.T) {
	w := newWorld(t, knoxDDL)
	w.user(t, knox, "ann")
	before := w.counts(t)
	for plain, want := range map[string]core.Kind{"secret": -1, "wrong": core.KindInvalidCredentials} {
		r := overlay.NewRequest()
		// At first, each password is right.
		s, err := w.shadow.Login(overlay.With(t.Context(), r), knox, "ann", plain)
		if err != nil || s.Key == "" || r.Checked() || !r.Effects().Token {
			t.Errorf("%s at first: %v, checked %t", plain, err, r.Checked())
		}
		if err := r.CheckPasswords(t.Context(), w.check); err != nil || !r.Checked() {
			t.Fatalf("%v, %t", err, r.Checked())
		}
		s, err = w.shadow.Login(overlay.With(t.Context(), r), knox, "ann", plain)
		if ok := want == -1; ok != (err == nil) || !ok && core.KindOf(err) != want || ok != (len(s.Key) == 64) || r.Effects().Token != ok {
			t.Errorf("%s: %v, %+v", plain, err, r.Effects())
		}
	}
	r := overlay.NewRequest()
	if _, err := w.shadow.Login(overlay.With(t.Context(), r), knox, "nobody", "secret"); core.KindOf(err) != core.KindInvalidCredentials || r.Checked() {
		t.Errorf("nobody: %v", err)
	}
	if err := r.CheckPasswords(t.Context(), w.check); err != nil || !r.Checked() {
		t.Errorf("nobody: %v, %t", err, r.Checked())
	}
	busy := errors.New("busy")
	if _, err := w.shadow.Login(overlay.With(t.Context(), r), knox, "ann", "secret"); err != nil {
		t.Error(err)
	}
	if err := r.CheckPasswords(t.Context(), func(context.Context, string, string, string) (bool, error) { return false, busy }); !errors.Is(err, busy) || r.Checked() {
		t.Errorf("%v, %t", err, r.Checked())
	}
	if after := w.counts(t); after != before {
		t.Errorf("%s became %s", before, after)
	}
}

// TestStateBefore answers again, from what was read before another server has acted on the
// request: and, as another request, from what there is since.
func TestStateBefore(t *testing.T) {
	w := newWorld(t, knoxDDL)
	limited := knox
	limited.Limit = 2
	session := w.user(t, limited, "ann")
	logout := func(r *overlay.Request) error {
		ctx := overlay.With(t.Context(), r)
		found, err := w.shadow.Authenticate(ctx, knox, core.Presented(session.Key))
		if err != nil {
			return err
		}
		return w.shadow.Logout(ctx, found)
	}
	r, login := overlay.NewRequest(), overlay.NewRequest()
	if err := logout(r); err != nil {
		t.Fatal(err)
	}
	if _, err := w.shadow.Login(overlay.With(t.Context(), login), limited, "ann", "secret"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the limit is met now
		if _, err := w.engine.Login(t.Context(), limited, "ann", "secret"); err != nil {
			if core.KindOf(err) != core.KindTokenLimit {
				t.Fatal(err)
			}
		}
	}
	if err := w.engine.Logout(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine.Login(t.Context(), limited, "ann", "secret"); err != nil {
		t.Fatal(err)
	}
	if err := logout(r); err != nil {
		t.Errorf("a second time, from the state before: %v", err)
	}
	if err := logout(r.Again()); core.KindOf(err) != core.KindTokenUnknown {
		t.Errorf("from the state since: %v", err)
	}
	if err := login.CheckPasswords(t.Context(), w.check); err != nil {
		t.Fatal(err)
	}
	if _, err := w.shadow.Login(overlay.With(t.Context(), login), limited, "ann", "secret"); err != nil {
		t.Errorf("the login from the state before: %v", err)
	}
	again := login.Again()
	if _, err := w.shadow.Login(overlay.With(t.Context(), again), limited, "ann", "secret"); core.KindOf(err) != core.KindTokenLimit || !again.Checked() {
		t.Errorf("the login from the state since: %v, checked %t", err, again.Checked())
	}
}

// TestReusedToken shows the token that there is, and a new one where there is none.
func TestReusedToken(t *testing.T) {
	w := newWorld(t, authtokenDDL)
	policy := core.Policy{Issuer: "authtoken", Realm: core.DefaultRealm, TokenHex: 40, Reuse: true}
	session := w.user(t, policy, "ann")
	before := w.counts(t)
	r := overlay.NewRequest()
	got, err := w.shadow.Login(overlay.With(t.Context(), r), policy, "ann", "secret")
	if err != nil || got.Key != session.Key || r.Effects().Token {
		t.Errorf("%v, the same %t, %+v", err, got.Key == session.Key, r.Effects())
	}
	if after := w.counts(t); after != before {
		t.Errorf("%s became %s", before, after)
	}
	if err := w.engine.LogoutAll(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	r = overlay.NewRequest()
	got, err = w.shadow.Login(overlay.With(t.Context(), r), policy, "ann", "secret")
	if err != nil || got.Key == session.Key || len(got.Key) != 40 || !r.Effects().Token || len(r.Effects().Reusable) != 0 {
		t.Errorf("%v, %d digits, %+v", err, len(got.Key), r.Effects())
	}
}

// TestAccountsWithoutAChange does all that people do with accounts, and writes nothing: what is
// done in one request is known within it.
func TestAccountsWithoutAChange(t *testing.T) {
	w := newWorld(t, knoxDDL)
	policy := knox
	policy.UniqueEmail = true
	w.user(t, policy, "ann")
	w.user(t, policy, "bob")
	before := w.counts(t)
	ctx := overlay.With(t.Context(), overlay.NewRequest())
	want := func(what string, err error, kind core.Kind) {
		t.Helper()
		if kind == -1 && err != nil || kind != -1 && (err == nil || core.KindOf(err) != kind) {
			t.Errorf("%s: %v, want %v", what, err, kind)
		}
	}
	_, err := w.shadow.Register(ctx, policy, core.Registration{Username: "ann", Password: "x"})
	want("a name that is taken", err, core.KindUsernameTaken)
	_, err = w.shadow.Register(ctx, policy, core.Registration{Username: "new", Email: "BOB@example.com", Password: "x"})
	want("an address that is taken", err, core.KindEmailTaken)
	_, err = w.shadow.Register(ctx, policy, core.Registration{Username: strings.Repeat("a", 200), Password: "x"})
	want("a name that is too long", err, core.KindInvalidUser)
	created, err := w.shadow.Register(ctx, policy, core.Registration{Username: "new", Password: "x"})
	want("a registration", err, -1)
	if _, err := w.shadow.User(ctx, "new"); err != nil || len(created.Key) != 64 {
		t.Errorf("within the request: %v, %d digits", err, len(created.Key))
	}
	if _, err := w.shadow.User(overlay.With(t.Context(), overlay.NewRequest()), "new"); core.KindOf(err) != core.KindUserUnknown {
		t.Errorf("in another: %v", err)
	}
	ann, err := w.shadow.User(ctx, "ann")
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) *string { return &s }
	_, err = w.shadow.UpdateUser(ctx, policy, ann.ID, core.UserUpdate{Username: text("bob")})
	want("another's name", err, core.KindUsernameTaken)
	_, err = w.shadow.UpdateUser(ctx, policy, ann.ID, core.UserUpdate{Email: text("Bob@Example.com")})
	want("another's address", err, core.KindEmailTaken)
	changed, err := w.shadow.UpdateUser(ctx, policy, ann.ID, core.UserUpdate{Email: text("ann@example.net")})
	want("an address", err, -1)
	if now, err := w.shadow.UserByID(ctx, ann.ID); err != nil || now.Email != "ann@example.net" || changed.Email != now.Email {
		t.Errorf("%+v, %v", now, err)
	}
	confirmation, err := w.shadow.ConfirmPassword(ctx, policy, ann, "secret")
	want("the password", err, -1)
	_, err = w.shadow.ChangePassword(ctx, policy, confirmation, "another", true)
	want("another password", err, -1)
	again, err := w.shadow.Unconfirmed(ctx, ann, ann)
	want("the account", err, -1)
	want("a removal", w.shadow.DeleteAccount(ctx, policy, again), -1)
	if _, err := w.shadow.UserByID(ctx, ann.ID); core.KindOf(err) != core.KindUserUnknown {
		t.Errorf("a removed user: %v", err)
	}
	users, err := w.shadow.Users(ctx, 0, 10)
	if err != nil || fmt.Sprint(len(users)) != "1" {
		t.Errorf("%d users, %v", len(users), err)
	}
	if after := w.counts(t); after != before {
		t.Errorf("%s became %s", before, after)
	}
}
