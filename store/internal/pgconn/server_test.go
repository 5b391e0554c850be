package pgconn

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// TestSuccessorIsReached has a primary that was replaced go on, and refuse new connections alone, as behind a firewall
// that lets open ones be: once its successor is reached, it is not used any more.
func TestSuccessorIsReached(t *testing.T) {
	t.Parallel()
	first := postgrestest.Start(t, postgrestest.Options{})
	second := postgrestest.StartStandby(t, first, "second", postgrestest.Options{})
	firewall, through := postgrestest.NewSharedProxy(t, first.DSN())
	address, err := url.Parse(through)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := Parse(fmt.Sprintf("postgres://postgres@%s,127.0.0.1:%d/postgres?sslmode=disable&wait=30s", address.Host, second.Port()))
	if err != nil {
		t.Fatal(err)
	}
	p := NewPool(settings, Options{})
	defer p.Close()
	wantAt := func(c *postgrestest.Cluster) {
		t.Helper()
		for range 5 {
			var port string
			err := p.Read(t.Context(), func(ctx context.Context) error { return p.DB.GetContext(ctx, &port, `SELECT current_setting('port')`) })
			if err != nil || port != fmt.Sprint(c.Port()) {
				t.Errorf("port %s, error %v; want %d", port, err, c.Port())
			}
		}
	}
	each(t, p, 2, func(*session) {})
	wantAt(first)
	second.Promote(t)
	wantAt(first) // nobody can know
	firewall.Judge(func(request string) postgrestest.Action {
		if request == "connect" {
			return postgrestest.CutBefore
		}
		return postgrestest.Pass
	})
	each(t, p, 3, func(*session) {}) // one more than there are
	wantAt(second)
	firewall.Judge(nil)
	each(t, p, 3, func(*session) {})
	wantAt(second)
	// One that knows nothing of what was, and that finds the one that was replaced first.
	p = NewPool(settings, Options{})
	defer p.Close()
	wantAt(second)
}

// TestPoolerAtStandby has a pooler that stays with a primary which has become a standby: neither look-ups nor other
// reads are answered there, nor do transactions begin.
func TestPoolerAtStandby(t *testing.T) {
	t.Parallel()
	first := postgrestest.Start(t, postgrestest.Options{})
	pooled := postgrestest.With(t, postgrestest.Pooler(t, first.DSN(), 3), "schema", "pooled", "wait", "2s")
	s := opened(t, pooled)
	settings, err := Parse(pooled)
	if err != nil {
		t.Fatal(err)
	}
	get := func(p *Pool, query string, argument any) error {
		return p.Read(t.Context(), func(ctx context.Context) error {
			var email string
			return p.DB.GetContext(ctx, &email, query, argument)
		})
	}
	other := `SELECT max(email) FROM ` + s.table + ` WHERE name < $1`
	calls := map[string]func(p *Pool) error{
		"look-up":                            func(p *Pool) error { return get(p, s.lookup, "ann") },
		"look-up of what can't be a literal": func(p *Pool) error { return get(p, s.lookup, 1.5) },
		"another read":                       func(p *Pool) error { return get(p, other, "b") },
		"transaction that finds nothing to do": func(p *Pool) error {
			return p.Write(t.Context(), func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
				var email string
				return tx.GetContext(ctx, &email, `SELECT max(email) FROM `+s.table)
			})
		},
	}
	// One for each, with an open connection: the first that fails has all be opened anew.
	pools := make(map[string]*Pool)
	for name := range calls {
		pools[name] = NewPool(settings, Options{Lookups: []string{s.lookup}})
		defer pools[name].Close()
		if err := get(pools[name], other, "b"); err != nil {
			t.Fatal(err)
		}
	}
	second := postgrestest.StartStandby(t, first, "second", postgrestest.Options{})
	first.Stop(t)
	second.Promote(t)
	first.Follow(t, second, "first")
	for name, call := range calls {
		for range 3 {
			if err := call(pools[name]); !errors.Is(err, core.ErrUnavailable) {
				t.Errorf("%s: error %v", name, err)
			}
		}
	}
	first.Promote(t)
	for name, call := range calls {
		if name != "look-up of what can't be a literal" {
			postgrestest.Eventually(t, func() error { return call(pools[name]) })
		}
	}
	postgrestest.Eventually(t, func() error { return get(s.Pool, s.lookup, "ann") })
	together(t, s)
}

