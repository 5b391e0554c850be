package openapi_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/core/password/validation"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// tool returns a program of the folder into which make openapi installs tools that others write descriptions with.
func tool(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("AUTHCOMPAT_OPENAPI_TOOLS")
	if folder == "" {
		t.Skip("make openapi runs it, with tools from npm")
	}
	return filepath.Join(folder, "node_modules", ".bin", name)
}

// written writes the descriptions of all profiles, and returns their files.
func written(t *testing.T) []string {
	t.Helper()
	var files []string
	folder := t.TempDir()
	for _, name := range all() {
		_, text := document(t, name)
		file := filepath.Join(folder, name+".json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// run runs a tool, which has to succeed.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", filepath.Base(name), err, out)
	}
}

// TestTools has redocly and spectral find no errors, and types in TypeScript compile.
func TestTools(t *testing.T) {
	redocly, spectral, typescript, tsc := tool(t, "redocly"), tool(t, "spectral"), tool(t, "openapi-typescript"), tool(t, "tsc")
	files := written(t)
	run(t, redocly, append([]string{"lint", "--config", "tools/redocly.yaml"}, files...)...)
	run(t, spectral, append([]string{"lint", "-F", "error", "--ruleset", "tools/spectral.yaml"}, files...)...)
	var types []string
	for _, file := range files {
		types = append(types, strings.TrimSuffix(file, ".json")+".ts")
		run(t, typescript, file, "-o", types[len(types)-1])
	}
	run(t, tsc, append([]string{"--noEmit", "--strict"}, types...)...)

	// They notice what is wrong.
	bad := filepath.Join(t.TempDir(), "bad.json")
	text := []byte(`{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "servers": [{"url": "/"}], "paths": {"/a": {"get": {"responses": {"200": {}}}}}}`)
	if err := os.WriteFile(bad, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if exec.Command(redocly, "lint", "--config", "tools/redocly.yaml", bad).Run() == nil {
		t.Error("redocly finds nothing wrong with a response without a description")
	}
	if exec.Command(spectral, "lint", "-F", "error", "--ruleset", "tools/spectral.yaml", bad).Run() == nil {
		t.Error("spectral finds nothing wrong with a response without a description")
	}
}

// TestPrism has Prism compare all requests of the suite, and their responses, with the descriptions: no response is another than
// described. With a wrong pattern planted into a description it says so.
func TestPrism(t *testing.T) {
	prism := tool(t, "prism")
	checked := 0
	for _, name := range all() {
		p, exchanges := load(t, name)
		if exchanges == nil {
			continue
		}
		read, text := document(t, name)
		violations, n := compared(t, prism, p, exchanges, read, text)
		for _, v := range violations {
			t.Errorf("%s: %s", name, v)
		}
		t.Logf("%s: %d responses as described", name, n)
		checked += n
	}
	if checked < 200 {
		t.Errorf("only %d responses were compared", checked)
	}
	p, exchanges := load(t, "ocd-users")
	read, text := document(t, "ocd-users")
	wrong := bytes.ReplaceAll(text, []byte("[0-9a-f]{64}"), []byte("[0-9a-f]{65}"))
	if violations, _ := compared(t, prism, p, exchanges, read, wrong); len(violations) == 0 {
		t.Error("a wrong pattern is not noticed")
	}
}

// compared replays the exchanges at a server of the profile and shows each request with its response to Prism. It returns what is
// wrong with the responses, and how many were compared.
func compared(t *testing.T, prism string, p *profiles.Profile, exchanges *conformance.File, read *openapi3.T, text []byte) (violations []string, checked int) {
	t.Helper()
	var mu sync.Mutex
	var answer *httptest.ResponseRecorder // what the server behind Prism says
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("X-Answered", "yes")
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	defer behind.Close()
	at := started(t, prism, text, behind.URL)

	around := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			body, err := io.ReadAll(r.Body)
			if err != nil {
				next.ServeHTTP(w, r)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			answer = httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			if described(read, r) {
				checked++
				violations = append(violations, ask(t, at, r, body)...)
			}
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		})
	}
	var common []dialects.Option
	if len(p.Passwords.Validators) > 0 {
		list, err := validation.ReadCommon(strings.NewReader("password123\n"))
		if err != nil {
			t.Fatal(err)
		}
		common = append(common, dialects.WithCommonPasswords(list))
	}
	launcher := inprocess.NewLauncher([]*profiles.Profile{p}, store.NewTemps(""), common...)
	launcher.Around = around
	conformance.Run(t.Context(), []*conformance.File{exchanges}, launcher, conformance.Options{})
	return violations, checked
}

// described tells whether a description has the request's path and method.
func described(read *openapi3.T, r *http.Request) bool {
	if item := read.Paths.Value(r.URL.Path); item != nil {
		return item.GetOperation(r.Method) != nil
	}
	for path, item := range read.Paths.Map() {
		if regexp.MustCompile("^" + regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "[^/]+") + "$").MatchString(r.URL.Path) {
			return item.GetOperation(r.Method) != nil
		}
	}
	return false
}

// started starts Prism before a server and returns its URL.
func started(t *testing.T, prism string, text []byte, upstream string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "api.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(prism, "proxy", file, upstream, "--port", strconv.Itoa(port), "--cors=false", "--validate-request=false", "-v", "error")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return "http://" + address
		}
		if time.Now().After(deadline) {
			t.Fatal(cmp.Or(err, os.ErrDeadlineExceeded))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// ask sends a request to Prism and returns what it finds wrong with the response.
func ask(t *testing.T, at string, r *http.Request, body []byte) (violations []string) {
	t.Helper()
	if strings.Contains(r.Header.Get("Content-Type"), "json") && !json.Valid(body) {
		body = []byte("{}") // Prism reads nothing else, and the response is what is compared
	}
	again, err := http.NewRequest(r.Method, at+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return nil
	}
	again.Header = r.Header.Clone()
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Connection", "Expect", "Accept-Encoding"} {
		again.Header.Del(name)
	}
	response, err := http.DefaultTransport.RoundTrip(again)
	if err != nil {
		t.Errorf("%s %s: %v", r.Method, r.URL, err)
		return nil
	}
	defer response.Body.Close()
	got, _ := io.ReadAll(response.Body)
	if response.Header.Get("X-Answered") == "" {
		return []string{r.Method + " " + r.URL.String() + ": Prism itself answers " + response.Status + ": " + string(got)}
	}
	var found []struct {
		Location          []string
		Severity, Message string
	}
	if text := response.Header.Get("Sl-Violations"); text != "" {
		if err := json.Unmarshal([]byte(text), &found); err != nil {
			t.Error(err)
		}
	}
	for _, v := range found {
		if len(v.Location) > 0 && v.Location[0] == "response" {
			violations = append(violations, r.Method+" "+r.URL.String()+" "+response.Status+": "+strings.Join(v.Location, ".")+": "+v.Severity+": "+v.Message+": "+string(got))
		}
	}
	return violations
}
