package pgconn

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/driverrow"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// TestLookupArguments looks up names through something that may be a pooler, where they
// become literals: each finds its own row or none, and one that no text can hold is the
// caller's fault, and costs no connection.
func TestLookupArguments(t *testing.T) {
	direct := postgrestest.Schema(t, "wait", "30s")
	_, through := postgrestest.NewSharedProxy(t, direct)
	s := opened(t, through)
	find := func(name string) (email string, err error) {
		err = s.Read(t.Context(), func(ctx context.Context) error { return s.DB.GetContext(ctx, &email, s.lookup, name) })
		return email, err
	}
	for _, name := range []string{`a'b`, `a\`, `a\'b`, `'); DROP TABLE things; --`, "$1", "é", ""} {
		if _, err := s.DB.Exec(`INSERT INTO `+s.table+` VALUES ($1, 'of ' || $1)`, name); err != nil {
			t.Fatal(err)
		}
		if email, err := find(name); err != nil || email != "of "+name {
			t.Errorf("%q: found %q, error %v", name, email, err)
		}
	}
	generation := generationOf(t, s.Pool)
	for _, name := range []string{"ann\x00", "\x00", "ann\xff"} {
		if email, err := find(name); err == nil || errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%q: found %q, error %v", name, email, err)
		}
	}
	if email, err := find("ann"); err != nil || email != "ann@example.org" {
		t.Errorf("after that: found %q, error %v", email, err)
	}
	if now := generationOf(t, s.Pool); now != generation {
		t.Errorf("connections went out of use %d times", now-generation)
	}
	each(t, s.Pool, 1, func(c *session) {
		if c.direct {
			t.Error("the proxy went unnoticed")
		}
	})
}

// TestLookUp reads rows without database/sql, directly and through what may be a pooler: what is there, what is not, and what
// is not of the type that is asked for. No connection is lost by that.
func TestLookUp(t *testing.T) {
	_, through := postgrestest.NewSharedProxy(t, postgrestest.Schema(t, "wait", "30s"))
	for name, dsn := range map[string]string{"directly": postgrestest.Schema(t, "wait", "30s"), "through a proxy": through} {
		s := opened(t, dsn)
		find := func(query, name string, take func(*driverrow.Row) error) (found bool, err error) {
			err = s.Read(t.Context(), func(ctx context.Context) error {
				found, err = s.LookUp(ctx, query, []driver.NamedValue{{Ordinal: 1, Value: name}}, take)
				return err
			})
			return found, err
		}
		var email string
		take := func(row *driverrow.Row) error { email = row.Text(); return nil }
		generation := generationOf(t, s.Pool)
		for range 2 {
			for _, query := range []string{s.lookup, "SELECT email, 1 FROM " + s.table + " WHERE name = $1"} {
				if found, err := find(query, "ann", take); !found || err != nil || email != "ann@example.org" {
					t.Errorf("%s: found %v %q, error %v", name, found, email, err)
				}
				if found, err := find(query, "nobody", func(*driverrow.Row) error { t.Error("nobody is there"); return nil }); found || err != nil {
					t.Errorf("%s, nobody: found %v, error %v", name, found, err)
				}
				_, err := find(query, "ann", func(row *driverrow.Row) error { row.Integer(); return row.Err() })
				if err == nil || strings.Contains(err.Error(), "example.org") {
					t.Errorf("%s, a text that is a number: error %v", name, err)
				}
			}
			if _, err := find("SELECT nothing WHERE $1", "ann", take); err == nil {
				t.Errorf("%s: no error of a wrong query", name)
			}
		}
		if now := generationOf(t, s.Pool); now != generation {
			t.Errorf("%s: connections went out of use %d times", name, now-generation)
		}
	}
}

// strict is a connection to an engine that has SET TRANSACTION after a BEGIN only.
type strict struct {
	pqConn
	inTx bool
}

func (s *strict) ExecContext(_ context.Context, statement string, _ []driver.NamedValue) (driver.Result, error) {
	s.inTx = strings.HasPrefix(statement, "BEGIN")
	return nil, nil
}

func (s *strict) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if strings.HasPrefix(query, "SET TRANSACTION") && !s.inTx {
		return nil, &pq.Error{Severity: "ERROR", Code: pqerror.NoActiveSQLTransaction}
	}
	return oneValue{value: query}, nil
}

// TestLookupInATransactionOfItsOwn looks up through a load balancer of such an engine.
func TestLookupInATransactionOfItsOwn(t *testing.T) {
	t.Parallel()
	const query = `SELECT 1`
	engine := &strict{}
	s := &session{pqConn: engine, lookups: newLookups(query), prepared: make(map[string]bool), poolerChecked: true}
	for range 2 {
		rows, err := s.query(query, nil)
		if err != nil {
			t.Fatal(err)
		}
		row := make([]driver.Value, 1)
		if err := rows.Next(row); err != nil || row[0] != query || !engine.inTx {
			t.Errorf("read %v, in a transaction: %t, error %v", row, engine.inTx, err)
		}
		if err := rows.Close(); err != nil || engine.inTx {
			t.Errorf("the transaction goes on: %t, error %v", engine.inTx, err)
		}
	}
}
