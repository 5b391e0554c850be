package main

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/term/termtest"
)

// echoes tells whether a terminal shows what is typed.
func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return settings.Lflag&unix.ECHO != 0
}

// wantEnd waits for the end of a command, which has to come within 20 s, and returns its
// exit code.
func wantEnd(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	late := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Wait() // its state says how it ended
	return cmd.ProcessState.ExitCode()
}

func TestPasswordPrompt(t *testing.T) {
	t.Parallel()
	const again = "Password (again): "
	tests := map[string]struct {
		typed  []string // at each prompt
		signal syscall.Signal
		code   int
		want   string
	}{
		"twice":                {typed: []string{"correct horsx\x7fe\n", "correct horse\n"}, want: "created user alice"},
		"two that differ":      {typed: []string{"correct horse\n", "x\n"}, code: 2, want: "authcompat: the two passwords differ\r\n"},
		"Ctrl-C":               {typed: []string{"correct\x03"}, code: 2, want: "authcompat: interrupted\r\n"},
		"Ctrl-C the 2nd time":  {typed: []string{"correct horse\n", "\x03"}, code: 2, want: "authcompat: interrupted\r\n"},
		`Ctrl-\`:               {typed: []string{"\x1c"}, code: 2, want: "authcompat: interrupted\r\n"},
		"SIGTERM":              {signal: syscall.SIGTERM, code: 2, want: "authcompat: interrupted\r\n"},
		"Ctrl-D":               {typed: []string{"\x04"}, code: 2, want: "authcompat: no password: the input has ended\r\n"},
		"Ctrl-D ends the line": {typed: []string{"correct horse\x04\x04", "correct horse\n"}, want: "created user alice"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			person, program := termtest.MustPTY(t)
			cmd := programCommand(t, "user", "create", "alice", "--store", database(t), "--password-iterations", "1000")
			cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill() }) // if it is still there
			var shown lockedBuffer
			go func() { _, _ = io.Copy(&shown, person) }() // until the terminal is closed
			for n, typed := range tt.typed {
				eventually(t, "a prompt", func() bool {
					text := shown.String()
					return !echoes(t, program) && strings.Contains(text, []string{"Password: ", again}[n])
				})
				if _, err := person.WriteString(typed); err != nil {
					t.Fatal(err)
				}
			}
			if tt.signal != 0 {
				eventually(t, "the prompt", func() bool { return strings.Contains(shown.String(), "Password: ") })
				if err := cmd.Process.Signal(tt.signal); err != nil {
					t.Fatal(err)
				}
			}
			if code := wantEnd(t, cmd); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			eventually(t, tt.want, func() bool { return strings.Contains(shown.String(), tt.want) })
			if !echoes(t, program) {
				t.Error("the terminal does not show any more what is typed")
			}
			if strings.Contains(shown.String(), "correct") {
				t.Errorf("the password is shown:\n%s", shown.String())
			}
		})
	}
}

// TestPasswordFromAnOpenPipe ends a command that waits for the password.
func TestPasswordFromAnOpenPipe(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"create", "bob"}, {"set-password", "alice"}} {
		t.Run(args[0], func(t *testing.T) {
			dsn := database(t)
			command(t, "", "user", "create", "alice", "--no-password", "--store", dsn)
			cmd := programCommand(t, "user", args[0], args[1], "--password-stdin", "--store", dsn)
			in, out := mustPipe(t)
			var said lockedBuffer
			cmd.Stdin, cmd.Stderr = in, &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill() }) // if it is still there
			if _, err := out.WriteString("half a line"); err != nil {
				t.Fatal(err)
			}
			eventually(t, "it reads", func() bool {
				n, err := unix.IoctlGetInt(int(in.Fd()), unix.TIOCINQ)
				return err == nil && n == 0
			})
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if code := wantEnd(t, cmd); code != 2 || said.String() != "authcompat: interrupted\n" {
				t.Errorf("exit code %d: %s", code, said.String())
			}
		})
	}
}
