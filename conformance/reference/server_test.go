//go:build originals

// These tests start reference servers from Debian's packages. Only `make originals` runs them.
//
//	REFERENCE_REQUESTS   how many random requests, over all APIs (20000)
//	REFERENCE_SEED       of the random requests (1)
//	REFERENCE_API        one API alone
//	PEERS                the folder with django-rest-knox, dj-rest-auth and django-allauth (reference.Peers)
package reference_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/deviations"
	"github.com/authcompat/authcompat/conformance/differential"
	"github.com/authcompat/authcompat/conformance/recorded"
	"github.com/authcompat/authcompat/conformance/reference"
)

// root is the module's folder.
const root = "../.."

// requests is the default number of random requests: enough for every known deviation to
// occur.
const requests = 20000

// TestExchanges replays our exchange files at reference servers, which must answer as the files
// expect.
func TestExchanges(t *testing.T) {
	versions(t)
	known := readKnown(t)
	for _, profile := range append(reference.APIs(), "knox", "knox-5", "dj-rest-auth") {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			genuine(t, profile)
			file, err := conformance.Builtin(profile)
			if err != nil {
				t.Fatal(err)
			}
			launcher := reference.Launcher{profile: start(t, profile, nil)}
			report := conformance.Run(t.Context(), []*conformance.File{file}, launcher, conformance.Options{})
			passed, met := 0, map[string]int{}
			for _, r := range report.Profiles[0].Results {
				d := known.InExchange(profile, r.Exchange)
				switch {
				case r.Outcome == conformance.Passed:
					passed++
				case r.Outcome == conformance.Mismatch && d != nil:
					met[d.Name]++
					t.Logf("%s: known: %s", r.Exchange, d.Reason)
				default:
					t.Errorf("%s (%v): %s %v", r.Exchange, r.Outcome, r.Reason, r.Differences)
				}
			}
			for _, d := range known.Unmet(deviations.Exchanges, profile, met) {
				t.Errorf("%s: passes, though it is a known deviation: %s", d.Exchange, d.Reason)
			}
			t.Logf("%d of %d exchanges pass", passed, len(report.Profiles[0].Results))
		})
	}
}

// TestCorners checks that the reference servers still give the recorded answers to edge cases. Every
// test run replays the same recordings at our server.
func TestCorners(t *testing.T) {
	versions(t)
	for _, profile := range []string{"ocd-users", "form-auth"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(filepath.Join(root, "conformance", "recorded", "testdata", "corners", profile+".json"))
			if err != nil {
				t.Fatal(err)
			}
			sequences, err := recorded.Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			server := start(t, profile, nil)
			for _, u := range users() {
				if err := server.CreateUser(t.Context(), u); err != nil {
					t.Fatal(err)
				}
			}
			results, err := recorded.Replay(t.Context(), server.URL, sequences, recorded.Options{Profile: profile})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if r.Failed() {
					t.Error(r)
				}
			}
			t.Logf("%d steps", len(results))
		})
	}
}

// TestRandom sends the same random requests to a reference server and to ours.
func TestRandom(t *testing.T) {
	versions(t)
	known := readKnown(t)
	apis := []differential.API{differential.OCDUsers(), differential.FormAuth(), differential.KnoxAuth(), differential.DRFAuthtoken(), differential.Djoser(false), differential.Djoser(true), differential.Knox("knox"), differential.Knox("knox-5"), differential.RestAuth()}
	shares := []int{45, 25, 15, 15, 60, 40, 20, 20, 100} // per cent of the requests; djoser has as many of its own, and knox and dj-rest-auth come on top, as not everybody has them
	binary := build(t)
	explained := map[string]int{}
	t.Run("apis", func(t *testing.T) {
		for i, api := range apis {
			t.Run(api.Name, func(t *testing.T) {
				if only := os.Getenv("REFERENCE_API"); only != "" && only != api.Name {
					t.Skip("not asked for")
				}
				genuine(t, api.Name)
				report := random(t, binary, api, setting(t, "REFERENCE_REQUESTS", requests)*shares[i]/100, known)
				for name, n := range report.Explained {
					explained[name] += n
				}
			})
		}
	})
	for name, n := range explained {
		t.Logf("%5d known: %s", n, name)
	}
	if os.Getenv("REFERENCE_API") == "" && setting(t, "REFERENCE_REQUESTS", requests) >= requests {
		for _, d := range known.Unmet(deviations.RandomRequests, "", explained) {
			t.Errorf("%s: does not occur any more, though it is a known deviation", d.Name)
		}
	}
}

