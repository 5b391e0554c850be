package pgconn

import (
	"context"
	"database/sql/driver"
	"net"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// things is a table to look up in.
type things struct {
	*Pool
	table, lookup string
}

// opened returns a pool and a table of a schema of its own, with the row "ann".
func opened(t *testing.T, dsn string) things {
	t.Helper()
	settings, err := Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	o := things{table: settings.Schema + ".things"}
	o.lookup = `SELECT email FROM ` + o.table + ` WHERE name = $1`
	o.Pool = NewPool(settings, Options{Lookups: []string{o.lookup}})
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, statement := range []string{
		`CREATE SCHEMA ` + settings.Schema, `CREATE TABLE ` + o.table + ` (name text PRIMARY KEY, email text)`,
		`INSERT INTO ` + o.table + ` VALUES ('ann', 'ann@example.org')`,
	} {
		if _, err := o.DB.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// together looks up "ann" on several connections at once.
func together(t *testing.T, o things) {
	t.Helper()
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			for range 20 {
				var email string
				err := o.Read(t.Context(), func(ctx context.Context) error { return o.DB.GetContext(ctx, &email, o.lookup, "ann") })
				if err != nil || email != "ann@example.org" {
					t.Errorf("found %q, error %v", email, err)
				}
			}
		})
	}
	done.Wait()
}

// each runs do on the given number of the pool's connections.
func each(t *testing.T, s *Pool, connections int, do func(*session)) {
	t.Helper()
	for range connections {
		conn, err := s.DB.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() // all are held at once, so that they are distinct
		err = conn.Raw(func(c any) error {
			do(c.(*session))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestStraightPassage(t *testing.T) {
	s := opened(t, postgrestest.Schema(t, "wait", "30s"))
	together(t, s)
	prepared := 0
	each(t, s.Pool, 2, func(c *session) {
		if c.poolerChecked && !c.direct {
			t.Error("a connection to the server itself is taken for a pooler's")
		}
		prepared += len(c.statements)
		// As a cleanup job might.
		if _, err := c.pqConn.ExecContext(context.Background(), "DEALLOCATE ALL", nil); err != nil {
			t.Error(err)
		}
	})
	if prepared == 0 {
		t.Error("no statement was prepared")
	}
	together(t, s)
}

// TestStatementOfChangedTable changes the result type of a prepared statement.
func TestStatementOfChangedTable(t *testing.T) {
	s := opened(t, postgrestest.Schema(t, "pool_size", "2"))
	for _, kind := range []string{"varchar(100)", "varchar(200)", "text"} {
		together(t, s)
		if _, err := s.DB.Exec("ALTER TABLE " + s.table + " ALTER email TYPE " + kind); err != nil {
			t.Fatal(err)
		}
	}
	together(t, s)
	each(t, s.Pool, 2, func(c *session) {
		rows, err := c.send("SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql", nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer rows.Close()
		row := make([]driver.Value, 1)
		if err := rows.Next(row); err != nil || row[0] != int64(len(c.statements)) {
			t.Errorf("the server keeps %v statements, %v; want %d", row[0], err, len(c.statements))
		}
	})
}

func TestPooledPassage(t *testing.T) {
	pooled := postgrestest.Pooler(t, postgrestest.DSN(t), 3)
	s := opened(t, postgrestest.SchemaAt(t, pooled, "wait", "30s"))
	together(t, s)
	each(t, s.Pool, 1, func(c *session) {
		if c.direct || len(c.statements) > 0 {
			t.Error("a pooler's connection is taken for the server's")
		}
	})
}

// TestPooledPassageTakenForStraight checks what happens if a pooler goes undetected:
// statements of one connection meet those of another.
func TestPooledPassageTakenForStraight(t *testing.T) {
	pooled := postgrestest.Pooler(t, postgrestest.DSN(t), 3)
	s := opened(t, postgrestest.SchemaAt(t, pooled, "wait", "30s"))
	each(t, s.Pool, 4, func(c *session) { c.poolerChecked, c.direct = true, true })
	together(t, s)
}

func TestSameEnd(t *testing.T) {
	here := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5432}
	for _, test := range []struct {
		name       string
		at         net.Addr
		host, port driver.Value
		want       bool
	}{
		{"same", here, "127.0.0.1", int64(5432), true},
		{"same, as bytes", here, []byte("127.0.0.1"), int64(5432), true},
		{"another port", here, "127.0.0.1", int64(6432), false},
		{"another host", here, "10.0.0.1", int64(5432), false},
		{"IPv6 with a zone", &net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 1, Zone: "eth0"}, "fe80::1", int64(1), true},
		{"unknown to the server", here, nil, nil, false},
		{"Unix socket", &net.UnixAddr{Name: "/run/x"}, "127.0.0.1", int64(5432), false},
	} {
		if got := sameEndpoint(test.at, test.host, test.port); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}
