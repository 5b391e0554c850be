package operate_test

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/consoletest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/operate"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

// onEachStore runs a test on SQLite and on PostgreSQL.
func onEachStore(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteDSN(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgrestest.Schema(t)) })
}

func sqliteDSN(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "auth.db") }

// operator is an operator at a console, on a store that a server works on.
type operator struct {
	*engine.Engine
	metrics *metrics.Metrics
	client  *http.Client
	root    string // URL of /console/
}

// open opens the store at a DSN, with a console.
func open(t *testing.T, dsn string, write bool, more ...func(*operate.Options)) *operator {
	t.Helper()
	m := metrics.New(func() float64 { return 0 }, "flood")
	e, err := engine.Open(t.Context(), engine.Options{DSN: dsn, Iterations: 1, Log: slog.New(slog.DiscardHandler), Metrics: m, HashPool: &hashing.PoolOptions{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() }) // its data is gone with the test
	o := operate.Options{Engine: e, Metrics: m.Gatherer(), Write: write}
	for _, change := range more {
		change(&o)
	}
	op := &operator{Engine: e, metrics: m}
	op.client, op.root = consoletest.Session(t, consoletest.Serve(t, console.Options{Operate: &o}))
	return op
}

// want gets a page, and returns its text.
func (o *operator) want(t *testing.T, status int, path string) string {
	t.Helper()
	res, err := o.client.Get(o.root + path)
	got, body := consoletest.Read(t, res, err)
	if got != status {
		t.Fatalf("GET %s: status %d, want %d\n%s", path, got, status, body)
	}
	return body
}

// post sends a form, and returns the page that it leads to.
func (o *operator) post(t *testing.T, status int, path string, form url.Values) string {
	t.Helper()
	res, err := o.client.PostForm(o.root+path, form)
	got, body := consoletest.Read(t, res, err)
	if got != status {
		t.Fatalf("POST %s: status %d, want %d\n%s", path, got, status, body)
	}
	return body
}

// user makes a user.
func (o *operator) user(t *testing.T, name string) core.User {
	t.Helper()
	u, err := o.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: name, Email: name + "@example.com", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// policy is that of the logins here.
func policy() core.Policy {
	return core.Policy{Issuer: "snippit", Realm: core.DefaultRealm, TTL: time.Hour, TokenHex: 40, UpdateLastLogin: true}
}

// login logs in, and returns the token's text and id.
func (o *operator) login(t *testing.T, name, password string) (text, id string, err error) {
	t.Helper()
	ctx := clients.With(t.Context(), func() clients.Client { return clients.Client{Address: netip.MustParseAddr("192.0.2.7")} })
	s, err := o.Login(ctx, policy(), name, password)
	if err != nil {
		return "", "", err
	}
	return s.Key, core.TokenID(core.Presented(s.Key).SHA256()), nil
}

// entries returns what an actor has in the audit record, the oldest entry first, without ids and times.
func (o *operator) entries(t *testing.T, actor string) (all []core.AuditEntry) {
	t.Helper()
	found, err := o.Backend.Auditor.AuditEntries(t.Context(), core.AuditFilter{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		if e.Actor == actor {
			e.ID, e.At = 0, time.Time{}
			all = append([]core.AuditEntry{e}, all...)
		}
	}
	return all
}

func has(t *testing.T, body string, wanted ...string) {
	t.Helper()
	for _, text := range wanted {
		if !strings.Contains(body, text) {
			t.Errorf("the page has no %q\n%s", text, body)
		}
	}
}

func hasNot(t *testing.T, body string, unwanted ...string) {
	t.Helper()
	for _, text := range unwanted {
		if text == "" {
			t.Fatal("nothing is looked for")
		}
		if strings.Contains(body, text) {
			t.Errorf("the page has %q\n%s", text, body)
		}
	}
}

func userPath(u core.User) string { return "users/" + strconv.FormatInt(u.ID, 10) + "/" }

// TestChanges does all that a console changes: each is asked with what it is about, done when it is confirmed, and in the audit
// record as what the console did.
func TestChanges(t *testing.T) {
	onEachStore(t, func(t *testing.T, dsn string) {
		o := open(t, dsn, true)
		ann := o.user(t, "ann")
		first, firstID, err := o.login(t, "ann", "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := o.login(t, "ann", "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		live := func(token string) bool {
			_, err := o.Authenticate(t.Context(), policy(), core.Presented(token))
			return err == nil
		}

		has(t, o.want(t, http.StatusOK, "tokens/"+firstID+"/revoke"), "Revoke a token?", firstID, "ann", "snippit")
		if !live(first) {
			t.Error("the question alone has revoked the token")
		}
		has(t, o.post(t, http.StatusOK, "tokens/"+firstID+"/revoke", nil), "The token is revoked.")
		if live(first) || !live(second) {
			t.Errorf("after the first was revoked, live are: %t, %t", live(first), live(second))
		}
		o.post(t, http.StatusNotFound, "tokens/"+firstID+"/revoke", nil)
		o.want(t, http.StatusNotFound, "tokens/zz/revoke")

		has(t, o.want(t, http.StatusOK, userPath(ann)+"disable"), "Disable a user?", "ann@example.com", "active")
		has(t, o.post(t, http.StatusUnprocessableEntity, userPath(ann)+"disable", url.Values{"name": {"anne"}}), "Nothing is done", "Disable a user?")
		o.post(t, http.StatusUnprocessableEntity, userPath(ann)+"disable", nil)
		if !live(second) {
			t.Error("the user is disabled without being named")
		}
		has(t, o.post(t, http.StatusOK, userPath(ann)+"disable", url.Values{"name": {"ann"}}), "The user is disabled.", "disabled")
		if live(second) {
			t.Error("the token of a disabled user is good")
		}
		o.want(t, http.StatusConflict, userPath(ann)+"disable")
		o.post(t, http.StatusConflict, userPath(ann)+"disable", url.Values{"name": {"ann"}})
		has(t, o.post(t, http.StatusOK, userPath(ann)+"enable", url.Values{"name": {"ann"}}), "The user is enabled.")
		if !live(second) {
			t.Error("the token of an enabled user is not good")
		}
		o.post(t, http.StatusUnprocessableEntity, userPath(ann)+"revoke", url.Values{"name": {"ANN"}})
		has(t, o.post(t, http.StatusOK, userPath(ann)+"revoke", url.Values{"name": {"ann"}}), "Tokens that were revoked: 1.")
		if live(second) {
			t.Error("the token is good after all were revoked")
		}
		o.post(t, http.StatusNotFound, "users/999/disable", url.Values{"name": {"ann"}})

		has(t, o.want(t, http.StatusOK, "cutover/"), "Nothing to switch yet: no server has declared an endpoint")
		if err := o.DeclareEndpoints(t.Context(), "login", "logout"); err != nil {
			t.Fatal(err)
		}
		o.testCutover(t)

		by := core.AuditEntry{Outcome: core.OK, Actor: core.Console, Address: "127.0.0.1"}
		about := func(act core.Action) core.AuditEntry {
			e := by
			e.Action, e.UserID, e.Username = act, ann.ID, "ann"
			return e
		}
		revoked, set, back := about(core.ActionRevokeToken), by, by
		revoked.Token = firstID
		set.Action, set.Detail = core.ActionCutover, "login=25% users=1 headers=1"
		back.Action, back.Detail = core.ActionRollback, "login=0%"
		want := []core.AuditEntry{revoked, about(core.ActionDisableUser), about(core.ActionEnableUser), about(core.ActionRevokeTokens), set, back}
		if diff := cmp.Diff(want, o.entries(t, core.Console)); diff != "" {
			t.Errorf("the console's part of the audit record (-want +got):\n%s", diff)
		}
		if made := o.entries(t, core.Operator); len(made) != 1 || made[0].Action != core.ActionCreateUser {
			t.Errorf("what the command line did: %v", made)
		}
	})
}

// testCutover sets the cutover, and rolls it back.
func (o *operator) testCutover(t *testing.T) {
	t.Helper()
	state := func() cutover.State {
		s, err := o.Backend.Cutover.CutoverState(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	form := url.Values{"endpoint": {"login"}, "share": {"25%"}, "user": {"ann"}, "header": {"x-canary: yes"}}
	has(t, o.want(t, http.StatusOK, "cutover/set?"+form.Encode()), "login 0% → 25%, users 0 → 1, headers 0 → 1", `name="version" value="1"`)
	o.want(t, http.StatusBadRequest, "cutover/set?endpoint=login&share=101%25")
	o.want(t, http.StatusBadRequest, "cutover/set?endpoint=login")
	o.want(t, http.StatusBadRequest, "cutover/set?endpoint=nonexistent&share=1")
	o.want(t, http.StatusBadRequest, "cutover/set?endpoint=login&header=Host")
	o.want(t, http.StatusConflict, "cutover/set?endpoint=login&share=0")
	form.Set("version", "0")
	has(t, o.post(t, http.StatusConflict, "cutover/set", form), "somebody else has changed the cutover since")
	if s := state(); s.Version != 1 {
		t.Errorf("the cutover has version %d", s.Version)
	}
	form.Set("version", "1")
	has(t, o.post(t, http.StatusOK, "cutover/set", form), "The cutover is set.", "25%", "ann", "X-Canary: yes")
	s := state()
	want := cutover.Rule{Endpoint: "login", Share: 2500, Users: []string{"ann"}, Headers: []cutover.Header{{Name: "X-Canary", Value: "yes"}}}
	if got := s.Rule("login"); !got.Equal(want) || s.Version != 2 {
		t.Errorf("version %d: %v, want %v", s.Version, got, want)
	}
	has(t, o.want(t, http.StatusOK, "cutover/rollback"), "login 25% → 0%, users 1 → 0, headers 1 → 0")
	has(t, o.post(t, http.StatusOK, "cutover/rollback", nil), "Everybody is sent to the old side.")
	if s := state(); !s.Rules[0].Equal(cutover.Rule{Endpoint: "login"}) {
		t.Errorf("after the rollback: %v", s.Rules)
	}
	o.want(t, http.StatusConflict, "cutover/rollback")
}

// TestReadOnly refuses each change without --console-write, and shows no way to it.
func TestReadOnly(t *testing.T) {
	o := open(t, sqliteDSN(t), false)
	ann := o.user(t, "ann")
	text, id, err := o.login(t, "ann", "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if err := o.DeclareEndpoints(t.Context(), "login"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		userPath(ann) + "disable", userPath(ann) + "enable", userPath(ann) + "revoke", "tokens/" + id + "/revoke", "cutover/set", "cutover/rollback",
	} {
		has(t, o.want(t, http.StatusForbidden, path), "read only")
		has(t, o.post(t, http.StatusForbidden, path, url.Values{"name": {"ann"}, "endpoint": {"login"}, "share": {"1"}, "version": {"1"}}), "read only")
	}
	if s, err := o.Authenticate(t.Context(), policy(), core.Presented(text)); err != nil || !s.User.Active {
		t.Errorf("the token is not good any more: %v", err)
	}
	if entries := o.entries(t, core.Console); len(entries) > 0 {
		t.Errorf("the console did %v", entries)
	}
	for _, path := range []string{"users/", userPath(ann), "tokens/", "cutover/"} {
		hasNot(t, o.want(t, http.StatusOK, path), "/disable", "/revoke", "cutover/set", "/rollback")
	}
}

// TestForms holds that a change is made by a POST that comes from a page of the console.
func TestForms(t *testing.T) {
	o := open(t, sqliteDSN(t), true)
	ann := o.user(t, "ann")
	path := userPath(ann) + "disable"
	o.want(t, http.StatusOK, path+"?name=ann")
	for header, value := range map[string]string{"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"} {
		req, err := http.NewRequest("POST", o.root+path, strings.NewReader("name=ann"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set(header, value)
		res, err := o.client.Do(req)
		if status, body := consoletest.Read(t, res, err); status != http.StatusForbidden {
			t.Errorf("%s: %s: status %d\n%s", header, value, status, body)
		}
	}
	has(t, o.post(t, http.StatusUnprocessableEntity, path+"?name=ann", nil), "Nothing is done")
	if u, err := o.User(t.Context(), "ann"); err != nil || !u.Active {
		t.Errorf("the user is %v, %v", u, err)
	}
}
