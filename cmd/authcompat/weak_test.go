package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWeakSettings checks that config check names each setting that takes a protection
// away, and no other.
func TestWeakSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	const (
		perUser    = " are hardly limited (1000000/1s): that is more than 10 times the default, 10/15m"
		trusting   = " trusts the X-Forwarded-For of nearly everybody: a client can name any address as its own, and no limit by address holds"
		management = " asks for no password, and is open to all who can reach this machine: listen at 127.0.0.1 or a private address, or keep others out with a firewall"
	)
	for name, test := range map[string]struct {
		text string
		args []string
		want []string
	}{
		"defaults": {},
		"no limits": {args: []string{"--limits", "off", "--limit-per-user", "1000000/1s"}, want: []string{
			"--limits: guesses at passwords are not limited (--limits off): for replays and load tests only"}},
		"limits": {args: []string{"--limit-per-user", "1000000/1s", "--limit-per-address", "1/1s", "--limit-registrations", "10001/1d"}, want: []string{
			"--limit-per-user: guesses at one user's password" + perUser,
			"--limit-registrations: registrations from one address are hardly limited (10001/1d): that is more than 10 times the default, 1000/15m"}},
		"limits of mails": {text: "mail: {limit_per_user: 51/1h, limit_per_recipient: 100/1h, limit_per_address: 9/1s}\n", want: []string{
			"c.yaml:2:24: mail.limit_per_user: mails to one user are hardly limited (51/1h): that is more than 10 times the default, 5/1h",
			"c.yaml:2:79: mail.limit_per_address: mails asked for from one address are hardly limited (9/1s): that is more than 10 times the default, 50/1h"}},
		"limits that are just strong": {args: []string{"--limit-per-user", "100/15m", "--limit-per-address", "1000/15m", "--limit-registrations", "10000/15m"}},
		"a rate": {args: []string{"--limit-per-user", "7/1m"}, want: []string{
			"--limit-per-user: guesses at one user's password are hardly limited (7/1m): that is more than 10 times the default, 10/15m"}},
		"limits of the file": {text: "login_limits: {per_user: 1000000/1s}\n", want: []string{"c.yaml:2:26: login_limits.per_user: guesses at one user's password" + perUser}},
		"proxies": {text: "trusted_proxies: [10.0.0.0/8, 128.0.0.0/1, 'fc00::/7', '::/0', 203.0.113.7]\n", want: []string{
			"c.yaml:2:31: trusted_proxies: 128.0.0.0/1" + trusting, "c.yaml:2:56: trusted_proxies: ::/0" + trusting}},
		"iterations": {args: []string{"--password-iterations", "99999"}, want: []string{
			"--password-iterations: new passwords are hashed with 99999 iterations only, so that a copy of the database gives them away: at least 100000 are advised"}},
		"management":            {args: []string{"--manage", "0.0.0.0:8081"}, want: []string{"--manage: the management listener at 0.0.0.0:8081" + management}},
		"management everywhere": {args: []string{"--manage", ":8081"}, want: []string{"--manage: the management listener at :8081" + management}},
		"public management":     {args: []string{"--manage", "203.0.113.7:8081"}, want: []string{"--manage: the management listener at 203.0.113.7:8081" + management}},
		"private management":    {args: []string{"--manage", "10.0.0.1:8081"}},
		"a console":             {args: []string{"--manage", "127.0.0.1:8081", "--console"}},
		"a console for others": {args: []string{"--manage", "10.0.0.1:8081", "--console"}, want: []string{
			"--console: the console at 10.0.0.1:8081 can be reached from other machines, and has no TLS: who listens in between learns the key, and sees what the console shows; listen at 127.0.0.1 and come by ssh -L or a proxy with TLS"}},
	} {
		t.Run(name, func(t *testing.T) {
			put(t, "c.yaml", "listeners: [{profile: snippit, address: '127.0.0.1:1'}]\n"+test.text)
			want := "profile snippit at 127.0.0.1:1\n"
			for _, line := range test.want {
				want += "warning: " + line + "\n"
			}
			got := command(t, "", append([]string{"config", "check", "c.yaml"}, test.args...)...)
			if diff := cmp.Diff(want+"the settings are good\n", got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWeakSettingsAreLogged checks that a server warns of them at its start, and at a
// reload.
func TestWeakSettingsAreLogged(t *testing.T) {
	t.Chdir(t.TempDir())
	settings := base(t)
	settings["manage"] = "0.0.0.0:0"
	delete(settings, "tls.cert_file")
	delete(settings, "tls.key_file")
	file(t, settings, "login_limits.per_user", "1000000/1s", "trusted_proxies", "[0.0.0.0/0]")
	p := startConfigured(t)
	logs(t, p, "guesses at one user's password are hardly limited", "0.0.0.0/0 trusts", "100 iterations only", "the management listener at 0.0.0.0:0 asks for no password")
	file(t, settings)
	calm := p.sighup(t, "reloaded settings")
	if strings.Contains(calm, "hardly limited") || strings.Contains(calm, "trusts") || !strings.Contains(calm, "100 iterations only") {
		t.Errorf("after a reload of stronger settings: %s", calm)
	}
	file(t, settings, "login_limits.per_address", "1000000/1s", "login_limits.enabled", "on")
	if log := p.sighup(t, "reloaded settings"); !strings.Contains(log, "guesses from one address are hardly limited") {
		t.Errorf("after a reload of weaker ones: %s", log)
	}
}
