package mailer

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite"
)

// senderVariable makes a process of the tests a sender: "PORT PATH", of the server and of the store.
const senderVariable = "AUTHCOMPAT_TEST_SENDER"

func TestMain(m *testing.M) {
	if task := os.Getenv(senderVariable); task != "" {
		if err := runSender(task); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// crashPace is that of a sender that is killed all the time.
func crashPace() pace {
	return pace{poll: 20 * time.Millisecond, firstRetry: 20 * time.Millisecond, lastRetry: 100 * time.Millisecond, minPause: time.Millisecond, maxPause: 20 * time.Millisecond}
}

// runSender sends until it is killed.
func runSender(task string) error {
	port, path, _ := strings.Cut(task, " ")
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	store, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		return err
	}
	templates, err := LoadTemplates(nil)
	if err != nil {
		return err
	}
	server := Server{Host: "127.0.0.1", Port: number, Encryption: None, From: "noreply@example.org", Name: "here", Timeout: time.Second}
	s, err := New(server, &Composer{Store: store.Backend().Mail, Accounts: store, Templates: templates, Link: links}, Options{})
	if err != nil {
		return err
	}
	s.pace = crashPace()
	s.Run(context.Background())
	return nil
}

// TestCrashes lets a process send while the server fails in every way and the process is killed: each
// mail is sent once or, where the server's answer was lost, twice at most, and none to nobody.
// AUTHCOMPAT_LONG makes them 10 000.
func TestCrashes(t *testing.T) {
	count := 250
	if os.Getenv("AUTHCOMPAT_LONG") != "" {
		count = 10_000
	}
	path := filepath.Join(t.TempDir(), "a.db")
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	queue := store.Backend().Mail
	began := time.Now().UTC().Truncate(time.Microsecond)
	for i := range count {
		u, err := store.CreateUser(t.Context(), core.NewUser{Username: fmt.Sprint("u", i), Email: fmt.Sprintf("u%d@example.org", i), PasswordHash: "hash", CreatedAt: began}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []int64{u.ID, 0} {
			if err := queue.EnqueueMail(t.Context(), core.Mail{Kind: core.MailPasswordReset, Profile: "api", UserID: id, Email: u.Email, CreatedAt: began}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	server := newServer(t, func(s *smtpServer) {
		random := rand.New(rand.NewPCG(1, 2))
		s.answer = func(command string) string {
			verb, _, _ := strings.Cut(command, " ")
			chance, answers := map[string]float64{"connect": 0.3, "MAIL": 0.05, "RCPT": 0.1, "DATA": 0.05, ".": 0.15}[verb], []string{drop, "451 4.3.0 later"}
			if random.Float64() < chance {
				return answers[random.IntN(len(answers))]
			}
			return ""
		}
	})
	killed := 0
	for deadline := time.Now().Add(20 * time.Minute); ; killed++ {
		if n, err := queue.CountMails(t.Context()); err != nil || n == 0 {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("there is no end")
		}
		killSender(t, server.port, path, time.Duration(100+rand.IntN(400))*time.Millisecond)
	}
	checkDeliveries(t, store, server, count, killed)
}

// killSender runs a sender for so long.
func killSender(t *testing.T, port int, path string, after time.Duration) {
	t.Helper()
	var out bytes.Buffer
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), senderVariable+"="+strconv.Itoa(port)+" "+path)
	c.Stderr = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	_ = c.Process.Kill()
	_ = c.Wait()
	if out.Len() > 0 {
		t.Fatal(out.String())
	}
}

// checkDeliveries counts what the server has.
func checkDeliveries(t *testing.T, store *sqlite.Store, server *smtpServer, count, killed int) {
	t.Helper()
	got := make(map[string]int)
	for _, m := range server.mails() {
		got[m.to]++
	}
	doubtful := make(map[int64]bool)
	entries, err := store.AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionSendMail}, 2*count)
	if err != nil || len(entries) != count {
		t.Fatalf("%d mails are in the audit record, %v, want %d", len(entries), err, count)
	}
	for _, e := range entries {
		switch e.Outcome {
		case Sent:
		case GivenUp: // twice, no answer came
			doubtful[e.UserID] = true
		default:
			t.Errorf("user %d: %s", e.UserID, e.Outcome)
		}
	}
	twice, never := 0, 0
	for i := range count {
		n := got[fmt.Sprintf("<u%d@example.org>", i)]
		account, err := store.Account(t.Context(), fmt.Sprint("u", i))
		if err != nil {
			t.Fatal(err)
		}
		if n > 2 || n == 0 && !doubtful[account.ID] {
			t.Errorf("%d mails to u%d", n, i)
		}
		switch n {
		case 0:
			never++
		case 2:
			twice++
		}
	}
	if len(got) > count {
		t.Errorf("mails to %d addresses of %d", len(got), count)
	}
	if twice == 0 || twice > count/2 {
		t.Errorf("%d of %d were sent twice: the test shows nothing", twice, count)
	}
	t.Logf("%d mails, %d twice, %d given up, of which %d never came; the sender was killed %d times", count, twice, len(doubtful), never, killed)
}
