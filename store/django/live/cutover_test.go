package live_test

import (
	"bytes"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// mustSwitch sets the cutover after a version, with an audit entry.
func mustSwitch(t *testing.T, s *live.Store, previous int64) {
	t.Helper()
	state := cutover.State{ChangedAt: dayOf(1), Key: bytes.Repeat([]byte{1}, cutover.KeySize)}
	state.Set(cutover.Rule{Endpoint: "login", Share: cutover.All})
	e := core.AuditEntry{At: dayOf(1), Action: core.ActionCutover, Outcome: core.OK, Detail: "login=100%"}
	if err := s.SetCutover(t.Context(), previous, state, &e); err != nil {
		t.Fatal(err)
	}
}

// details returns the details of the audit entries, the newest first.
func details(t *testing.T, s *live.Store) string {
	t.Helper()
	entries, err := s.AuditEntries(t.Context(), core.AuditFilter{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Detail)
	}
	return strings.Join(all, ",")
}

// asBefore takes from a database what no earlier version has made.
func (d database) asBefore(t *testing.T) {
	t.Helper()
	for _, statement := range []string{`DROP TABLE authcompat_cutover`, `ALTER TABLE authcompat_audit DROP COLUMN detail`} {
		if err := d.exec(t, statement); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCutoverAfterAnUpgrade opens a database that an earlier version has attached to.
func TestCutoverAfterAnUpgrade(t *testing.T) {
	for name, create := range databases(djangotest.UsersDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			earlier, err := live.Open(t.Context(), d.source, tables.Mapping{})
			if err != nil {
				t.Fatal(err)
			}
			record(t, earlier, 1)
			if err := earlier.Close(); err != nil {
				t.Fatal(err)
			}
			d.asBefore(t)
			s, other := mustOpen(t, d.source).(*live.Store), mustOpen(t, d.source).(*live.Store)
			mustSwitch(t, s, 0)
			if got, err := other.CutoverState(t.Context()); err != nil || got.Version != 1 || got.Rule("login").Share != cutover.All {
				t.Errorf("state %+v, %v", got, err)
			}
			if got := details(t, other); got != "login=100%," {
				t.Errorf("details %q", got)
			}
			wantAppendOnly(t, d, s)
		})
	}
}

// TestCutoverOfARestrictedRole has a role that may not add what an earlier version has not
// made: it works without, and says what to run.
func TestCutoverOfARestrictedRole(t *testing.T) {
	dsn := postgresDSN(t, djangotest.UsersDDL, djangotest.KnoxDDL)
	d := database{driver: "postgres", dsn: dsn, source: postgrestest.With(t, dsn, "wait", patient)}
	mustOpen(t, d.source)
	d.asBefore(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	role, schema := "app_"+strings.ToLower(rand.Text()), u.Query().Get("search_path")
	do := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if err := d.exec(t, statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	do(`CREATE ROLE `+role+` LOGIN`, `GRANT USAGE ON SCHEMA `+schema+` TO `+role,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA `+schema+` TO `+role,
		`GRANT USAGE ON ALL SEQUENCES IN SCHEMA `+schema+` TO `+role)
	t.Cleanup(func() { do(`DROP OWNED BY `+role, `DROP ROLE `+role) })
	u.User = url.User(role)
	restricted := func() (*live.Store, string) {
		t.Helper()
		s := mustOpen(t, postgrestest.With(t, u.String(), "wait", patient)).(*live.Store)
		warnings, err := s.Warnings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s, strings.Join(warnings, "\n")
	}
	s, warned := restricted()
	const grant = "GRANT SELECT, INSERT, UPDATE ON authcompat_cutover TO "
	if s.Backend().Cutover != nil || !strings.Contains(warned, "run `authcompat audit` once as the owner of authcompat_audit, then "+grant+role) {
		t.Errorf("cutover %v, warned: %s", s.Backend().Cutover, warned)
	}
	if err := s.Record(t.Context(), core.AuditEntry{At: dayOf(1), Action: core.ActionCutover, Outcome: core.OK, Detail: "lost"}); err != nil {
		t.Fatal(err)
	}
	if got := details(t, s); got != "" {
		t.Errorf("details %q", got)
	}
	mustOpen(t, d.source) // as the owner
	if s, warned = restricted(); s.Backend().Cutover == nil || !strings.Contains(warned, grant+role) || strings.Contains(warned, "earlier version") {
		t.Errorf("without rights: cutover %v, warned: %s", s.Backend().Cutover, warned)
	}
	do(grant + role)
	if s, warned = restricted(); strings.Contains(warned, "GRANT") {
		t.Errorf("after the advice: %s", warned)
	}
	mustSwitch(t, s, 0)
	if got := details(t, s); got != "login=100%," {
		t.Errorf("details %q", got)
	}
}

// TestCutoverBesideALongRead has another program read the audit record while it lacks a
// column: the store does not wait, and makes nobody wait, for the end of that.
func TestCutoverBesideALongRead(t *testing.T) {
	d := databases(djangotest.UsersDDL, djangotest.KnoxDDL)["postgres"](t)
	record(t, mustOpen(t, d.source).(*live.Store), 1)
	d.asBefore(t)
	tx := d.begin(t, `SELECT count(*) FROM authcompat_audit`)
	began := time.Now()
	s := mustOpen(t, d.source).(*live.Store)
	mustSwitch(t, s, 0)
	if got := details(t, s); got != "," {
		t.Errorf("details %q", got)
	}
	if took := time.Since(began); took > 2*soon {
		t.Errorf("after %v", took)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, d.source).(*live.Store)
	mustSwitch(t, s, 1)
	if got := details(t, s); got != "login=100%,," {
		t.Errorf("details after it %q", got)
	}
}
