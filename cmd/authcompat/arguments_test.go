package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWrongArguments gives commands too few, too many or unknown arguments and flags, and
// files that are missing or of another kind. Each message says what is wanted, and none
// shows an argument that may be a password.
func TestWrongArguments(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	dsn := "sqlite:" + in("a.db")
	command(t, "", "user", "create", "ann", "--no-password", "--store", dsn)
	command(t, "", "backup", in("good.db"), "--store", dsn)
	if err := os.WriteFile(in("text"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	const noKey = "--secret-key-file: %/a.db: sealing key 1 has 4 bytes: want 32 bytes in base64"
	const noKeyFile = "--secret-key-file: sealing keys: read %: is a directory"
	const noDatabase = `database "%/text": it is not a SQLite database: read schema: file is not a database (26)`
	for _, test := range []struct{ args, want string }{
		{"nonsense", `"nonsense" is no command of authcompat: want audit, backup, callers, completion, config, conformance, cutover, explore, export, front, import, inspect, limits, profile, ready, restore, schema, secret, serve, shadow, token, user, version`},
		{"limits nonsense", `"nonsense" is no command of authcompat limits: want clear`},
		{"audit nonsense", `"nonsense" is no command of authcompat audit: want purge; --user gives a user`},
		{"user create ann PASSWORD", "2 arguments given: want authcompat user create NAME [flags]"},
		{"user create -pPASSWORD", "-p: authcompat user create has no such flag (--help shows those it has) (a name that begins with a dash goes after --: authcompat user create -- NAME)"},
		{"user create ann --=PASSWORD", "a flag without a name: want --NAME VALUE or --NAME=VALUE"},
		{"user create ann --no-password --password-stdin", "--password-stdin and --no-password: want one of them, not both"},
		{"user create ann --password-stdin=PASSWORD", "--password-stdin: want true or false"},

		{"backup", "FILE is missing: want authcompat backup FILE [flags]"},
		{"backup a b", "2 arguments given: want authcompat backup FILE [flags]"},
		{"backup EMPTY", "argument 1 is empty: want authcompat backup FILE [flags]"},
		{"backup x --nope=PASSWORD", "--nope: authcompat backup has no such flag (--help shows those it has)"},
		{"backup x --map y", "--map: authcompat backup has no such flag (--help shows those it has)"},
		{"backup x --store", "--store: a value is missing: database: sqlite:PATH or postgres://USER@HOST/DATABASE, which may have a password"},
		{"backup % STORE", `"%": it is a directory`},
		{"backup %/text --force STORE", `"%/text": it is no earlier backup, and is not replaced: it is no SQLite database; give another name`},
		{"backup %/x --store sqlite:%/text", noDatabase},
		{"backup %/x --secret-key-file %/a.db STORE", noKey},
		{"backup %/x --secret-key-file % STORE", noKeyFile},

		{"restore", "FILE is missing: want authcompat restore FILE [flags]"},
		{"restore %/nofile STORE", `backup "%/nofile": no such file or directory`},
		{"restore % STORE", `backup "%": it is a directory`},
		{"restore %/text STORE", `backup "%/text": it is not a SQLite database: file is not a database (26)`},
		{"restore x --map", "--map: authcompat restore has no such flag (--help shows those it has)"},
		{"restore %/good.db --secret-key-file %/a.db STORE", noKey},
		{"restore %/good.db --secret-key-file % STORE", noKeyFile},

		{"limits clear", "which failed logins? Give --user NAME, or --address ADDRESS"},
		{"limits clear --user EMPTY", "which failed logins? Give --user NAME, or --address ADDRESS"},
		{"limits clear --user", "--user: a value is missing: username, whether it exists or not"},
		{"limits clear ann", "1 argument given: want authcompat limits clear {--user NAME | --address ADDRESS} [flags]"},
		{"limits clear --address nope", `--address "nope": want an IP address such as 192.0.2.7`},
		{"limits clear --user bob --secret-key-file %/text STORE", "--secret-key-file: %/text: sealing key 1 is not base64: want 32 bytes in base64"},

		{"token revoke", "which tokens? Give their ids, or --user NAME, or --all"},
		{"token revoke --all --before yesterday", `--before "yesterday": want a time such as 2026-11-22T06:00:00Z, or a date such as 2026-11-22 (UTC)`},
		{"token revoke --al", "--al: authcompat token revoke has no such flag (--help shows those it has); did you mean --all?"},

		{"cutover nonsense", `"nonsense" is no command of authcompat cutover: want rollback, set, status`},
		{"cutover status x", "1 argument given: want authcompat cutover status [flags]"},
		{"cutover rollback login", "1 argument given: want authcompat cutover rollback [flags]"},
		{"cutover set", "ENDPOINT is missing: want authcompat cutover set ENDPOINT[=SHARE]… [flags]"},
		{"cutover set login --user EMPTY", "--user: want a username, it is empty"},
		{"cutover set login --header PASSWORD:", "--header: the value is empty: want 'NAME: VALUE', or 'NAME' for any value"},
		{"cutover set login --header Host:PASSWORD", "--header: requests can't be selected by Host: it is about the connection, or taken out of the headers before they are compared"},
		{"cutover status --store sqlite:%/text", noDatabase},

		{"config check %/text", "%/text:1:1: want a map"},

		{"callers alice", "1 argument given: want authcompat callers [flags]"},
		{"callers --by name", `--by: "name": want one of endpoint, user, client, agent, all`},
		{"callers --since long", `--since: "long": want an age such as 7d, 12h or 15m, at most 36500d, or a time such as 2026-11-22T06:00:00Z or 2026-11-22 (UTC)`},
		{"callers --since -1h", `--since: "-1h": want an age such as 7d, 12h or 15m, at most 36500d, or a time such as 2026-11-22T06:00:00Z or 2026-11-22 (UTC)`},
		{"callers --store sqlite:%/nofile", "sqlite:%/nofile: there is no such database (serve, user create and import make one)"},

		{"audit purge x", "1 argument given: want authcompat audit purge [flags]"},
		{"audit --store sqlite:%/text", noDatabase},
	} {
		args := strings.Fields(strings.NewReplacer("%", folder, "STORE", "--store "+dsn).Replace(test.args))
		for i, arg := range args {
			if arg == "EMPTY" {
				args[i] = ""
			}
		}
		want := strings.ReplaceAll(test.want, "%", folder) + "\n"
		if !strings.Contains(want, "text:1:1: ") { // a position stands at the beginning of its line
			want = "authcompat: " + want
		}
		if diff := cmp.Diff(want, refused(t, "", args...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.args, diff)
		}
	}
	if _, err := os.Stat(in("x")); err == nil {
		t.Error("a backup was made all the same")
	}
	// Without its keys, a database can be backed up and restored all the same.
	for _, args := range [][]string{{"backup", in("kept.db")}, {"restore", in("good.db")}} {
		out, err := programCommand(t, append(args, "--store", dsn, "--secret-key-file", in("nofile"))...).CombinedOutput()
		if warning := "--secret-key-file: the file of the sealing keys is missing: open " + in("nofile") + ": no such file or directory\n"; err != nil || !strings.HasPrefix(string(out), warning) {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
}

// TestWrongShares gives cutover set shares and endpoints that are none.
func TestWrongShares(t *testing.T) {
	t.Parallel()
	const undeclared = "no server has declared an endpoint that can be switched: give a listener's front new: or switch:, and start it (docs/front.md)"
	dsn := database(t)
	command(t, "", "user", "create", "ann", "--no-password", "--store", dsn)
	for _, test := range []struct{ args, want string }{
		{"cutover set login", "what is to change at login? Give a share (login=10%), --user, --header or --clear"},
		{"cutover set login=101%", `login=101%: "101%" is no share: want 0% to 100%, with two decimals at most`},
		{"cutover set login=-1", `login=-1: "-1" is no share: want 0% to 100%, with two decimals at most`},
		{"cutover set login=", `login=: "" is no share: want 0% to 100%, with two decimals at most`},
		{"cutover set =10%", "=10%: want ENDPOINT=SHARE, such as login=10%"},
		{"cutover set login=10% login=20%", "login is given twice: want it once"},
		{"cutover set login=10% login --clear", "login is given twice: want it once"},
		{"cutover set all=10% login=20%", "all stands for every endpoint: want it alone"},
		{"cutover set login --share 10%", "--share: authcompat cutover set has no such flag (--help shows those it has)"},
		{"cutover set login=10% --store DSN", undeclared},
	} {
		args := strings.Fields(strings.ReplaceAll(test.args, "DSN", dsn))
		if diff := cmp.Diff("authcompat: "+test.want+"\n", refused(t, "", args...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.args, diff)
		}
	}
}

// TestTargetsAreNotShown gives URLs with a password, in forms that can be read and others:
// nothing runs, and no output has it.
func TestTargetsAreNotShown(t *testing.T) {
	const want = "authcompat: --target: want [NAME=]http://HOST or [NAME=]https://HOST, without user, query and fragment\n"
	for _, args := range [][]string{
		{"--profile", "snippit", "--target", "http://ann:PASSWORD@127.0.0.1:1"},
		{"--profile", "snippit", "--target", "snippit=ftp://ann:PASSWORD@h"},
		{"--profile", "snippit", "--target", "knox-auth=http://ann:PASSWORD@h", "--format", "json"},
		{"--profile", "all", "--target", "http://127.0.0.1:1/?token=PASSWORD"},
		{"--profile", "snippit", "--target", "http://ann:PASSWORD@["},
	} {
		want := want
		if slices.Contains(args, "json") {
			want = `{"error":"` + strings.TrimSuffix(strings.TrimPrefix(want, "authcompat: "), "\n") + `","exit_code":2}` + "\n"
		}
		if out, said, code := runCommand(t, append([]string{"conformance", "run"}, args...)...); out != "" || said != want || code != 2 {
			t.Errorf("%s: exit code %d\n%s%s", args, code, out, said)
		}
	}
}
