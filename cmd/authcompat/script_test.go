package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store"
)

// TestScripts runs the scripts of testdata/script, each in its own directory. Besides
// testscript's own commands they can use
//
//	refused ARGUMENT…  run authcompat, which has to refuse them and print nothing
//	mistake LINES ARGUMENT…  run authcompat, which has to exit with 2 and say why in so many lines at most
//	target VARIABLE KIND     start a server to replay exchanges at
//	exits CODE ARGUMENT…  run authcompat, which has to exit with the code
//	only NAME…         the working directory has these files and no others
//	register FILE NAME… make users in the SQLite database, with a token each
//	declare FILE NAME… declare endpoints in the SQLite database, as a server does
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"refused": scriptRefused, "mistake": scriptMistake, "exits": scriptExits, "target": scriptTarget, "only": scriptOnly, "declare": scriptDeclare, "register": scriptRegister,
		},
	})
}

func scriptRefused(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! refused")
	}
	err := ts.Exec("authcompat", args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != refusal(args) {
		ts.Fatalf("%v, want exit status %d", err, refusal(args))
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("printed %s", out)
	}
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: exits CODE ARGUMENT…")
	}
	code := 0
	err := ts.Exec("authcompat", args[1:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code, err = exit.ExitCode(), nil
	}
	if err != nil || strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit status %d, %v, want %s", code, err, args[0])
	}
}

func scriptOnly(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! only")
	}
	entries, err := os.ReadDir(ts.MkAbs("."))
	ts.Check(err)
	for _, entry := range entries {
		if !slices.Contains(args, entry.Name()) && entry.Name() != ".tmp" {
			ts.Fatalf("%s is left behind", entry.Name())
		}
	}
}

func scriptDeclare(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: declare FILE NAME…")
	}
	s, err := store.Open(context.Background(), "sqlite:"+ts.MkAbs(args[0]))
	ts.Check(err)
	at := func() time.Time { return time.Date(2026, 11, 30, 5, 0, 0, 0, time.UTC) }
	engine := core.New(core.Config{Backend: s.Backend, Clock: at})
	ts.Check(errors.Join(engine.DeclareEndpoints(context.Background(), args[1:]...), s.Close()))
}

func scriptRegister(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: register FILE NAME…")
	}
	s, err := store.Open(context.Background(), "sqlite:"+ts.MkAbs(args[0]))
	ts.Check(err)
	hasher, err := hashing.NewDjangoHasher(1)
	ts.Check(err)
	engine := core.New(core.Config{Backend: s.Backend, Hasher: hasher})
	for _, name := range args[1:] {
		_, err := engine.Register(context.Background(), core.Policy{Issuer: "snippit", Realm: core.DefaultRealm, TokenHex: 40}, core.Registration{Username: name, NoPassword: true})
		ts.Check(err)
	}
	ts.Check(s.Close())
}
