package transfer_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core/testenv"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
	"github.com/authcompat/authcompat/store/internal/daemon"
	"github.com/authcompat/authcompat/store/sqlite"
)

// mustLeftovers creates what a crashed process leaves of a source in WAL mode: user u0
// is in the file itself, and user u1, committed last, in its log. The log's index is
// that of the moment of the crash.
func mustLeftovers(t *testing.T, folder string) (path string) {
	t.Helper()
	live := manyUsers(t, 1)
	mustExec(t, live, `PRAGMA journal_mode = WAL`)
	db, err := sql.Open("sqlite", live)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, s := range []string{`PRAGMA wal_autocheckpoint = 0`, `INSERT INTO auth_user VALUES (2, ` + user("u1") + `)`,
		`INSERT INTO authtoken_token VALUES ('` + text("u1") + `', ` + joined + `, 2)`} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(folder, "old.sqlite3")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		content, err := os.ReadFile(live + suffix)
		if err != nil {
			t.Fatal(err)
		}
		mustWrite(t, path+suffix, content)
	}
	return path
}

func mustWrite(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// contentsOf returns the files of a directory with their contents.
func contentsOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(content)
	}
	return all
}

// logIndexes are states of the index (-shm) of the log left behind.
var logIndexes = map[string]func(left []byte) []byte{
	"as it was":  func(left []byte) []byte { return left },
	"missing":    func([]byte) []byte { return nil },
	"empty":      func([]byte) []byte { return []byte{} },
	"zeros":      func(left []byte) []byte { return make([]byte, len(left)) },
	"of another": func(left []byte) []byte { return bytes.Repeat([]byte{0xa5}, len(left)) },
}

// setIndex puts the log's index into one of these states.
func setIndex(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	left, err := os.ReadFile(path + "-shm")
	if err == nil {
		err = os.Remove(path + "-shm")
	}
	if err != nil {
		t.Fatal(err)
	}
	if left = change(left); left != nil {
		mustWrite(t, path+"-shm", left)
	}
}

// TestLeftOfACrash imports what a crashed process left: rows committed only to the log
// are imported. The file and its log stay as they are, and no new files appear beside
// them. An existing index may be rebuilt, as by any reader: it has nothing that is not
// in the log.
func TestLeftOfACrash(t *testing.T) {
	for name, change := range logIndexes {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := mustLeftovers(t, folder)
			setIndex(t, path, change)
			before := contentsOf(t, folder)
			h := mustHouse(t)
			report, err := h.both(t, tables.Mapping{}, nil, path)
			if err != nil || report.Users.Added != 2 || report.Tokens["authtoken_token"].Added != 2 {
				t.Fatalf("%+v, %v", report, err)
			}
			h.wantOwners(t, map[string]string{text("u0"): "u0", text("u1"): "u1"})
			after := contentsOf(t, folder)
			if _, index := before["old.sqlite3-shm"]; index {
				delete(before, "old.sqlite3-shm")
				delete(after, "old.sqlite3-shm")
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("the source is not what it was (-before +after):\n%.500s", diff)
			}
		})
	}
}

// TestDamagedLog imports beside a log that was never committed, in whole or at its end:
// the uncommitted part is ignored, as by SQLite, and left in place.
func TestDamagedLog(t *testing.T) {
	for name, test := range map[string]struct {
		change func([]byte) []byte
		users  int
	}{
		"torn at its end":   {func(log []byte) []byte { return append(log, log[32:1000]...) }, 2},
		"without its end":   {func(log []byte) []byte { return log[:len(log)-100] }, 2}, // the token's transaction
		"of another base":   {func(log []byte) []byte { return append(bytes.Repeat([]byte{7}, 40), log[40:]...) }, 1},
		"a header alone":    {func(log []byte) []byte { return log[:32] }, 1},
		"nothing in it yet": {func([]byte) []byte { return nil }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := mustLeftovers(t, folder)
			setIndex(t, path, logIndexes["missing"])
			log, err := os.ReadFile(path + "-wal")
			if err != nil {
				t.Fatal(err)
			}
			mustWrite(t, path+"-wal", test.change(log))
			before := contentsOf(t, folder)
			h := mustHouse(t)
			if report, err := h.both(t, tables.Mapping{}, nil, path); err != nil || report.Users.Added != test.users {
				t.Errorf("%+v, %v", report, err)
			}
			if diff := cmp.Diff(before, contentsOf(t, folder)); diff != "" {
				t.Errorf("the source is not what it was (-before +after):\n%.500s", diff)
			}
		})
	}
}

// TestHotJournal refuses a file that a program was writing to when it crashed in
// SQLite's default journal mode: rolling that back would write to the source.
func TestHotJournal(t *testing.T) {
	live := manyUsers(t, 3)
	db, err := sql.Open("sqlite", live)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, s := range []string{`PRAGMA cache_size = 1`, `BEGIN`, `DELETE FROM authtoken_token`,
		`CREATE TABLE more AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT hex(randomblob(100)) FROM n`} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "old.sqlite3")
	for _, suffix := range []string{"", "-journal"} {
		content, err := os.ReadFile(live + suffix)
		if err != nil {
			t.Fatal(err)
		}
		mustWrite(t, path+suffix, content)
	}
	before := contentsOf(t, folder)
	h := mustHouse(t)
	_, err = h.both(t, tables.Mapping{}, nil, path)
	wantRefusal(t, h, err, "sqlite3 COPY")
	if diff := cmp.Diff(before, contentsOf(t, folder)); diff != "" {
		t.Errorf("the source is not what it was (-before +after):\n%.500s", diff)
	}
	mustExec(t, path, `SELECT 1 FROM sqlite_schema`) // as the error advises, on a copy
	if report, err := h.both(t, tables.Mapping{}, nil, path); err != nil || report.Tokens["authtoken_token"].Added != 3 {
		t.Errorf("after that: %+v, %v", report, err)
	}
}