func random(t *testing.T, binary string, api differential.API, share int, known deviations.List) *differential.Report {
	options := differential.Options{Seed: uint64(setting(t, "REFERENCE_SEED", 1)), Requests: share, Known: known}
	all, database := users(), filepath.Join(t.TempDir(), "ours.db")
	var genuines, ours *mailbox
	if api.Staff {
		all = append(all, conformance.User{Username: differential.StaffUser, Password: differential.UserPassword, Email: "boss@example.com", Attributes: map[string]string{"is_staff": "true"}})
	}
	if sendsMails(api.Name) {
		genuines, ours = newMailbox(t), newMailbox(t)
	}
	server := start(t, api.Name, genuines)
	for _, u := range all {
		if err := server.CreateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	subject := serve(t, binary, api.Name, database, all, ours)
	if sendsMails(api.Name) {
		options.Mails = mailsOf(t, genuines, ours, database)
	}
	report, err := differential.Run(t.Context(), api, server.URL, subject, options)
	if err != nil {
		t.Fatal(err)
	}
	if report.Statuses[500]*10 > share {
		t.Fatalf("the reference server fails all the time: %v", report.Statuses)
	}
	for _, d := range report.Unexplained() {
		t.Errorf("seed %d, %s", report.Seed, d)
	}
	t.Logf("%d requests in %.1fs, reference statuses %v: %d differences, %d unexplained",
		report.Requests, report.Took.Seconds(), report.Statuses, len(report.Differences), len(report.Unexplained()))
	return report
}

// genuine skips a test whose reference server needs what is not here.
func genuine(t *testing.T, api string) {
	t.Helper()
	if _, err := reference.Packages(api); err != nil {
		t.Skip(err)
	}
}

func readKnown(t *testing.T) deviations.List {
	t.Helper()
	known, err := deviations.Known()
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func versions(t *testing.T) {
	t.Helper()
	v, err := reference.Versions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(v)
}

// users are the users that random requests refer to.
func users() []conformance.User {
	return []conformance.User{
		{Username: differential.ActiveUser, Password: differential.UserPassword, Email: "john@example.com"},
		{Username: differential.InactiveUser, Password: differential.UserPassword, Email: "ghost@example.com", Inactive: true},
	}
}

func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: want a number from 1", name)
	}
	return n
}

// sendsMails tells whether the API sends mails.
func sendsMails(api string) bool { return strings.HasPrefix(api, "djoser") }

// start starts a reference server that stops with the test. Its mails go to the mailbox, unless that is nil.
func start(t *testing.T, api string, mails *mailbox) *reference.Server {
	t.Helper()
	folder, port := t.TempDir(), 0
	if mails != nil {
		port = mails.port
	}
	o, err := reference.StartWithMails(context.WithoutCancel(t.Context()), api, folder, port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
		if keep := os.Getenv("REFERENCE_LOGS"); keep != "" {
			data, err := os.ReadFile(filepath.Join(folder, reference.LogFile))
			if err == nil {
				err = os.WriteFile(filepath.Join(keep, api+".log"), data, 0o644)
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	return o
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "authcompat")
	command := exec.Command("go", "build", "-o", binary, "./cmd/authcompat")
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build authcompat: %v\n%s", err, out)
	}
	return binary
}

// profile returns the profile with which our server behaves like Debian's versions.
func profile(t *testing.T, api string) string {
	t.Helper()
	changed, ok := map[string]struct{ profile, from, to string }{
		"form-auth":         {"form-auth", "stack: forms-2.2", "stack: forms-3.2"},
		"djoser-activation": {"djoser", "\nmails:\n", "\nmails:\n  send: [activation, confirmation, password_changed_confirmation, username_changed_confirmation]\n"},
	}[api]
	if !ok {
		return api
	}
	data, err := os.ReadFile(filepath.Join(root, "profiles", changed.profile+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), changed.from) {
		t.Fatalf("profile %s has no %q", changed.profile, changed.from)
	}
	text := strings.Replace(string(data), changed.from, changed.to, 1)
	file := filepath.Join(t.TempDir(), api+".yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// serve starts our server with the same users, on an SQLite file, and returns its URL. Its mails go to the mailbox; nil: nobody takes them.
func serve(t *testing.T, binary, api, database string, users []conformance.User, mails *mailbox) string {
	t.Helper()
	store := "--store=sqlite:" + database
	for _, u := range users {
		arguments := []string{"user", "create", u.Username, "--email", u.Email, "--password-stdin", "--password-iterations=1", store}
		if u.Inactive {
			arguments = append(arguments, "--inactive")
		}
		for name, value := range u.Attributes {
			arguments = append(arguments, "--attribute", name+"="+value)
		}
		command := exec.Command(binary, arguments...)
		command.Stdin = strings.NewReader(u.Password + "\n")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("create user: %v\n%s", err, out)
		}
	}
	port := 9 // where nobody listens
	if mails != nil {
		port = mails.port
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("of a server that holds nothing worth a secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "serve", "--profile", profile(t, api), "--listen=127.0.0.1:0", "--password-iterations=1", "--limits=off",
		"--smtp-host=127.0.0.1", "--smtp-port="+strconv.Itoa(port), "--smtp-encryption=none", "--smtp-from=a@example.com", "--mail-domain=example.com",
		"--django-secret-key-file="+secret, store)
	said, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(command.Process.Signal(syscall.SIGTERM), command.Wait()); err != nil {
			t.Errorf("authcompat ended with %v", err)
		}
	})
	pattern := regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if url := pattern.FindString(lines.Text()); url != "" {
			go func() {
				for lines.Scan() { // a full pipe would block the server
				}
			}()
			return url
		}
	}
	t.Fatal(fmt.Errorf("authcompat serve said no address"))
	return ""
}
