package transfer_test

import (
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	coretransfer "github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// rowsVariable sets the number of users and tokens of the imports to kill, for `make
// million`.
const rowsVariable = "AUTHCOMPAT_TEST_ROWS"

// TestKilled kills imports at random moments and runs them again: the result is that of
// an uninterrupted import.
func TestKilled(t *testing.T) {
	rows := 20_000
	if text := os.Getenv(rowsVariable); text != "" {
		var err error
		if rows, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	source := filepath.Join(t.TempDir(), "django.sqlite3")
	mustMakeSource(t, source, rows)
	targets := map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "authcompat.db") },
		"postgres": func(t *testing.T) string { return postgrestest.Schema(t, "wait", "60s") },
	}
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			whole, cut := target(t), target(t)
			began := time.Now()
			ended, _ := runImport(t, source, whole, -1)
			took := time.Since(began)
			t.Logf("%d users and %d tokens: %v, %.0f rows a second, peak RSS %d MiB",
				rows, rows, took.Round(time.Second), 2*float64(rows)/took.Seconds(), peakMemory(ended)>>20)
			batches := 2 * rows / coretransfer.MaxImport
			for range 4 {
				runImport(t, source, cut, rand.IntN(batches/2))
			}
			if _, killed := runImport(t, source, cut, -1); killed {
				t.Fatal("the last run did not end by itself")
			}
			if want, got := summary(t, whole), summary(t, cut); want != got {
				t.Errorf("the result differs: %s, want %s", got, want)
			}
		})
	}
}

// runImport imports in a process of its own, and kills it after the given number of
// lines of progress, or never if it is -1.
func runImport(t *testing.T, source, target string, lines int) (ended *os.ProcessState, killed bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), sourceVariable+"="+source, targetVariable+"="+target)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	progress := bufio.NewScanner(out)
	for progress.Scan() {
		// The line is written before its batch, so that the kill hits within the batch.
		if lines--; lines == -1 {
			killed = cmd.Process.Kill() == nil // SIGKILL
		}
	}
	if err := cmd.Wait(); err != nil && !killed {
		t.Fatalf("import: %v", err)
	}
	return cmd.ProcessState, killed
}

// summary returns a digest of all users and tokens of a store.
func summary(t *testing.T, dsn string) string {
	t.Helper()
	s, err := openBase(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sum, users, tokens := sha256.New(), 0, 0
	for after := int64(0); ; {
		page, err := s.ExportUsers(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, u := range page {
			fmt.Fprintf(sum, "%+v\n", u)
		}
		users, after = users+len(page), page[len(page)-1].ID
	}
	for after := (core.Token{}); ; {
		page, err := s.ExportTokens(t.Context(), policy.Realm, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, token := range page {
			fmt.Fprintf(sum, "%+v\n", token)
		}
		tokens, after = tokens+len(page), page[len(page)-1]
	}
	return fmt.Sprintf("%d users, %d tokens, %x", users, tokens, sum.Sum(nil)[:8])
}

// mustMakeSource creates a database as Django 3.2 and Django REST framework 3.14 do.
func mustMakeSource(t *testing.T, path string, rows int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)&_pragma=journal_mode(MEMORY)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(djangoTables); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	user, err := tx.Prepare(`INSERT INTO auth_user VALUES (?, ?, NULL, 0, ?, ?, ?, 0, 1, ?, ?)`)
	if err != nil {
		t.Fatal(err)
	}
	token, err := tx.Prepare(`INSERT INTO authtoken_token VALUES (?, ?, ?)`)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= rows; i++ {
		name := fmt.Sprint("user", i)
		hash := fmt.Sprintf("pbkdf2_sha256$260000$abcdefghijklmnopqrstuv$%.43s=", fmt.Sprintf("%x", sha256.Sum256([]byte(name))))
		if _, err := user.Exec(i, hash, name, "Last", name+"@example.org", fmt.Sprintf("2026-01-01 10:00:00.%06d", i%1_000_000), "First"); err != nil {
			t.Fatal(err)
		}
		if _, err := token.Exec(fmt.Sprintf("%x", sha1.Sum([]byte(name))), fmt.Sprintf("2026-11-01 10:00:00.%06d", i%1_000_000), i); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// djangoTables are the tables of Django 3.2 on SQLite, with columns in the order that
// its migrations leave.
const djangoTables = `
CREATE TABLE auth_user (
	id integer NOT NULL PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL, last_login datetime NULL,
	is_superuser bool NOT NULL, username varchar(150) NOT NULL UNIQUE, last_name varchar(150) NOT NULL,
	email varchar(254) NOT NULL, is_staff bool NOT NULL, is_active bool NOT NULL, date_joined datetime NOT NULL,
	first_name varchar(150) NOT NULL);
CREATE TABLE authtoken_token (
	key varchar(40) NOT NULL PRIMARY KEY, created datetime NOT NULL,
	user_id integer NOT NULL UNIQUE REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED);`
