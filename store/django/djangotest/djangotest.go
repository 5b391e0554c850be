// Package djangotest lets tests query genuine Django and Django REST framework, as
// packaged by Debian (python3-django, python3-djangorestframework).
package djangotest

import (
	"embed"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/authcompat/authcompat/core/pythontest"
	"github.com/authcompat/authcompat/core/testenv"
)

//go:embed testdata/*.py
var project embed.FS

// python is Debian's interpreter, which finds Debian's packages.
const python = "/usr/bin/python3"

// Django is a Django project on a database, in a process of its own.
type Django struct {
	tb  testing.TB
	ask func(question, answer any)
}

// Start starts a project whose database is a SQLite file (an absolute path) or "HOST
// PORT NAME USER" for PostgreSQL, with its tables created. If Django is not installed
// the test is skipped, except in CI (the variable CI is set), where it fails.
func Start(tb testing.TB, database string) *Django {
	tb.Helper()
	if err := exec.Command(python, "-c", "import django, rest_framework").Run(); err != nil {
		testenv.Missing(tb, "needs Debian's python3-django and python3-djangorestframework: %v", err)
	}
	folder := tb.TempDir()
	for _, name := range []string{"settings.py", "hashers.py", "oracle.py"} {
		text, err := project.ReadFile("testdata/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o600)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	cmd := exec.Command(python, "-W", "ignore", filepath.Join(folder, "oracle.py"))
	cmd.Env = append(os.Environ(), "DATABASE="+database, "PYTHONDONTWRITEBYTECODE=1")
	d := &Django{tb: tb, ask: pythontest.Converse(tb, cmd)}
	d.Ask(nil, "migrate")
	return d
}

// Ask runs a command of oracle.py and decodes its result.
func (d *Django) Ask(result any, command string, arguments ...any) {
	d.tb.Helper()
	d.ask(append([]any{command}, arguments...), result)
}

// Made is a user created by Make.
type Made struct{ Username, Password, Token string }

// Make creates number users with passwords of every format, each with a token.
func (d *Django) Make(number int) (made []Made) {
	d.tb.Helper()
	d.Ask(&made, "make", number)
	return made
}

// Login logs in at Django and returns the token, or "" if the login is refused.
func (d *Django) Login(username, password string) string {
	d.tb.Helper()
	var token *string
	d.Ask(&token, "login", username, password)
	if token == nil {
		return ""
	}
	return *token
}

// WrongPasswords returns the usernames whose passwords are refused.
func (d *Django) WrongPasswords(pairs [][2]string) (names []string) {
	d.tb.Helper()
	d.Ask(&names, "passwords", pairs)
	return names
}

// Users returns the user that each token authenticates, or "" if it is refused.
func (d *Django) Users(tokens []string) []string {
	d.tb.Helper()
	var found []*string
	d.Ask(&found, "tokens", tokens)
	names := make([]string, len(tokens))
	for i, name := range found {
		if name != nil {
			names[i] = *name
		}
	}
	return names
}
