package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
)

// withVariable are the flags that a variable may set: where things are, how the program works and how it writes. Whatever
// they are set to, no command that changes something changes another thing for it.
var withVariable = strings.Fields(`
	config store map password-iterations secret-key-file common-passwords-file
	listen profile front manage console console-host ask ask-tls ask-identity callers-file pprof log-format log-requests
	limits limit-per-user limit-per-address limit-registrations trusted-proxy hash-concurrency hash-queue
	max-connections max-header-bytes max-header-fields tls-cert tls-key tls-min-version tls-legacy-ciphers
	expired-token-retention audit-retention callers callers-retention
	smtp-host smtp-port smtp-encryption smtp-username smtp-password-file smtp-from
	mail-templates mail-site-name mail-domain mail-limit-per-user mail-limit-per-recipient mail-limit-per-address
	django-secret-key-file django-time-zone link-format link-timeout
	json csv format report timeout live action failed limit by thresholds of
	exchanges given only fail-fast password password-stdin output
	user-table time-zone settings profile-out dry-run
	ask-ca-file application proxy-address lua-file lua
	resume drop-old`) // refused, because they are other commands now

// alone are the flags that are given on the command line alone: what names the users, tokens and servers that something
// is done to, describes what is made, or confirms what can't be undone. A variable that is set for one command must not
// reach another.
var alone = strings.Fields(`
	user all before address header clear from since inactive
	email attribute no-password logout
	force keep-tokens end-tokens delete-users token-table realm source-name console-write
	target upstream replay identity`)

// aloneIn are flags of single commands that are given on the command line alone, although a flag of that name is a
// setting elsewhere, which would say another thing here.
var aloneIn = map[string][]string{
	"authcompat audit purge":     {"audit-retention"},
	"authcompat token purge":     {"expired-token-retention"},
	"authcompat callers":         {"profile"},
	"authcompat conformance run": {"store"},
}

// TestVariables walks the flags of all commands: of each it has to be decided whether a variable may set it.
func TestVariables(t *testing.T) {
	seen := make(map[string]bool)
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if slices.Contains(strings.Fields("help version no-descriptions"), f.Name) { // cobra's own
				return
			}
			at := cmd.CommandPath() + " --" + f.Name
			may, mayNot := slices.Contains(withVariable, f.Name), slices.Contains(alone, f.Name)
			if slices.Contains(aloneIn[cmd.CommandPath()], f.Name) {
				seen[at] = true
				may, mayNot = false, true
			} else {
				seen[f.Name] = true
			}
			has := config.HasVariable(f)
			switch {
			case may == mayNot:
				t.Errorf("%s: say in this test whether a variable may set it: not if it names what is changed, or confirms a change", at)
			case may && !has:
				t.Errorf("%s has no variable, though one may set it", at)
			case mayNot && has && !isMoved(f):
				t.Errorf("%s can be set by %s: call config.WithoutVariables", at, config.Variable(f.Name))
			}
		})
		for _, below := range cmd.Commands() {
			walk(below)
		}
	}
	walk(newRoot(Streams{}))
	for _, name := range slices.Concat(withVariable, alone) {
		if !seen[name] {
			t.Errorf("no command has --%s any more", name)
		}
	}
	for path, names := range aloneIn {
		for _, name := range names {
			if !seen[path+" --"+name] {
				t.Errorf("%s has no --%s any more", path, name)
			}
		}
	}
}

// isMoved reports whether a flag is refused, because it is another command now.
func isMoved(f *pflag.Flag) bool {
	_, moved := f.Value.(config.Moved)
	return moved
}
