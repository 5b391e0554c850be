package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runCommand runs a command of the program, and returns its standard output, its standard
// error and its exit code.
func runCommand(t *testing.T, args ...string) (out, said string, code int) {
	t.Helper()
	cmd := programCommand(t, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// mustMakeDjango makes a small Django database.
func mustMakeDjango(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`
		CREATE TABLE accounts_member (id integer PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL, last_login datetime NULL,
			email varchar(254) NOT NULL UNIQUE, enabled bool NOT NULL, city varchar(50) NOT NULL);
		CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL UNIQUE REFERENCES accounts_member (id));
		INSERT INTO accounts_member VALUES (5, 'pbkdf2_sha256$1000$seasalt2$oksQ9Bdi8Bce0okH61Cis7qICJfP+cYfDOnMdNPMzK8=', NULL, 'ann@example.org', 1, 'Köln'),
			(6, '!', NULL, 'bob@example.org', 0, ''), (7, 'crypt$$ab', NULL, '', 1, '');
		INSERT INTO authtoken_token VALUES ('32a0156c7f3ec34c57879b4ce65814cde820b40a', '2026-01-02 03:04:05', 5);`); err != nil {
		t.Fatal(err)
	}
}

func TestMoveInAndOut(t *testing.T) {
	folder := t.TempDir()
	source, mapping := filepath.Join(folder, "old.sqlite3"), filepath.Join(folder, "map.yaml")
	store, report := "sqlite:"+filepath.Join(folder, "new.db"), filepath.Join(folder, "report.json")
	mustMakeDjango(t, source)
	if err := os.WriteFile(mapping, []byte("active: enabled\nattributes: {location: city}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name string
		args []string
		want []string
		none []string
	}{
		{"inspect", []string{"inspect", source, "--map", mapping}, []string{
			"Users: 3 in accounts_member, 2 active\n", "username from column email", "attributes from city\n",
			"1  pbkdf2_sha256   works\n", "authtoken_token (Django REST framework's authtoken): 1, of which 1 live",
			"accounts_member id 7: it has no username", "  tokens: {hex: 40, ttl: never, per_user: one}\n  usernames: {email: true}\n",
		}, []string{"oksQ9", "32a0156c"}},
		{"dry run", []string{"import", "django", source, "--map", mapping, "--store", store, "--profile", "authtokens", "--dry-run"}, []string{
			"Dry run: nothing was written.", "users: 3 read, 2 added, 1 refused\n", "tokens of authtoken_token: 1 read, 1 added\n",
		}, nil},
		{"dry run of what is new", []string{"import", "django", source, "--map", mapping, "--store", store, "--profile", "authtokens", "--dry-run", "--since", "12h"}, []string{
			"users: 3 read, 0 added\ntokens of authtoken_token: 1 read, 0 added\n",
		}, nil},
		{"import", []string{"import", "django", source, "--map", mapping, "--store", store, "--profile", "authtokens", "--report", report}, []string{
			"Imported from sqlite:", "users: 3 read, 2 added, 1 refused\n", "tokens of authtoken_token: 1 read, 1 added\n",
		}, []string{"oksQ9", "32a0156c"}},
		{"again", []string{"import", "django", source, "--map", mapping, "--store", store, "--profile", "authtokens"}, []string{
			"users: 3 read, 0 added, 2 unchanged, 1 refused\n", "tokens of authtoken_token: 1 read, 0 added, 1 unchanged\n",
		}, nil},
		{"export", []string{"export", "django", source, "--map", mapping, "--store", store}, []string{
			"users: 2 read, 0 added, 2 unchanged\ntokens: 1 read, 0 added, 1 unchanged\n",
		}, nil},
		{"dump", []string{"export", "django", filepath.Join(folder, "users.json"), "--store", store}, []string{"users: 2 read, 2 added\ntokens: 1 read, 1 added\n"}, nil},
		{"delete a user", []string{"user", "delete", "ann@example.org", "--store", store}, nil, nil},
		{"export without the user", []string{"export", "django", source, "--map", mapping, "--store", store}, []string{
			"users: 1 read, 0 added, 1 unchanged\ntokens: 0 read, 0 added\n1 token that was ended here was removed there\n" +
				"1 user who was deleted here is still there (--delete-users deletes them, unless they have changed since)\n" +
				"rows to look at:\n  user 5: was deleted here, and is still there (key 5): it is deleted only if asked for\n",
		}, nil},
		{"export of the deletion", []string{"export", "django", source, "--map", mapping, "--store", store, "--delete-users"}, []string{"1 user who was deleted here was deleted there\n"}, []string{"rows to look at"}},
		{"export after it", []string{"export", "django", source, "--map", mapping, "--store", store}, []string{"users: 1 read, 0 added, 1 unchanged\n"}, []string{"deleted"}},
	}
	for _, step := range steps {
		out, said, code := runCommand(t, step.args...)
		if refused := strings.Contains(out, " refused, and did not come over"); said != "" || refused != (code == 1) {
			t.Fatalf("%s: exit code %d\n%s%s", step.name, code, out, said)
		}
		for _, want := range step.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is missing in:\n%s", step.name, want, out)
			}
		}
		for _, secret := range step.none {
			if strings.Contains(out, secret) {
				t.Errorf("%s: a secret is shown:\n%s", step.name, out)
			}
		}
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Users    struct{ Added, Refused int }
		Problems []struct{ Row, Reason string }
	}
	if err := json.Unmarshal(text, &found); err != nil || found.Users.Added != 2 || found.Users.Refused != 1 {
		t.Errorf("report: %v\n%s", err, text)
	}
}

