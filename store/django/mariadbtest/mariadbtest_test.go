package mariadbtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childVariable makes the test binary start a server and end without Close.
const childVariable = "AUTHCOMPAT_TEST_MARIADB_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		s, err := start()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(s.port, s.folder)
		os.Exit(0)
	}
	os.Exit(Main(m))
}

// TestDatabases makes two databases of one server, which are apart, and gone
// after their test.
func TestDatabases(t *testing.T) {
	server := address(t)
	var names []string
	t.Run("apart", func(t *testing.T) {
		one, two := Database(t), Database(t)
		for _, dsn := range []string{one, two} {
			name, ok := strings.CutPrefix(dsn, server+"/")
			if !ok {
				t.Fatalf("%s is not at %s", dsn, server)
			}
			names = append(names, name)
		}
		if _, err := Open(t, one).Exec(`CREATE TABLE t (name varchar(9)); INSERT INTO t VALUES ('żółw 🐢')`); err != nil {
			t.Fatal(err)
		}
		var text string
		if err := Open(t, one).QueryRow(`SELECT name FROM t`).Scan(&text); err != nil || text != "żółw 🐢" {
			t.Errorf("got %q, %v", text, err)
		}
		if err := Open(t, two).QueryRow(`SELECT name FROM t`).Scan(&text); err == nil {
			t.Error("a database has the table of another")
		}
	})
	for _, name := range names {
		var found int
		if err := Open(t, server).QueryRow(`SELECT count(*) FROM information_schema.schemata WHERE schema_name = ?`, name).Scan(&found); err != nil || found != 0 {
			t.Errorf("found %d databases %s after the test, %v", found, name, err)
		}
	}
}

// own starts a server for one test.
func own(t *testing.T) *server {
	t.Helper()
	address(t) // skips where there is no MariaDB
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.remove)
	return s
}

// TestRemove ends a server and leaves no files.
func TestRemove(t *testing.T) {
	s := own(t)
	s.remove()
	if _, err := os.Stat(s.folder); !os.IsNotExist(err) {
		t.Errorf("the folder of the server is there: %v", err)
	}
	if listens(t, fmt.Sprint(s.port)) {
		t.Error("the server runs on")
	}
}

// TestEndsWithProcess starts a server in a process that forgets to end it.
func TestEndsWithProcess(t *testing.T) {
	address(t) // skips where there is no MariaDB
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1")
	out, err := cmd.Output()
	port, folder, ok := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || !ok {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	for began := time.Now(); listens(t, port); {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the server runs on")
		}
	}
}

// TestLogShown tells why a server does not start.
func TestLogShown(t *testing.T) {
	s := own(t)
	if err := os.RemoveAll(filepath.Join(s.folder, "data", "mysql")); err != nil {
		t.Fatal(err)
	}
	s.stop()
	daemon, err := program("mariadbd")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.start(daemon); err == nil || !strings.Contains(err.Error(), "Can't open and lock privilege tables") {
		t.Errorf("got %v", err)
	}
}

// listens tells whether somebody does at a port.
func listens(t *testing.T, port string) bool {
	t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
