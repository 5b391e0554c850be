package sqlite_test

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
	"github.com/authcompat/authcompat/store/sqlite/walindex"
)

// deleterVariable makes the test binary a second process that deletes tokens.
const deleterVariable = "AUTHCOMPAT_TEST_DELETER"

// TestDeleteOnRequest is that process: it deletes the token named by each line of its
// input, and answers with a line when it is done.
func TestDeleteOnRequest(t *testing.T) {
	path := os.Getenv(deleterVariable)
	if path == "" {
		return // an ordinary run
	}
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := s.DeleteToken(t.Context(), core.Presented(lines.Text()).SHA256(), nil); err != nil {
			t.Fatal(err)
		}
		fmt.Println("deleted")
	}
}

// TestCacheSeesAnotherProcess caches tokens by looking them up, has another process
// delete them, and looks them up again as soon as it answers.
func TestCacheSeesAnotherProcess(t *testing.T) {
	t.Run("as they are", func(t *testing.T) { testCacheSeesAnotherProcess(t, func(*sqlite.Store) {}) })
	t.Run("packed", func(t *testing.T) { testCacheSeesAnotherProcess(t, (*sqlite.Store).PackTokens) })
}

func testCacheSeesAnotherProcess(t *testing.T, prepare func(*sqlite.Store)) {
	const rounds = 200
	path := filepath.Join(t.TempDir(), "x.db")
	s := sqlitetest.MustOpenFile(t, path)
	prepare(s)
	user, err := s.CreateUser(t.Context(), core.NewUser{Username: "john", PasswordHash: "!", CreatedAt: time.Now()}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := exec.Command(os.Args[0], "-test.run", "^TestDeleteOnRequest$")
	other.Env = append(os.Environ(), deleterVariable+"="+path)
	requests, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	done := bufio.NewScanner(answers)
	for i := range rounds {
		p := core.Presented(fmt.Sprintf("token-%d", i))
		token := core.Token{Digest: p.SHA256(), UserID: user.ID, Realm: core.DefaultRealm, Issuer: "x", CreatedAt: time.Now()}
		if err := s.IssueToken(t.Context(), token, "", 0, nil); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			if _, _, err := s.FindToken(t.Context(), core.DefaultRealm, p); err != nil {
				t.Fatalf("round %d: a live token was not found: %v", i, err)
			}
		}
		fmt.Fprintln(requests, string(p))
		if !done.Scan() {
			t.Fatal("the other process ended")
		}
		if _, _, err := s.FindToken(t.Context(), core.DefaultRealm, p); err == nil {
			t.Fatalf("round %d: a token deleted by another process was found", i)
		}
	}
	requests.Close()
	for done.Scan() {
	}
	if err := other.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestCacheAfterRecoveries caches a token while the write-ahead log is empty, has another
// process end it, and leads SQLite back to an index as it was then: the log is emptied, and
// the index rebuilt from it, as after a process that died while it wrote the header.
func TestCacheAfterRecoveries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(register(t.Context(), s, "ann"), s.Close()); err != nil {
		t.Fatal(err)
	}
	s, other := sqlitetest.MustOpenFile(t, path), sqlitetest.MustOpenFile(t, path)
	find := func() error {
		_, _, err := s.FindToken(t.Context(), core.DefaultRealm, "ann")
		return err
	}
	for range 3 {
		if err := find(); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.DeleteToken(t.Context(), core.Presented("ann").SHA256(), nil); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var busy, frames, copied int
	if err := db.QueryRow(`PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &copied); err != nil || busy != 0 {
		t.Fatalf("busy %d, %v", busy, err)
	}
	if out, err := exec.Command("dd", "if=/dev/zero", "of="+path+"-shm", "bs=136", "count=1", "conv=notrunc").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if _, err := other.Account(t.Context(), "ann"); err != nil { // rebuilds the index
		t.Fatal(err)
	}
	if err := find(); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("a token that another process has ended: error %v", err)
	}
}

// TestCacheFromTheStart checks that the cache is of use after a start with an empty log,
// before anything is written.
func TestCacheFromTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sqlitetest.MustOpenFile(t, path)
	index, err := walindex.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := index.Read(); !ok {
		t.Error("the log has no header")
	}
}
