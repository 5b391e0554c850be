package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// scriptTarget starts a server, until the script ends, and puts its URL into a variable, and its HOST:PORT
// into that with _ADDRESS behind its name. A server of a
// profile has the user alice with the password "correct horse".
func scriptTarget(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: target VARIABLE PROFILE|page|elsewhere|hanging|silent|dead")
	}
	defer func() { ts.Setenv(args[0]+"_ADDRESS", strings.TrimPrefix(ts.Getenv(args[0]), "http://")) }()
	handlers := map[string]http.HandlerFunc{
		"page": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!doctype html><p>Welcome") },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://old.example.com"+r.URL.Path, http.StatusMovedPermanently)
		},
		"hanging": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the client has gone
			<-r.Context().Done()
		},
	}
	handler, isHandler := handlers[args[1]]
	switch {
	case args[1] == "dead" || args[1] == "silent":
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ts.Setenv(args[0], "http://"+listener.Addr().String())
		if args[1] == "dead" {
			ts.Check(listener.Close())
			return
		}
		ts.Defer(func() { listener.Close() })
		go func() {
			for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
				conn.Close()
			}
		}()
	case isHandler:
		server := httptest.NewServer(handler)
		ts.Defer(server.Close)
		ts.Setenv(args[0], server.URL)
	default:
		p, err := profiles.Load(args[1])
		ts.Check(err)
		server, err := inprocess.NewLauncher([]*profiles.Profile{p}, store.NewTemps("")).Launch(context.Background(), p.Name)
		ts.Check(err)
		ts.Defer(func() { _ = server.Close() })
		ts.Check(server.State.CreateUser(context.Background(), conformance.User{Username: "alice", Password: "correct horse"}))
		ts.Setenv(args[0], server.URL)
	}
}

// scriptMistake runs authcompat, which has to say in so many lines at most what is wrong, print nothing
// and exit with 2.
// saysWhere matches what an error begins with: the name of the program, or a position in a file.
var saysWhere = regexp.MustCompile(`^(authcompat: |[^ ]+:[0-9]+:[0-9]+: )`)

func scriptMistake(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mistake LINES ARGUMENT…")
	}
	most, err := strconv.Atoi(args[0])
	ts.Check(err)
	var exit *exec.ExitError
	if err := ts.Exec("authcompat", args[1:]...); !errors.As(err, &exit) || exit.ExitCode() != 2 {
		ts.Fatalf("%v, want exit status 2", err)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("printed %s", out)
	}
	said := ts.ReadFile("stderr")
	if n := strings.Count(said, "\n"); n == 0 || n > most || !saysWhere.MatchString(said) {
		ts.Fatalf("%d lines: %s", n, said)
	}
}
