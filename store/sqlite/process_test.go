package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// childVariable makes the test binary a process that serves orders on the database file
// that it names.
const childVariable = "AUTHCOMPAT_TEST_DATABASE"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		if err := serveOrders(path, os.Stdin, os.Stdout); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveOrders opens the database, says so, and answers each line with one line, until
// there are no more.
func serveOrders(path string, orders io.Reader, answers io.Writer) error {
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		return err
	}
	fmt.Fprintln(answers, "ready")
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		order, name, _ := strings.Cut(lines.Text(), " ")
		fmt.Fprintln(answers, obey(s, order, name))
	}
	return s.Close()
}

// obey carries out the order for the user, or the token, with this name.
func obey(s *sqlite.Store, order, name string) string {
	var err error
	switch order {
	case "register":
		err = register(context.Background(), s, name)
	case "find":
		_, _, err = s.FindToken(context.Background(), "default", core.Presented(name))
	case "restore":
		o := sqlite.RestoreOptions{Progress: func(done, of int) {
			fmt.Println("copying", done < of)
			select {} // until it is killed
		}}
		_, err = sqlite.Restore(context.Background(), os.Getenv(childVariable), name, o)
	case "delete":
		err = s.DeleteToken(context.Background(), core.Presented(name).SHA256(), nil)
	}
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, core.ErrNotFound):
		return "not found"
	case errors.Is(err, core.ErrUsernameTaken):
		return "taken"
	default:
		return err.Error()
	}
}

// register registers a user with a token of the same name.
func register(ctx context.Context, s *sqlite.Store, name string) error {
	_, err := s.CreateUser(ctx, core.NewUser{Username: name}, func(user core.User) (core.Token, error) {
		return core.Token{Digest: core.Presented(name).SHA256(), UserID: user.ID, Realm: "default"}, nil
	}, nil)
	return err
}

// child is another process on the database.
type child struct {
	process *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Scanner
}

// start starts a process on the database; it ends with the test.
func start(t *testing.T, path string) *child {
	t.Helper()
	c := &child{process: exec.Command(os.Args[0])}
	c.process.Env = append(os.Environ(), childVariable+"="+path)
	c.process.Stderr = os.Stderr
	var err error
	if c.orders, err = c.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	answers, err := c.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.answers = bufio.NewScanner(answers)
	if err := c.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.orders.Close()
		_ = c.process.Wait() // reports only that it was killed
	})
	return c
}

// order sends a line.
func (c *child) order(t *testing.T, line string) {
	t.Helper()
	if _, err := fmt.Fprintln(c.orders, line); err != nil {
		t.Fatal(err)
	}
}

// answer reads a line.
func (c *child) answer(t *testing.T) string {
	t.Helper()
	if !c.answers.Scan() {
		t.Fatalf("no answer: %v", c.answers.Err())
	}
	return c.answers.Text()
}

// TestProcesses starts several processes at once on a file that does not exist yet,
// which race for usernames and revoke each other's tokens.
func TestProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authcompat.db")
	children := make([]*child, 4)
	for i := range children {
		children[i] = start(t, path)
	}
	for _, c := range children {
		if got := c.answer(t); got != "ready" {
			t.Fatal(got)
		}
	}

	const rounds = 25
	for round := range rounds {
		for _, c := range children {
			c.order(t, fmt.Sprintf("register user %d", round))
		}
		winners := 0
		for _, c := range children {
			switch got := c.answer(t); got {
			case "ok":
				winners++
			case "taken":
			default:
				t.Error(got)
			}
		}
		if winners != 1 {
			t.Errorf("round %d: %d registrations succeeded", round, winners)
		}
	}

	s := sqlitetest.MustOpenFile(t, path)
	for round := range rounds {
		token := fmt.Sprintf("user %d", round)
		if _, _, err := s.FindToken(t.Context(), "default", core.Presented(token)); err != nil {
			t.Errorf("token of another process: %v", err)
		}
		c, other := children[round%len(children)], children[(round+1)%len(children)]
		c.order(t, "delete "+token)
		if got := c.answer(t); got != "ok" {
			t.Error(got)
		}
		if _, _, err := s.FindToken(t.Context(), "default", core.Presented(token)); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("token that another process deleted: error %v", err)
		}
		other.order(t, "find "+token)
		if got := other.answer(t); got != "not found" {
			t.Error(got)
		}
	}
}

// TestKilled kills a process while it writes, repeatedly, and checks that everything it
// acknowledged exists.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authcompat.db")
	for cycle := range 5 {
		name := func(i int) string { return fmt.Sprintf("user %d %d", cycle, i) }
		c := start(t, path)
		if got := c.answer(t); got != "ready" {
			t.Fatal(got)
		}
		const sent, read = 200, 20
		for i := range sent {
			c.order(t, "register "+name(i))
		}
		acknowledged := 0
		for ; acknowledged < read; acknowledged++ {
			if got := c.answer(t); got != "ok" {
				t.Fatal(got)
			}
		}
		if err := c.process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for c.answers.Scan() && c.answers.Text() == "ok" {
			acknowledged++
		}

		s := sqlitetest.MustOpenFile(t, path)
		for i := range acknowledged {
			if _, err := s.Account(t.Context(), name(i)); err != nil {
				t.Errorf("cycle %d: acknowledged user %d of %d: %v", cycle, i, acknowledged, err)
			}
			if _, _, err := s.FindToken(t.Context(), "default", core.Presented(name(i))); err != nil {
				t.Errorf("cycle %d: acknowledged token %d of %d: %v", cycle, i, acknowledged, err)
			}
		}
	}
}

// TestTurns checks that a process that writes without pause does not starve another.
func TestTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authcompat.db")
	c := start(t, path)
	if got := c.answer(t); got != "ready" {
		t.Fatal(got)
	}
	s := sqlitetest.MustOpenFile(t, path)
	const own, others = 20, 2000
	go func() {
		for i := range others {
			fmt.Fprintf(c.orders, "register other %d\n", i)
		}
	}()
	began := time.Now()
	for i := range own {
		if err := register(t.Context(), s, fmt.Sprintf("own %d", i)); err != nil {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	}
	if _, err := s.Account(t.Context(), fmt.Sprintf("other %d", others-1)); err == nil {
		t.Error("the other process was done first")
	}
	if err := c.process.Process.Kill(); err != nil {
		t.Error(err)
	}
}