func TestMovingErrors(t *testing.T) {
	folder := t.TempDir()
	empty, text := filepath.Join(folder, "empty"), filepath.Join(folder, "text")
	for path, content := range map[string]string{empty: "", text: "secret words"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"inspect", filepath.Join(folder, "missing")}, "there is no such file: a source is"},
		{[]string{"inspect", empty}, "is empty"},
		{[]string{"inspect", text}, "it is neither a SQLite database nor the JSON list that dumpdata writes"},
		{[]string{"inspect", folder}, "is a directory"},
		{[]string{"inspect", "oracle://ann:secret@db/x"}, `unknown kind of source "oracle"`},
		{[]string{"inspect", "mysql://ann:secret@127.0.0.1:1/x"}, "connection refused"},
		{[]string{"inspect", "postgres://ann:secret@127.0.0.1:1/x"}, "connection refused"},
		{[]string{"import", "django", text, "--since", "yesterday"}, `--since: "yesterday": want an age such as 7d`},
		{[]string{"import", "django", text, "--time-zone", "Here"}, "--time-zone"},
		{[]string{"import", "django", text, "--profile", "nothing"}, "nothing"},
		{[]string{"export", "django", text, "--store", "sqlite:" + filepath.Join(folder, "missing")}, "there is no such database"},
		{[]string{"export", "django", filepath.Join(folder, "users.json"), "--delete-users"}, "--delete-users: a dump has only who is here, and loaddata deletes nobody"},
	}
	for _, test := range tests {
		said := refused(t, "", test.args...)
		if !strings.Contains(said, test.want) || strings.Count(said, "\n") != 1 || strings.Contains(said, "secret") {
			t.Errorf("%v: %s", test.args, said)
		}
	}
}

// TestMovingSays checks what an operator is told if something is missing, uncertain
// or refused.
func TestMovingSays(t *testing.T) {
	folder := t.TempDir()
	source, target := filepath.Join(folder, "old's.sqlite3"), "sqlite:"+filepath.Join(folder, "new.db")
	mustMakeDjango(t, source)
	db, err := sql.Open("sqlite", source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`ALTER TABLE accounts_member ADD COLUMN totp_secret varchar(32) NOT NULL DEFAULT 'JBSWY3DP'`); err != nil {
		t.Fatal(err)
	}
	attempt := func(wantErr, want string, args ...string) {
		t.Helper()
		out, said, code := runCommand(t, args...)
		if !strings.Contains(said, wantErr) || (code == 0) != (wantErr == "") {
			t.Errorf("%v: exit code %d, %s, want %q", args, code, said, wantErr)
		}
		if !strings.Contains(out, want) || strings.Contains(out, "JBSWY3DP") {
			t.Errorf("%v: %q is missing in, or a secret shown in:\n%s", args, want, out)
		}
	}
	attempt("--profile NAME|FILE", "", "import", "django", source, "--store", target)
	attempt("--profile NAME|FILE", "", "import", "django", source, "--store", target, "--dry-run")
	attempt("", "columns that look like secrets: totp_secret", "inspect", source)
	attempt("", `Next: authcompat import django '`+strings.ReplaceAll(source, "'", `'\''`)+`' --token-table authtoken_token --time-zone Europe/Berlin --profile NAME|FILE --dry-run`,
		"inspect", source, "--token-table", "authtoken_token", "--time-zone", "Europe/Berlin")
	attempt("", `"columns_left_behind": [`, "inspect", source, "--json")
	// A refused row shows in the last line and in the exit code.
	for _, run := range [][]string{{"--dry-run"}, nil} {
		out, said, code := runCommand(t, append([]string{"import", "django", source, "--store", target, "--profile", "authtokens"}, run...)...)
		if code != 1 || said != "" || !strings.HasSuffix(out, "\n1 row was refused, and did not come over\n") {
			t.Errorf("%v: exit code %d\n%s%s", run, code, out, said)
		}
	}
}

// TestDryRunMakesNothing runs a dry import on databases that are not there, or empty.
func TestDryRunMakesNothing(t *testing.T) {
	folder := t.TempDir()
	source, missing, empty := filepath.Join(folder, "old.sqlite3"), filepath.Join(folder, "missing.db"), filepath.Join(folder, "empty.db")
	mustMakeDjango(t, source)
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{missing, empty} {
		out, said, code := runCommand(t, "import", "django", source, "--store", "sqlite:"+path, "--profile", "authtokens", "--dry-run")
		if code != 1 || !strings.Contains(out, "users: 3 read, 2 added, 1 refused\n") {
			t.Errorf("exit code %d\n%s%s", code, out, said)
		}
	}
	if info, err := os.Stat(empty); err != nil || info.Size() != 0 {
		t.Errorf("the empty file: %v, %v", info, err)
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*.db*")); err != nil || len(left) != 1 {
		t.Errorf("files %q, %v", left, err)
	}
}
