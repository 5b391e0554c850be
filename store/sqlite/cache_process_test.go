package sqlite_test

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
	"github.com/authcompat/authcompat/store/sqlite/walindex"
)

// changerVariable makes the test binary a second process that changes tokens.
const changerVariable = "AUTHCOMPAT_TEST_CHANGER"

// TestChangeOnRequest is that process: it changes the token, or its user of the same name, that each line of its
// input names, and answers with a line when it is done.
func TestChangeOnRequest(t *testing.T) {
	path := os.Getenv(changerVariable)
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
		what, name, _ := strings.Cut(lines.Text(), " ")
		digest := core.Presented(name).SHA256()
		switch what {
		case "delete":
			err = s.DeleteToken(t.Context(), digest, nil)
		case "extend":
			err = s.ExtendExpiries(t.Context(), []core.ExpiryUpdate{{Digest: digest, To: extended}}, time.Now())
		case "disable":
			var account core.Account
			if account, err = s.Account(t.Context(), name); err == nil {
				err = s.SetActive(t.Context(), account.ID, false, nil)
			}
		default:
			err = fmt.Errorf("%q", what)
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("done")
	}
}

// extended is the end of tokens that the other process has extended.
var extended = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// startChanger starts the other process, and returns what has it change a token.
func startChanger(t *testing.T, path string) (change func(what, name string)) {
	t.Helper()
	other := exec.Command(os.Args[0], "-test.run", "^TestChangeOnRequest$")
	other.Env = append(os.Environ(), changerVariable+"="+path)
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
	t.Cleanup(func() {
		requests.Close()
		for done.Scan() {
		}
		if err := other.Wait(); err != nil {
			t.Error(err)
		}
	})
	return func(what, name string) {
		t.Helper()
		fmt.Fprintln(requests, what, name)
		if !done.Scan() || done.Text() != "done" {
			t.Fatal("the other process ended")
		}
	}
}

// TestCacheSeesAnotherProcess caches tokens by looking them up, has another process
// delete them, and looks them up again as soon as it answers.
func TestCacheSeesAnotherProcess(t *testing.T) {
	t.Run("as they are", func(t *testing.T) { testCacheSeesAnotherProcess(t, func(*sqlite.Store) {}) })
	t.Run("packed", func(t *testing.T) { testCacheSeesAnotherProcess(t, (*sqlite.Store).PackTokens) })
}

// TestLookUpsRaceWithAnotherProcess has look-ups of many tokens go on without a pause while another process ends some, extends others,
// and disables the users of others: what it has acknowledged holds for each look-up that begins afterwards, and goes on to.
func TestLookUpsRaceWithAnotherProcess(t *testing.T) {
	t.Run("as they are", func(t *testing.T) { testLookUpsRace(t, func(*sqlite.Store) {}) })
	t.Run("packed", func(t *testing.T) { testLookUpsRace(t, (*sqlite.Store).PackTokens) })
}

func testLookUpsRace(t *testing.T, prepare func(*sqlite.Store)) {
	const tokens, lookers = 90, 2
	path := filepath.Join(t.TempDir(), "x.db")
	s := sqlitetest.MustOpenFile(t, path)
	prepare(s)
	name := func(i int) string { return fmt.Sprintf("user-%d", i) }
	for i := range tokens {
		_, err := s.CreateUser(t.Context(), core.NewUser{Username: name(i), PasswordHash: "!", CreatedAt: time.Now()}, func(u core.User) (core.Token, error) {
			return core.Token{
				Digest: core.Presented(name(i)).SHA256(), UserID: u.ID, Realm: core.DefaultRealm, Issuer: "x",
				CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour), Sliding: time.Hour,
			}, nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	change := startChanger(t, path)
	var changed [tokens]atomic.Bool // acknowledged
	// holds looks a token up and compares it with what is known of it before.
	holds := func(i int) error {
		was := changed[i].Load()
		token, user, err := s.FindToken(t.Context(), core.DefaultRealm, core.Presented(name(i)))
		switch ended := errors.Is(err, core.ErrNotFound); {
		case err != nil && !ended, i%3 != 0 && ended:
			return fmt.Errorf("token %d: %w", i, err)
		case was && (i%3 == 0 && !ended || i%3 == 1 && !token.ExpiresAt.Equal(extended) || i%3 == 2 && user.Active):
			return fmt.Errorf("token %d is as it was before it was changed", i)
		}
		return nil
	}
	stop := make(chan struct{})
	var group sync.WaitGroup
	for l := range lookers {
		group.Go(func() {
			for i := l; ; i += 7 {
				select {
				case <-stop:
					return
				default:
				}
				if err := holds(i % tokens); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range tokens {
		change([]string{"delete", "extend", "disable"}[i%3], name(i))
		changed[i].Store(true)
		for range 5 {
			if err := holds(i); err != nil {
				t.Error(err)
			}
		}
		if t.Failed() {
			break
		}
	}
	close(stop)
	group.Wait()
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
	change := startChanger(t, path)
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
		change("delete", string(p))
		if _, _, err := s.FindToken(t.Context(), core.DefaultRealm, p); err == nil {
			t.Fatalf("round %d: a token deleted by another process was found", i)
		}
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
