package sqlite_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
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
	const rounds = 200
	path := filepath.Join(t.TempDir(), "x.db")
	s := sqlitetest.MustOpenFile(t, path)
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
		if err := s.IssueToken(t.Context(), token, "", nil); err != nil {
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
