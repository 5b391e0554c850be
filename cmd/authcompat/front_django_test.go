package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
	"github.com/google/go-cmp/cmp"
)

// debianPython has the packages of Debian, which another interpreter may not have.
const debianPython = "/usr/bin/python3"

// startDjango serves the application of testdata/front with gunicorn, and returns its
// address.
func startDjango(t *testing.T) (address string) {
	t.Helper()
	return startGunicorn(t, "app:application")
}

// startGunicorn serves an application of testdata/front, with more variables in its
// environment, and returns its address.
func startGunicorn(t testing.TB, application string, environ ...string) (address string) {
	t.Helper()
	if err := exec.Command(debianPython, "-c", "import django, gunicorn").Run(); err != nil {
		testenv.Missing(t, "genuine Django: apt-get install python3-django gunicorn: %v", err)
	}
	cmd := exec.Command(debianPython, "-m", "gunicorn", "--preload", "--workers", "1", "--worker-class", "gthread", "--threads", "8",
		"--bind", "127.0.0.1:0", "--timeout", "120", application)
	cmd.Dir = filepath.Join("testdata", "front")
	cmd.Env = append(append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"), environ...)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it ends by the signal
	})
	listening := regexp.MustCompile(`Listening at: http://(127\.0\.0\.1:[0-9]+) `)
	var log strings.Builder
	for lines := bufio.NewScanner(said); lines.Scan(); {
		log.WriteString(lines.Text() + "\n")
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, said) }()
			return m[1]
		}
	}
	t.Fatalf("gunicorn did not start: %s", log.String())
	return ""
}

// startFront serves a profile with a section front, and returns the process and its address.
func startFront(t testing.TB, section string, args ...string) (p *process, address string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.yaml")
	put(t, file, "listeners:\n  - profile: ocd-users\n    address: 127.0.0.1:0\n    front: "+section+"\n")
	p = start(t, append([]string{"--config", file, "--password-iterations", "100", "--store", database(t)}, args...)...)
	return p, strings.TrimPrefix(p.urls["ocd-users"], "http://")
}

// register registers a user of ocd-users, and returns a token.
func (p *process) register(t testing.TB, name string) string {
	t.Helper()
	body := fmt.Sprintf(`{"username": %q, "email": "", "password": "correct horse"}`, name)
	return tokenIn(t, p.want(t, http.StatusOK, http.MethodPost, p.urls["ocd-users"]+"/api/register/", "", body).body)
}

// cases returns how many generated cases a test runs.
func cases(few, many int) int {
	if os.Getenv("AUTHCOMPAT_LONG") != "" {
		return many
	}
	return few
}

// generated is a source of requests that is the same in each run.
type generated struct{ *rand.Rand }

func (g generated) one(of ...string) string { return of[g.IntN(len(of))] }

// word returns text of some of the bytes.
func (g generated) word(bytes string, most int) string {
	b := make([]byte, 1+g.IntN(most))
	for i := range b {
		b[i] = bytes[g.IntN(len(bytes))]
	}
	return string(b)
}

const letters = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-"

// target returns a request target that net/http takes.
func (g generated) target() string {
	if g.IntN(4) == 0 {
		return "/odd/" + g.one("plain", "streamed", "missing", "moved", "204", "304", "200", "201", "400", "403", "404", "418", "500", "503") + g.one("/", "/", "/", "", "?x=1")
	}
	var target strings.Builder
	for range 1 + g.IntN(4) {
		target.WriteString("/" + g.one(g.word(letters, 6), "..", ".", "", "%2f", "%2E%2e", "a%20b", "a;b=c", "\\", "caf\u00e9", "\xe9\xff", "%e9", "%00", "a+b", "~!$&'()*,=:@|^`{}[]\"<>", "slash", "%C3%A9", "x%3fy", "x%23y"))
	}
	target.WriteString(g.one("", "/"))
	if g.IntN(2) == 0 {
		target.WriteString("?" + g.one("", "a=b&c=d", "%zz", "a;b", "x=\xe9", "a=%2f+%20", "??", "=&=&", "[]{}|\\\"<>"))
	}
	return target.String()
}

