package postgrestest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/testenv"
)

// poolerSettings is pgbouncer's configuration file.
const poolerSettings = `
[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = %d
max_client_conn = 500
ignore_startup_parameters =
server_login_retry = 0.1
logfile = %s
`

// Pooler starts pgbouncer in transaction mode, with the given number of connections to
// the server, in front of the database of a DSN, and returns the DSN that goes through
// it. It ends with the test.
func Pooler(tb testing.TB, dsn string, connections int) string {
	tb.Helper()
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		path = "/usr/sbin/pgbouncer" // Debian's location, which is not in every PATH
		if _, err := os.Stat(path); err != nil {
			testenv.Missing(tb, "pgbouncer is not installed (Debian: apt-get install pgbouncer)")
		}
	}
	folder, err := ownFolder()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(folder) })
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	host, serverPort, err := net.SplitHostPort(host(tb, dsn))
	if err != nil {
		tb.Fatal(err)
	}
	file, users := filepath.Join(folder, "pgbouncer.ini"), filepath.Join(folder, "users")
	for name, text := range map[string]string{
		file:  fmt.Sprintf(poolerSettings, host, serverPort, port, users, connections, filepath.Join(folder, "pgbouncer.log")),
		users: `"postgres" ""` + "\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	p, err := spawn(folder, path, file)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended already
		<-p.ended
		if tb.Failed() {
			text, _ := os.ReadFile(filepath.Join(folder, "log"))
			tb.Logf("pgbouncer said:\n%s", text)
		}
	})
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return withHost(tb, dsn, address)
		}
		select {
		case <-p.ended:
			tb.Fatal("pgbouncer ended at once")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// host returns the address in a DSN.
func host(tb testing.TB, dsn string) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	return u.Host
}

// withHost returns a DSN with another address.
func withHost(tb testing.TB, dsn, address string) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	u.Host = address
	return u.String()
}
