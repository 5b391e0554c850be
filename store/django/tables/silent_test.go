package tables_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// mustListenSilently returns the address of a server that accepts connections and says nothing.
// It calls accepted once the client has said something, or waits to be spoken to, as that of
// MySQL does.
func mustListenSilently(t *testing.T, clientBegins bool, accepted func()) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			if clientBegins {
				_, _ = c.Read(make([]byte, 1)) // or it has left
			}
			accepted()
		}
	}()
	return l.Addr().String()
}

// TestSilentServer opens sources, and targets of exports, on a server that accepts a
// connection and says nothing: what opens them can be interrupted, and gives up by itself.
func TestSilentServer(t *testing.T) {
	open := map[string]func(ctx context.Context, dsn string) (io.Closer, error){
		"to read": func(ctx context.Context, dsn string) (io.Closer, error) {
			return tables.Open(ctx, tables.Mapping{}, dsn)
		},
		"to write": func(ctx context.Context, dsn string) (io.Closer, error) {
			return tables.OpenTarget(ctx, dsn, tables.Mapping{}, time.UTC)
		},
	}
	for server, dsn := range map[string]string{
		"PostgreSQL": "postgres://ann:pw@ADDRESS/old", "PostgreSQL without TLS": "postgres://ann:pw@ADDRESS/old?sslmode=disable",
		"MySQL": "mysql://ann:pw@ADDRESS/old", "MySQL with TLS": "mysql://ann:pw@ADDRESS/old?tls=skip-verify",
	} {
		for how, open := range open {
			t.Run(server+" "+how, func(t *testing.T) {
				t.Parallel()
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				address := mustListenSilently(t, strings.HasPrefix(dsn, "postgres"), interrupt)
				result := make(chan error, 1)
				go func() {
					_, err := open(ctx, strings.Replace(dsn, "ADDRESS", address, 1))
					result <- err
				}()
				select {
				case err := <-result:
					if !errors.Is(err, context.Canceled) {
						t.Errorf("interrupted: %v", err)
					}
				case <-time.After(5 * time.Second): // alone, it takes 10
					t.Fatal("it goes on when it is interrupted")
				}
			})
		}
	}
	for name, test := range map[string]struct{ dsn, want string }{
		"PostgreSQL, alone for a time": {"postgres://ann:pw@ADDRESS/old?connect_timeout=1", "has not answered within 1s"},
		"PostgreSQL, alone":            {"postgres://ann:pw@ADDRESS/old", "has not answered within 10s"},
		"MySQL, alone":                 {"mysql://ann:pw@ADDRESS/old", "has not answered within 10s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tables.Open(t.Context(), tables.Mapping{}, strings.Replace(test.dsn, "ADDRESS", mustListenSilently(t, false, func() {}), 1))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "pw") {
				t.Errorf("error %v, want one that says %q", err, test.want)
			}
		})
	}
}

// TestServerThatFallsSilent interrupts reading from a server that has stopped to answer.
func TestServerThatFallsSilent(t *testing.T) {
	server := postgrestest.Start(t, postgrestest.Options{})
	server.Exec(t, `CREATE TABLE auth_user (id serial PRIMARY KEY, password varchar(128) NOT NULL, last_login timestamptz NULL, username varchar(150) NOT NULL UNIQUE,
		email varchar(254) NOT NULL, is_active boolean NOT NULL, date_joined timestamptz NOT NULL)`)
	from, err := tables.Open(t.Context(), tables.Mapping{}, server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	server.Freeze(t)
	defer server.Thaw(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		_, err := from.Count(ctx, from.Shape().Users)
		result <- err
	}()
	select {
	case err := <-result:
		if err == nil {
			t.Error("a frozen server has answered")
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it goes on when it is interrupted")
	}
}