// request returns a request as a client writes it, that gunicorn and net/http read alike.
func (g generated) request() string {
	var r strings.Builder
	method := g.one("GET", "GET", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND")
	fmt.Fprintf(&r, "%s %s HTTP/1.1\r\nHost: old.example\r\nConnection: close\r\n", method, g.target())
	for range g.IntN(8) {
		name := g.one("Accept", "accept-encoding", "ACCEPT-LANGUAGE", "Authorization", "Cookie", "User-Agent", "Referer", "Origin", "If-None-Match", "Range", "Cache-Control",
			"X-Requested-With", "Content-Type", "Idempotency-Key", "x-"+g.word(letters, 10)+"z", "X_Under_Score")
		fmt.Fprintf(&r, "%s: %s\r\n", name, g.one(g.word(letters, 20), "a, b;q=0.5", "\"quoted\"", "caf\xc3\xa9 \xe9", "Token x y", "gzip, br", "a=b; c=d", "x\ty"))
	}
	body := g.word(letters+"\x00\r\n{}&=%", 3000)
	if g.IntN(20) == 0 {
		body = strings.Repeat(body, 100)
	}
	switch g.IntN(4) {
	case 0:
		fmt.Fprintf(&r, "Content-Length: %d\r\n\r\n%s", len(body), body)
	case 1:
		fmt.Fprintf(&r, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%X;ext=1\r\n%s\r\n0\r\n\r\n", len(body), body, len(body), body)
	case 2:
		r.WriteString("Content-Length: 0\r\n\r\n")
	default:
		r.WriteString("\r\n")
	}
	return r.String()
}

// comparable returns an answer without what may differ: hop-by-hop headers, the order of
// headers, white space around their values, the time, the forwarding headers in what a view
// tells, the framing of the body, the body of an answer to HEAD, and what describes the
// bodies that 204 and 304 don't have.
func comparable(t *testing.T, request, answer string) string {
	t.Helper()
	method, _, _ := strings.Cut(request, " ")
	head, rest, whole := strings.Cut(answer, "\r\n\r\n")
	parsed, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), &http.Request{Method: method})
	if err != nil || !whole {
		return "no answer: " + answer
	}
	body, err := io.ReadAll(parsed.Body)
	if err != nil {
		t.Errorf("%q: %v in %q", request, err, rest)
	}
	lines := strings.Split(head, "\r\n")
	status := lines[0]
	lines = slices.DeleteFunc(lines[1:], func(line string) bool {
		name, _, _ := strings.Cut(strings.ToLower(line), ":")
		switch name {
		case "connection", "transfer-encoding":
			return true
		case "content-type", "content-length":
			// Content-Length counts the forwarding headers too.
			return strings.Contains(status, " 204") || strings.Contains(status, " 304") || name == "content-length" && method != http.MethodHead
		}
		return false
	})
	for i, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		if lines[i] = name + ": " + strings.TrimSpace(value); name == "Date" {
			lines[i] = name
		}
	}
	slices.Sort(lines)
	forwarded := regexp.MustCompile(`"HTTP_X_FORWARDED_(FOR|HOST|PROTO)": "[^"]*", |"HTTP_CONNECTION": "close", `)
	body = forwarded.ReplaceAll(body, nil)
	if method == http.MethodHead {
		body = nil
		lines = slices.DeleteFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, "Content-Length: ") && line != "Content-Length: 0"
		})
	}
	return status + "\n" + strings.Join(lines, "\n") + "\n\n" + string(body)
}

// TestFrontIsFaithful sends generated requests to genuine Django, straight and through a
// front: what arrives, and what comes back, is the same.
func TestFrontIsFaithful(t *testing.T) {
	t.Parallel()
	django := startDjango(t)
	p, address := startFront(t, "{old: http://"+django+"}")
	g := generated{rand.New(rand.NewPCG(15, 1))}
	statuses := make(map[string]int)
	for i := range cases(500, 10_000) {
		request := g.request()
		straight, fronted := comparable(t, request, untilClosed(t, django, request)), comparable(t, request, untilClosed(t, address, request))
		if d := cmp.Diff(straight, fronted); d != "" {
			t.Errorf("%d: %.600q (-straight +front):\n%s", i, request, d)
		}
		status, _, _ := strings.Cut(fronted, "\n")
		statuses[status]++
		if t.Failed() && i > 20 {
			break
		}
	}
	t.Logf("%v", statuses)
	if log := p.log.String(); strings.Contains(log, "ERROR") || strings.Contains(log, "panic") {
		t.Errorf("logged: %s", log)
	}
}