// TestReadOnlyFolder imports as a user who can write neither the files nor their
// directory. Root could, so the import runs as another user in a process of its own.
func TestReadOnlyFolder(t *testing.T) {
	if os.Getuid() != 0 {
		testenv.Missing(t, "needs root, to become another user")
	}
	exe, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]func(t *testing.T, path string) (users int){
		"at rest": func(t *testing.T, path string) int {
			mustExec(t, path, `PRAGMA wal_checkpoint(TRUNCATE)`) // closing the last connection removes the log
			return 2
		},
		"another mode": func(t *testing.T, path string) int {
			mustExec(t, path, `PRAGMA journal_mode = DELETE`)
			return 2
		},
		"an empty log": func(t *testing.T, path string) int {
			setIndex(t, path, logIndexes["missing"])
			mustWrite(t, path+"-wal", nil)
			return 1 // what was in the log is lost
		},
	}
	for name, change := range logIndexes {
		states["a log, its index "+name] = func(t *testing.T, path string) int {
			setIndex(t, path, change)
			return 2
		}
	}
	for name, state := range states {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			folder, home := filepath.Join(top, "read only"), filepath.Join(top, "home")
			for _, dir := range []string{folder, home} {
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			path := mustLeftovers(t, folder)
			users := state(t, path)
			mustBeReadOnly(t, top, folder, home)
			program := filepath.Join(home, "import")
			if err := os.WriteFile(program, exe, 0o755); err != nil {
				t.Fatal(err)
			}
			before := contentsOf(t, folder)
			target := filepath.Join(home, "new.db")
			cmd := exec.Command(program)
			cmd.Env = append(os.Environ(), sourceVariable+"="+path, targetVariable+"="+target)
			cmd.Dir, cmd.SysProcAttr = home, daemon.Nobody().Attributes(0)
			out, err := cmd.CombinedOutput()
			if diff := cmp.Diff(before, contentsOf(t, folder)); diff != "" {
				t.Errorf("the source is not what it was (-before +after):\n%.500s", diff)
			}
			if err != nil {
				if said := strings.TrimSpace(string(out)); !contains(said, "copy both to another folder") || contains(said, "\n") {
					t.Errorf("%v: %s; want one line that names the remedy", err, said)
				}
				return
			}
			s, err := sqlite.Open(t.Context(), target, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if found, err := s.ExportUsers(t.Context(), 0, 10); err != nil || len(found) != users {
				t.Errorf("%d users came over, %v, want %d", len(found), err, users)
			}
		})
	}
}

// mustBeReadOnly lets anybody read what is in the directory and only root write it, and
// lets anybody enter it; home belongs to nobody.
func mustBeReadOnly(t *testing.T, top, folder, home string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]os.FileMode{filepath.Dir(top): 0o755, top: 0o755, folder: 0o555}
	for _, e := range entries {
		modes[filepath.Join(folder, e.Name())] = 0o444
	}
	for path, mode := range modes {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(home, daemon.NobodyID, daemon.NobodyID); err != nil {
		t.Fatal(err)
	}
}

// TestWrittenMeanwhile reads a source in WAL mode that is idle when it is opened and
// written to while it is read, by connections that come and go as Django's do
// (CONN_MAX_AGE defaults to 0). Users who exist all the time are imported, and none of
// their tokens is revoked.
func TestWrittenMeanwhile(t *testing.T) {
	const users = 6_000
	register := func(name string, id int) string {
		return fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
			INSERT INTO auth_user SELECT %d + i * 2, printf('!%%0900d', i), NULL, '%s-' || i, '', 1, %s FROM n`, id, name, joined)
	}
	path := mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, fmt.Sprintf(authtoken, "auth_user (id)"),
		fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO auth_user SELECT i * 2, printf('!%%0900d', i), NULL, 'u' || i, '', 1, %s FROM n`, users, joined),
		`INSERT INTO authtoken_token SELECT printf('%040d', id), date_joined, id FROM auth_user`, `PRAGMA journal_mode = WAL`)
	h := mustHouse(t)
	if _, err := h.try(t, tables.Mapping{}, nil, path); err != nil {
		t.Fatal(err)
	}
	rounds := 0
	report, err := h.try(t, tables.Mapping{}, func(o *transfer.Options) {
		o.Progress = func(string, int, int) {
			// Some log out, and their freed pages are reused for users who register.
			rounds++
			mustExec(t, path, fmt.Sprintf(`DELETE FROM authtoken_token WHERE user_id BETWEEN %d AND %d`, rounds*20, rounds*20+8),
				register(fmt.Sprint("late", rounds), 100_000+rounds*1000), register(fmt.Sprint("mid", rounds), rounds*1000+1))
		}
	}, path)
	if err != nil || report.Users.Unchanged != users {
		t.Fatalf("after %d writes: %+v, %v", rounds, report, err)
	}
	if n := report.Tokens["authtoken_token"]; n.Unchanged+report.Ended != users || report.Ended > rounds*5 {
		t.Errorf("after %d writes: %+v", rounds, report)
	}
}
