package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// asProgram makes the test binary run as the program, so that tests have
// processes to kill.
const asProgram = "AUTHCOMPAT_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		asUsers()
		os.Exit(run())
	}
	testscript.Main(m, map[string]func(){"authcompat": func() { os.Exit(run()) }})
}

// asUsers gives the program the environment that it has with its users: without the
// variables of tests, which it would warn of.
func asUsers() {
	ofTests := regexp.MustCompile(`^AUTHCOMPAT_(TEST|CRASH|POWERCUT|SKEW)_|^AUTHCOMPAT_LONG$`)
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); ofTests.MatchString(name) {
			_ = os.Unsetenv(name) // fails only for an empty name
		}
	}
}

// long skips a test that takes minutes, unless long tests are asked for.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("AUTHCOMPAT_LONG") == "" {
		t.Skip("takes long: set AUTHCOMPAT_LONG=1")
	}
}

type process struct {
	*exec.Cmd
	urls   map[string]string // by profile
	manage string
	// console is the address of the console, with its key; empty: none was printed.
	console string
	log     lockedBuffer
	client  *http.Client
}

// lockedBuffer is written by a process while a test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// program returns a command that runs the program, not yet started.
func programCommand(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// command runs a command of the program that must succeed.
func command(t testing.TB, input string, args ...string) string {
	t.Helper()
	cmd := programCommand(t, args...)
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	return string(out)
}

// refusal is the exit code of a command that refuses something: that of bad settings is the verdict
// which config check is there to give, and anybody else's failure.
func refusal(args []string) int {
	if len(args) > 1 && args[0] == "config" && args[1] == "check" {
		return 1
	}
	return 2
}

// refused runs a command of the program that must exit with its refusal and an empty standard
// output, and returns its standard error.
func refused(t testing.TB, input string, args ...string) string {
	t.Helper()
	cmd := programCommand(t, args...)
	cmd.Stdin = strings.NewReader(input)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	_ = cmd.Run() // the exit code is in its state
	if code := cmd.ProcessState.ExitCode(); code != refusal(args) || out.Len() > 0 {
		t.Fatalf("%v: exit code %d\n%s%s", args, code, out.String(), stderr.String())
	}
	return stderr.String()
}

var (
	servedAt  = regexp.MustCompile(`^profile (\S+) \(.*\) at (\S+),`)
	managedAt = regexp.MustCompile(`^management at (\S+):`)
)

// start starts a server with a management listener, and stops it with the test.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	return startWith(t, func(*exec.Cmd) {}, args...)
}

// startWith is start with a change to the command.
func startWith(t testing.TB, change func(*exec.Cmd), args ...string) *process {
	t.Helper()
	p, err := launchWith(t, change, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Signal(syscall.SIGTERM)
			if err := p.Wait(); err != nil {
				t.Errorf("server: %v\n%s", err, p.log.String())
			}
		}
	})
	return p
}

// launch is start for tests that end the server themselves.
func launch(t testing.TB, args ...string) (*process, error) {
	t.Helper()
	return launchWith(t, func(*exec.Cmd) {}, args...)
}

func launchWith(t testing.TB, change func(*exec.Cmd), args ...string) (*process, error) {
	t.Helper()
	p := &process{
		Cmd:    programCommand(t, append([]string{"serve", "--manage", "127.0.0.1:0"}, args...)...),
		urls:   make(map[string]string),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
	}
	p.Stderr = &p.log
	change(p.Cmd)
	out, err := p.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := servedAt.FindStringSubmatch(lines.Text()); m != nil {
			p.urls[m[1]] = m[2]
		}
		if address, ok := strings.CutPrefix(lines.Text(), "console: "); ok {
			p.console = address
		}
		if m := managedAt.FindStringSubmatch(lines.Text()); m != nil {
			p.manage = m[1]
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return p, nil
		}
	}
	err = p.Wait()
	return nil, fmt.Errorf("server did not start: %v: %s", err, p.log.String())
}

// database returns the DSN of a fresh file.
func database(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "auth.db")
}

// answer is a response whose body has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

// send sends a request, with a token unless it is empty.
func (p *process) send(method, url, token, body string, headers ...string) (answer, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Token "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(data)}, err
}

// want sends a request and checks the status.
func (p *process) want(t testing.TB, status int, method, url, token, body string, headers ...string) answer {
	t.Helper()
	a, err := p.send(method, url, token, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	if a.status != status {
		t.Fatalf("%s %s: status %d, want %d: %s\n%s", method, url, a.status, status, a.body, p.log.String())
	}
	return a
}

// metric reads one value from /metrics.
func (p *process) metric(t testing.TB, name string) float64 {
	t.Helper()
	body := p.want(t, http.StatusOK, http.MethodGet, p.manage+"/metrics", "", "").body
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

func tokenIn(t testing.TB, body string) string {
	t.Helper()
	m := regexp.MustCompile(`"token": *"([0-9a-f]+)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no token in %q", body)
	}
	return m[1]
}

const day = 24 * time.Hour

// cheap makes hashing fast.
var cheap = []string{"--password-iterations", "100", "--listen", "127.0.0.1:0"}

// dialSlow opens a connection and sends the beginning of a request.
func dialSlow(address string) (net.Conn, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	_, err = conn.Write([]byte("GET /api/account/alice/ HTTP/1.1\r\nHost: a\r\nX-Slow: "))
	return conn, err
}
