package live_test

import (
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// record adds entries at the given days.
func record(t *testing.T, s *live.Store, days ...int) {
	t.Helper()
	for _, day := range days {
		if err := s.Record(t.Context(), core.AuditEntry{At: dayOf(day), Action: core.ActionLogin, Outcome: core.OK, Username: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
}

func dayOf(day int) time.Time { return time.Date(2001, 6, day, 12, 0, 0, 0, time.UTC) }

// wantAppendOnly checks that no statement but those of a purge changes the record, which
// has two entries.
func wantAppendOnly(t *testing.T, d database, s *live.Store) {
	t.Helper()
	statements := []string{
		`UPDATE authcompat_audit SET outcome = 'forged'`, `DELETE FROM authcompat_audit`,
		`DELETE FROM authcompat_audit WHERE id = (SELECT max(id) FROM authcompat_audit)`,
	}
	const values = ` (id, happened, act, outcome, user_id, username, unknown, profile, actor, address, request, token)
		SELECT id, happened, act, 'forged', user_id, username, unknown, profile, actor, address, request, token FROM authcompat_audit`
	if d.driver == "sqlite" {
		statements = append(statements, `REPLACE INTO authcompat_audit`+values, `UPDATE OR REPLACE authcompat_audit SET id = id + 1`)
	} else {
		statements = append(statements, `TRUNCATE authcompat_audit`,
			`INSERT INTO authcompat_audit`+values+` ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome`)
	}
	for _, statement := range statements {
		if err := d.exec(t, statement); err == nil || !strings.Contains(err.Error(), "the audit record is append-only") {
			t.Errorf("%s: error %v", statement, err)
		}
	}
	entries, err := s.AuditEntries(t.Context(), core.AuditFilter{}, 10)
	if err != nil || len(entries) != 2 || entries[0].Outcome != core.OK || entries[1].Outcome != core.OK {
		t.Errorf("entries %+v, error %v", entries, err)
	}
}

// TestAuditIsAppendOnly covers a new database and one that an earlier version attached.
func TestAuditIsAppendOnly(t *testing.T) {
	for name, create := range databases(djangotest.UsersDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			s := mustOpen(t, d.source).(*live.Store)
			record(t, s, 1, 2, 3)
			if n, err := s.PurgeAudit(t.Context(), dayOf(2), 10); n != 1 || err != nil {
				t.Errorf("purged %d, %v", n, err)
			}
			wantAppendOnly(t, d, s)
			if err := d.exec(t, `DROP TABLE authcompat_audit_begins`); err != nil {
				t.Fatal(err)
			}
			for _, trigger := range []string{"changed", "removed", "replaced"} {
				statement := `DROP TRIGGER IF EXISTS authcompat_audit_is_not_` + trigger
				if name == "postgres" {
					statement += ` ON authcompat_audit`
				}
				if err := d.exec(t, statement); err != nil {
					t.Fatal(err)
				}
			}
			again := mustOpen(t, d.source).(*live.Store)
			wantAppendOnly(t, d, again)
			if n, err := again.PurgeAudit(t.Context(), dayOf(3), 10); n != 1 || err != nil {
				t.Errorf("purged %d, %v", n, err)
			}
			// Who is done with it can still drop it.
			if err := d.exec(t, `DROP TABLE authcompat_audit`); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDisabledAuditTriggers disables the triggers of the record, each in one of the ways
// that PostgreSQL has: the next store to open has them fire again.
func TestDisabledAuditTriggers(t *testing.T) {
	for trigger, how := range map[string]string{"changed": "DISABLE", "removed": "ENABLE REPLICA"} {
		t.Run(trigger, func(t *testing.T) {
			d := databases(djangotest.UsersDDL, djangotest.KnoxDDL)["postgres"](t)
			record(t, mustOpen(t, d.source).(*live.Store), 1, 2)
			if err := d.exec(t, `ALTER TABLE authcompat_audit `+how+` TRIGGER authcompat_audit_is_not_`+trigger); err != nil {
				t.Fatal(err)
			}
			wantAppendOnly(t, d, mustOpen(t, d.source).(*live.Store))
		})
	}
}

// TestAuditOfARestrictedRole has the auxiliary tables belong to another role, and no
// triggers: the server says what to run.
func TestAuditOfARestrictedRole(t *testing.T) {
	dsn := postgresDSN(t, djangotest.UsersDDL, djangotest.KnoxDDL)
	source := postgrestest.With(t, dsn, "wait", patient)
	owner := mustOpen(t, source).(*live.Store)
	role := "app_" + strings.ToLower(rand.Text())
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	schema := u.Query().Get("search_path")
	d := database{driver: "postgres", dsn: dsn}
	do := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if err := d.exec(t, statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	do(`CREATE ROLE `+role+` LOGIN`, `GRANT USAGE ON SCHEMA `+schema+` TO `+role,
		`GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA `+schema+` TO `+role,
		`GRANT USAGE ON ALL SEQUENCES IN SCHEMA `+schema+` TO `+role)
	t.Cleanup(func() { do(`DROP OWNED BY `+role, `DROP ROLE `+role) })
	u.User = url.User(role)
	restrictedDSN := u.String()
	restrictedSource := postgrestest.With(t, restrictedDSN, "wait", patient)
	warned := func() string {
		t.Helper()
		warnings, err := mustOpen(t, restrictedSource).(*live.Store).Warnings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(warnings, "\n")
	}
	// Without rights, writes fail as those on an unavailable store.
	do(`REVOKE INSERT, DELETE ON auth_user, knox_authtoken FROM ` + role)
	if got, want := warned(), `GRANT INSERT ON "auth_user" TO `+role+`; GRANT INSERT, DELETE ON "knox_authtoken" TO `+role; !strings.Contains(got, want) {
		t.Errorf("without rights: %s, want %s", got, want)
	}
	if _, err := mustOpen(t, restrictedSource).CreateUser(t.Context(), core.NewUser{Username: "bob", PasswordHash: "!"}, nil, nil); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("without rights: %v, want an unavailable store", err)
	}
	do(`GRANT INSERT, DELETE ON auth_user, knox_authtoken TO ` + role)
	if got := warned(); strings.Contains(got, "GRANT") {
		t.Errorf("with all rights: %s", got)
	}
	const text = "the audit record in authcompat_audit can be changed"
	if got := warned(); strings.Contains(got, text) {
		t.Errorf("with triggers: %s", got)
	}
	do(`ALTER TABLE authcompat_audit DISABLE TRIGGER authcompat_audit_is_not_changed`)
	if got := warned(); !strings.Contains(got, text) {
		t.Errorf("with one disabled: %s", got)
	}
	do(`DROP TRIGGER authcompat_audit_is_not_changed ON authcompat_audit`)
	if got := warned(); !strings.Contains(got, text) || !strings.Contains(got, "REVOKE UPDATE, TRUNCATE ON authcompat_audit FROM "+role) {
		t.Errorf("without them: %s", got)
	}
	do(`REVOKE UPDATE, TRUNCATE ON authcompat_audit FROM ` + role)
	if got := warned(); strings.Contains(got, text) {
		t.Errorf("after the advice: %s", got)
	}
	restricted := mustOpen(t, restrictedSource).(*live.Store)
	record(t, restricted, 1, 2)
	if n, err := restricted.PurgeAudit(t.Context(), dayOf(2), 10); n != 1 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
	record(t, owner, 3)
	do(`GRANT UPDATE, TRUNCATE ON authcompat_audit TO ` + role)
	mustOpen(t, source) // as the owner
	if got := warned(); strings.Contains(got, text) {
		t.Errorf("after the owner has opened it: %s", got)
	}
	wantAppendOnly(t, database{driver: "postgres", dsn: restrictedDSN}, restricted)
}

// TestAuditTriggersBesideALongRead has another program read the audit record while it lacks a trigger: the store does not
// wait, and makes nobody wait, for the end of that, and says what is missing.
func TestAuditTriggersBesideALongRead(t *testing.T) {
	d := databases(djangotest.UsersDDL, djangotest.KnoxDDL)["postgres"](t)
	record(t, mustOpen(t, d.source).(*live.Store), 1)
	if err := d.exec(t, `ALTER TABLE authcompat_audit DISABLE TRIGGER authcompat_audit_is_not_changed`); err != nil {
		t.Fatal(err)
	}
	tx := d.begin(t, `SELECT count(*) FROM authcompat_audit`)
	warned := func() bool {
		warnings, err := mustOpen(t, d.source).(*live.Store).Warnings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(strings.Join(warnings, "\n"), "such as a dump")
	}
	if !warned() {
		t.Error("no warning during the read")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if warned() {
		t.Error("a warning after it")
	}
}
