package config

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// TestSettingsAreTheirFlags checks that each setting takes the value of its flag.
func TestSettingsAreTheirFlags(t *testing.T) {
	values := map[string]string{
		"on|off": "off", "duration": "7h", "rate": "3/1m", "int": "7", "bool": "true", "stringSlice": "10.0.0.0/8", "profile": "snippit",
	}
	for _, s := range slices.Concat(settings(), otherSettings()) {
		changed, defaults := withFlags(), withFlags()
		value := values[changed.flags.Lookup(s.flag).Value.Type()]
		switch s.flag {
		case "log-format":
			value = "json"
		case "log-requests":
			value = "all"
		case "tls-min-version":
			value = "1.0"
		case "smtp-encryption":
			value = "none"
		case "link-format":
			value = "2.2"
		case "tls-legacy-ciphers", "callers", "ask-tls", "console", "console-write":
			value = "on"
		}
		if value == "" {
			value = "other"
		}
		if err := changed.flags.Set(s.flag, value); err != nil {
			t.Fatal(err)
		}
		if s.equal(&changed.Config, &defaults.Config) {
			t.Errorf("--%s changes no value of %q", s.flag, s.key)
		}
		if s.copy(&changed.Config, &defaults.Config); !s.equal(&changed.Config, &defaults.Config) {
			t.Errorf("%q is not copied", s.key)
		}
	}
}

// TestFlagsAreSettings checks that each flag has a setting: a reload would lose any other.
func TestFlagsAreSettings(t *testing.T) {
	found := map[string]int{}
	for _, s := range slices.Concat(settings(), otherSettings()) {
		found[s.flag]++
	}
	withFlags().flags.VisitAll(func(f *pflag.Flag) {
		if found[f.Name] != 1 {
			t.Errorf("--%s is %d settings", f.Name, found[f.Name])
		}
	})
}

func withFlags() *Server {
	f := NewServer()
	f.AddFlags(pflag.NewFlagSet("", pflag.ContinueOnError))
	return f
}

func TestDiff(t *testing.T) {
	old, next := withFlags(), withFlags()
	if changes := next.Diff(&old.Config); changes != nil {
		t.Errorf("of the same: %v", changes)
	}
	next.Engine.Store, next.TrustedProxies, next.TLSKeyFile, next.listen = "sqlite:other.db", []string{"10.0.0.0/8"}, "key.pem", "127.0.0.1:1"
	type change struct {
		Key     string
		Restart bool
	}
	diff := func() (all []change) {
		for _, c := range next.Diff(&old.Config) {
			all = append(all, change{c.Key, c.Restart})
		}
		return all
	}
	want := []change{{"store", true}, {"trusted_proxies", false}, {"tls.key_file", false}}
	if d := cmp.Diff(want, diff()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	next.TLSCertFile = "cert.pem"
	want = []change{{"store", true}, {"trusted_proxies", false}, {"tls.cert_file", true}, {"tls.key_file", true}}
	if d := cmp.Diff(want, diff()); d != "" {
		t.Errorf("where TLS comes (-want +got):\n%s", d)
	}
}