// TestWarningsAreSent checks that the server sends what tells that a commit is not on the standby.
func TestWarningsAreSent(t *testing.T) {
	t.Parallel()
	p := mustOpen(t, "options", "-c client_min_messages=error")
	var least string
	err := p.Write(t.Context(), func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		return tx.GetContext(ctx, &least, `SHOW client_min_messages`)
	})
	if err != nil || least != "warning" {
		t.Errorf("from %q on, error %v", least, err)
	}
}

// TestPrimaryWithoutAPosition has an engine whose primary does not say how far its log is, with the error that PostgreSQL has
// for that on a standby, as Amazon Aurora's has without logical replication.
func TestPrimaryWithoutAPosition(t *testing.T) {
	t.Parallel()
	plain := mustOpen(t)
	for _, statement := range []string{`CREATE SCHEMA aurora`, `
		CREATE FUNCTION aurora.pg_current_wal_lsn() RETURNS pg_lsn LANGUAGE plpgsql AS $$
		BEGIN RAISE 'wal_level must be set to logical' USING ERRCODE = 'object_not_in_prerequisite_state'; END $$`} {
		if _, err := plain.DB.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	p := mustOpen(t, "options", "-c search_path=aurora,pg_catalog")
	err := p.Write(t.Context(), func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE aurora.t (n integer)`)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	each(t, p, 1, func(s *session) {
		if s.server != (server{}) {
			t.Errorf("it is known as %+v", s.server)
		}
	})
}

// answering is a connection that answers queries, with a value or an error each.
type answering struct {
	pqConn
	answers map[string]any
}

func (a answering) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if err, failed := a.answers[query].(error); failed {
		return nil, err
	}
	return oneValue{value: a.answers[query]}, nil
}

// oneValue is a result of one row with one value.
type oneValue struct {
	driver.Rows
	value any
}

func (oneValue) Close() error { return nil }

func (o oneValue) Next(into []driver.Value) error {
	into[0] = o.value
	return nil
}

// TestServersThatDoNotSayWhichTheyAre checks what becomes of a connection to one.
func TestServersThatDoNotSayWhichTheyAre(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	coded := func(severity string, code pqerror.Code) error { return &pq.Error{Severity: severity, Code: code} }
	state := coded("ERROR", pqerror.ObjectNotInPrerequisiteState)
	ended := coded(pqerror.SeverityFatal, pqerror.AdminShutdown)
	for name, test := range map[string]struct {
		which, recovers any
		want            error
	}{
		"a standby":                        {state, true, errReadOnly},
		"a primary without a position":     {state, false, nil},
		"neither is known":                 {state, coded("ERROR", pqerror.UndefinedFunction), nil},
		"the connection breaks":            {broken, true, broken},
		"the connection breaks after that": {state, broken, broken},
		"the server ends":                  {ended, true, ended},
		"the server ends after that":       {state, ended, ended},
		"the role may not":                 {coded("ERROR", pqerror.InsufficientPrivilege), true, nil},
		"an answer of another kind":        {"text", true, nil},
	} {
		s, err := readServer(answering{answers: map[string]any{selectServer: test.which, selectRecovery: test.recovers}})
		if s != (server{}) || !errors.Is(err, test.want) {
			t.Errorf("%s: %+v, error %v", name, s, err)
		}
	}
}

// TestHistory checks whom a server replaces.
func TestHistory(t *testing.T) {
	var h history
	for i, step := range []struct {
		server
		refused, replaces bool
	}{
		{server: server{}},
		{server: server{1, 1, 1}},
		{server: server{1, 1, 2}},
		{server: server{2, 7, 1}}, // another cluster, as after a move
		{server: server{1, 3, 1}, replaces: true},
		{server: server{1, 2, 9}, refused: true},
		{server: server{2, 7, 1}},
		{server: server{1, 3, 5}},
		{server: server{}},
	} {
		err := h.check(step.server)
		if refused := err != nil && strings.Contains(err.Error(), "was replaced"); refused != step.refused {
			t.Errorf("%d: error %v", i, err)
		}
		if err == nil && h.use(step.server) != step.replaces {
			t.Errorf("%d: replaces another: %t", i, !step.replaces)
		}
	}
}
