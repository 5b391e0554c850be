package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// misspelt sets variables that are nearly those of settings. Their value may be a secret.
func misspelt(t *testing.T) {
	t.Helper()
	for _, name := range []string{"LIMITS_PER_USER", "TRUSTED_PROXIES", "SECRETKEY", "SOMETHING_ELSE", "USER"} {
		t.Setenv("AUTHCOMPAT_"+name, "s3cret")
	}
	t.Setenv("AUTHCOMPAT_NOTHING", "")
	t.Setenv("AUTHCOMPAT_LIMIT", "10") // of audit
	// Kubernetes sets these for services of such names.
	t.Setenv("AUTHCOMPAT_PORT", "tcp://10.0.0.7:8000")
	t.Setenv("AUTHCOMPAT_SERVICE_HOST", "10.0.0.7")
	t.Setenv("AUTHCOMPAT_DB_SERVICE_PORT_HTTP", "8000")
	t.Setenv("AUTHCOMPAT_PORT_8000_TCP_ADDR", "10.0.0.7")
}

const unknownVariables = `AUTHCOMPAT_LIMITS_PER_USER: there is no such setting, and it is ignored; did you mean AUTHCOMPAT_LIMIT_PER_USER?
AUTHCOMPAT_SECRETKEY: there is no such setting, and it is ignored; did you mean AUTHCOMPAT_SECRET_KEY?
AUTHCOMPAT_SOMETHING_ELSE: there is no such setting, and it is ignored
AUTHCOMPAT_TRUSTED_PROXIES: there is no such setting, and it is ignored; did you mean AUTHCOMPAT_TRUSTED_PROXY?
AUTHCOMPAT_USER: it is ignored: --user is given on the command line alone
`

// TestUnknownVariables checks that a variable that no command reads is an error of config
// check, and that other commands warn of it, without its value.
func TestUnknownVariables(t *testing.T) {
	misspelt(t)
	if diff := cmp.Diff("authcompat: "+unknownVariables, refused(t, "", "config", "check", "--profile", "snippit")); diff != "" {
		t.Errorf("config check (-want +got):\n%s", diff)
	}
	dsn := database(t)
	cmd := programCommand(t, "user", "create", "ann", "--no-password", "--store", dsn)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if out, err := cmd.Output(); err != nil {
		t.Fatalf("%v: %s%s", err, out, stderr.String())
	}
	want := "authcompat: warning: " + strings.ReplaceAll(strings.TrimSpace(unknownVariables), "\n", "\nauthcompat: warning: ") + "\n"
	if diff := cmp.Diff(want, stderr.String()); diff != "" {
		t.Errorf("user create (-want +got):\n%s", diff)
	}
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", dsn)...)
	logs(t, p, `this environment variable is ignored","variable":"AUTHCOMPAT_SECRETKEY","did_you_mean":"AUTHCOMPAT_SECRET_KEY"`, `"AUTHCOMPAT_TRUSTED_PROXIES"`, `"AUTHCOMPAT_SOMETHING_ELSE"`, `"variable":"AUTHCOMPAT_USER","flag":"--user"`)
	p.end(t) // its log is whole
	for _, never := range []string{"s3cret", "AUTHCOMPAT_NOTHING", `"AUTHCOMPAT_LIMIT"`, "AUTHCOMPAT_PORT", "SERVICE", "AUTHCOMPAT_TEST"} {
		if log := p.log.String(); strings.Contains(log, never) {
			t.Errorf("%s is in the log: %s", never, log)
		}
	}
}

// TestPrintedKeyFile checks that config print says when a key file is not read.
func TestPrintedKeyFile(t *testing.T) {
	t.Setenv("AUTHCOMPAT_SECRET_KEY_FILE", "auth.key")
	const inFile = "secret_key_file: auth.key # AUTHCOMPAT_SECRET_KEY_FILE"
	if out := command(t, "", "config", "print"); !strings.Contains(out, inFile+"\n") {
		t.Error(out)
	}
	t.Setenv("AUTHCOMPAT_SECRET_KEY", "s3cret")
	if out := command(t, "", "config", "print"); !strings.Contains(out, inFile+"; not read, because AUTHCOMPAT_SECRET_KEY has the keys\n") || strings.Contains(out, "s3cret") {
		t.Error(out)
	}
}