// mutate returns a target that some server may take for the same path.
func (g generated) mutate(path string) string {
	for range 1 + g.IntN(3) {
		at := g.IntN(len(path) + 1)
		switch g.IntN(12) {
		case 0:
			path = path[:at] + "/" + path[at:]
		case 1:
			path = path[:at] + g.one("./", "/./", "/../", "x/../", "/x/..", "..;/", "%2e%2e/", "%2e/", "/%2E%2e%2f") + path[at:]
		case 2, 3, 4:
			if at < len(path) && path[at] != '%' {
				path = path[:at] + fmt.Sprintf(g.one("%%%02x", "%%%02X", "%%25%02x"), path[at]) + path[at+1:]
			}
		case 5:
			path = path[:at] + g.one(";", ";x=y", "%3b", "%3B") + path[at:]
		case 6:
			path = path[:at] + g.one("\\", "%5c", "%5C", "%2f", "%2F", "%252f") + path[at:]
		case 7:
			path += g.one("%00", "%0a", "%0d%0a", "%20", "%09", "?", "?/public/", "#", "#/public/", "%23", "%3f", ".", "/.", "%2e")
		case 8:
			path = g.one("/public", "/public/..", "/public/%2e%2e", "/public//", "/public/;", "/public\\..", "//public", "/public/../..") + path
		case 9:
			path = g.one("http://old.example", "http://other.example", "HTTP://x", "http://old.example:80", "//x") + path
		case 10:
			path = path[:at] + g.one("\xc0\xaf", "%c0%af", "%ef%bc%8f", "\xe2\x80\xae", "%e2%80%8b", "%ff") + path[at:]
		case 11:
			path = g.one(strings.ToUpper(path), strings.Replace(path, "private", "Private", 1), strings.Replace(path, "/", "", 1))
		}
	}
	return path
}

// headers returns headers by which a server may be told of another path.
func (g generated) headers() string {
	if g.IntN(3) > 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s\r\n", g.one("SCRIPT_NAME", "Script_Name", "script-name", "PATH_INFO", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Script-Name"),
		g.one("/public", "/private/", "/private", "/"))
}

// TestFrontProtects mutates the path of a protected view: however it is spelled, Django and
// nginx show it to nobody without a token. Straight, they show it for many of the spellings.
func TestFrontProtects(t *testing.T) {
	t.Parallel()
	const rules = "paths: [{path: /public/, token: pass}, {path: /private/, token: needed}]"
	for name, application := range map[string]string{"Django": startDjango(t), "nginx": startNginx(t)} {
		p, address := startFront(t, "{old: http://"+application+", "+rules+"}")
		token := p.register(t, "ann")
		g := generated{rand.New(rand.NewPCG(15, 2))}
		shown, answered := 0, 0
		for range cases(400, 5_000) {
			target := g.mutate(g.one("/private/", "/private/data", "/public/private/"))
			if !strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "http") {
				target = "/" + target
			}
			request := "GET " + target + " HTTP/1.1\r\nHost: old.example\r\nConnection: close\r\n" + g.headers() + "\r\n"
			if strings.HasSuffix(untilClosed(t, application, request), "PRIVATE") {
				shown++
			}
			answer := untilClosed(t, address, request)
			if strings.HasSuffix(answer, "PRIVATE") {
				t.Errorf("%s shows %q without a token", name, request)
			}
			if answer != "" {
				answered++
			}
			with := strings.Replace(request, "\r\n\r\n", "\r\nAuthorization: Token "+token+"\r\n\r\n", 1)
			if strings.HasPrefix(untilClosed(t, address, with), "HTTP/1.1 401 ") {
				t.Errorf("%s: %q is refused with a token", name, request)
			}
		}
		t.Logf("%s: shown %d times without a front, %d answered with it", name, shown, answered)
		if shown < 20 {
			t.Errorf("%s: only %d of the spellings reach the view without a front", name, shown)
		}
	}
}

// startNginx serves a path that a front protects, and returns its address.
func startNginx(t *testing.T) (address string) {
	t.Helper()
	folder := t.TempDir()
	address = freeAddress(t)
	put(t, filepath.Join(folder, "nginx.conf"), `worker_processes 1; events {} http {
		access_log off; client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
		server { listen `+address+`; default_type text/plain;
			location /private/ { return 200 "PRIVATE"; }
			location / { return 200 "public"; } } }`)
	cmd := exec.Command(daemon("nginx"), "-p", folder, "-e", "stderr", "-c", filepath.Join(folder, "nginx.conf"), "-g", "daemon off; pid nginx.pid;")
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		testenv.Missing(t, "nginx: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it ends by the signal
	})
	eventually(t, "nginx listens", func() bool { return listens(address) })
	return address
}

func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
