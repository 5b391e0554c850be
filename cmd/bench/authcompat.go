//go:build linux

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// module is this module's path.
const module = "github.com/authcompat/authcompat"

// What the API that is measured looks like: one whose only protected path is a
// plain read, and whose tokens slide.
const (
	profile     = "snippit"
	loginPath   = "/api/auth/login/"
	logoutPath  = "/api/auth/logout/"
	accountPath = "/api/account/"
)

// build compiles authcompat as its Makefile does.
func build(ctx context.Context, folder string) (string, error) {
	binary := filepath.Join(folder, "authcompat")
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, module+"/cmd/authcompat")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build authcompat: %w: %s", err, out)
	}
	return binary, nil
}

// command is authcompat with these arguments, and no settings but those that a
// measurement needs.
func (b *bench) command(arguments ...string) *exec.Cmd {
	command := exec.Command(b.binary, arguments...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AUTHCOMPAT_") {
			command.Env = append(command.Env, variable)
		}
	}
	command.Env = append(command.Env,
		"AUTHCOMPAT_LIMITS=off", // thousands of logins come from one address
		"AUTHCOMPAT_MANAGE=",
		"AUTHCOMPAT_SECRET_KEY="+base64.StdEncoding.EncodeToString(make([]byte, 32)))
	return command
}

// serve starts a server on a database and waits until it listens.
func (b *bench) serve(ctx context.Context, dsn, profile string, flags ...string) (*process.Server, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	arguments := append([]string{"serve", "--store", dsn, "--profile", profile, "--listen", address}, flags...)
	p, err := process.Start(address, b.command(arguments...))
	if err != nil {
		return nil, err
	}
	if err := p.Listening(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// password is that of every user.
const password = "correct horse battery staple"

// createUser makes a user, and the database if there is none.
func (b *bench) createUser(dsn, name string, flags ...string) error {
	arguments := append([]string{"user", "create", name, "--store", dsn, "--password-stdin"}, flags...)
	command := b.command(arguments...)
	command.Stdin = strings.NewReader(password + "\n")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("create user: %w: %s", err, out)
	}
	return nil
}

// loginBody is what a user sends to log in.
func loginBody(name string) string {
	return fmt.Sprintf(`{"username": %q, "password": %q}`, name, password)
}

// login gives a token for the user, under the key that the reply has it under.
func login(address, path, key, name string) (string, error) {
	raw, err := exchange(address, post(address, path, "", loginBody(name)))
	if err != nil {
		return "", err
	}
	return tokenIn(raw, key)
}

// tokenIn finds the token in the reply to a login.
func tokenIn(raw []byte, key string) (string, error) {
	first, _, _ := strings.Cut(string(raw), "\r\n")
	_, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	var fields map[string]any
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		return "", fmt.Errorf("login: %s: %w", first, err)
	}
	token, ok := fields[key].(string)
	if !ok {
		return "", fmt.Errorf("login: %s", first)
	}
	return token, nil
}
