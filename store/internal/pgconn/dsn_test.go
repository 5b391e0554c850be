package pgconn

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, dsn string
		hosts     string
		described string
	}{
		{"one host", "postgres://ann:s3cret@db.example.org/auth", "db.example.org:5432", `PostgreSQL database "auth" at db.example.org:5432`},
		{"the other scheme", "postgresql://ann@db:6543/auth", "db:6543", `PostgreSQL database "auth" at db:6543`},
		{"no database", "postgres://ann@db", "db:5432", `PostgreSQL database "ann" at db:5432`},
		{"an address", "postgres://ann@[::1]:6543/auth", "::1:6543", `PostgreSQL database "auth" at [::1]:6543`},
		{"several hosts", "postgres://ann:s3cret@a,b/auth", "a:5432 b:5432", `PostgreSQL database "auth" at a:5432, b:5432`},
		{"with ports", "postgres://ann:s%40%2F%2C:cret@a:1,b:2,c/auth?schema=x", "a:1 b:2 c:5432", `PostgreSQL database "auth" at a:1, b:2, c:5432, schema x`},
		{"with addresses", "postgres://ann@[::1]:1,[::2]/auth", "::1:1 ::2:5432", `PostgreSQL database "auth" at [::1]:1, [::2]:5432`},
		{"hosts and ports as parameters", "postgres:///auth?host=a,b&port=1,2", "a:1 b:2", `PostgreSQL database "auth" at a:1, b:2`},
		{"a folder", "postgres:///auth?host=/run/postgresql", "/run/postgresql:5432", `PostgreSQL database "auth" at /run/postgresql:5432`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := Parse(test.dsn)
			if err != nil {
				t.Fatal(err)
			}
			var hosts []string
			for _, c := range s.each() {
				hosts = append(hosts, fmt.Sprintf("%s:%d", c.Host, c.Port))
				if len(c.Multi) > 0 || c.TargetSessionAttrs != pq.TargetSessionAttrsReadWrite || !c.BinaryParameters || c.ApplicationName != "authcompat" {
					t.Errorf("configuration %+v", c)
				}
			}
			if got := strings.Join(hosts, " "); got != test.hosts {
				t.Errorf("hosts %q, want %q", got, test.hosts)
			}
			if got := Describe(test.dsn); got != test.described {
				t.Errorf("described as %q, want %q", got, test.described)
			}
		})
	}
}

func TestParseParameters(t *testing.T) {
	s, err := Parse("postgres://ann@db/auth?schema=auth_1&wait=500ms&pool_size=7&target_session_attrs=primary&application_name=x&work_mem=1MB")
	if err != nil {
		t.Fatal(err)
	}
	if s.Schema != "auth_1" || s.wait != 500*time.Millisecond || s.connections != 7 {
		t.Errorf("settings %+v", s)
	}
	if s.pq.TargetSessionAttrs != pq.TargetSessionAttrsPrimary || s.pq.ApplicationName != "x" {
		t.Errorf("settings %+v", s.pq)
	}
	if len(s.pq.Runtime) != 1 || s.pq.Runtime["work_mem"] != "1MB" {
		t.Errorf("for the server: %v", s.pq.Runtime)
	}
	if s, err = Parse("postgres://ann@db/auth"); err != nil || s.Schema != "" || s.wait != DefaultWait || s.connections != DefaultConnections {
		t.Errorf("settings %+v, %v", s, err)
	}
}

func TestParseRefuses(t *testing.T) {
	const unreadable = "the URL can't be read: want postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of a password as %XX"
	tests := []struct{ name, dsn, want string }{
		{"a bad port", "postgres://ann:s3cret@db:s3cret/auth", unreadable},
		{"a bad escape", "postgres://ann:s3cret%zz@db/auth", unreadable},
		{"a bad escape with hosts", "postgres://ann:s3cret%zz@a,b/auth", unreadable},
		{"another scheme", "mysql://ann:s3cret@db/auth", unreadable},
		{"keywords", "password=s3cret host", unreadable},
		{"a slash in the password", "postgres://ann:Pa@ss/wo-s3cret@db/auth", unreadable},
		{"a question mark in it", "postgres://ann:12?s3cret@db/auth", unreadable},
		{"a hash in it", "postgres://ann:12#s3cret@db/auth", unreadable},
		{"a semicolon in a parameter", "postgres://ann@db/auth?password=a;s3cret", unreadable},
		{"a bad mode", "postgres://ann:s3cret@db/auth?sslmode=maybe", `wrong value for "sslmode": "maybe" is not supported`},
		{"ports and hosts", "postgres://ann:s3cret@/auth?host=a,b&port=1,2,3", "could not match 3 port numbers to 2 hosts"},
		{"a standby", "postgres://ann:s3cret@db/auth?target_session_attrs=standby", "target_session_attrs=standby: want read-write (the default) or primary"},
		{"any", "postgres://ann:s3cret@db/auth?target_session_attrs=any", "target_session_attrs=any: want read-write"},
		{"a schema with a quote", `postgres://ann:s3cret@db/auth?schema=a%22b`, "schema: want a name"},
		{"a schema in capitals", `postgres://ann:s3cret@db/auth?schema=Auth`, "schema: want a name"},
		{"an empty schema", `postgres://ann:s3cret@db/auth?schema=+`, "schema: want a name"},
		{"no unit", "postgres://ann:s3cret@db/auth?wait=2", "wait: want 100ms to 1m"},
		{"no time", "postgres://ann:s3cret@db/auth?wait=1ms", "wait: want 100ms to 1m"},
		{"one connection", "postgres://ann:s3cret@db/auth?pool_size=1", "pool_size: want 2 to 10000"},
		{"no number", "postgres://ann:s3cret@db/auth?pool_size=many", "pool_size: want 2 to 10000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(test.dsn)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if got := Describe(test.dsn); got != "PostgreSQL" {
				t.Errorf("described as %q", got)
			}
		})
	}
}
