package config

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"
)

// formerKeys maps each former key of the configuration file to its name today.
func formerKeys() map[string]string {
	return map[string]string{
		"keep_expired":        "expired_token_retention",
		"keep_audit":          "audit_retention",
		"limits.guessing":     "login_limits.enabled",
		"limits.account":      "login_limits.per_user",
		"limits.address":      "login_limits.per_address",
		"limits.hash_threads": "hashing.concurrency",
		"limits.hash_queue":   "hashing.queue",
		"tls.certificate":     "tls.cert_file",
		"tls.key":             "tls.key_file",
	}
}

// formerFlags maps each former flag to its name today.
func formerFlags() map[string]string {
	return map[string]string{
		"keep-expired":  "expired-token-retention",
		"keep-audit":    "audit-retention",
		"limit-account": "limit-per-user",
		"limit-address": "limit-per-address",
		"hash-threads":  "hash-concurrency",
		"act":           "action",
	}
}

// Moved is the value of a hidden flag that is another command now, of which it tells.
type Moved string

// String implements [pflag.Value].
func (Moved) String() string { return "" }

// Set implements [pflag.Value]: it fails.
func (m Moved) Set(string) error { return errors.New(string(m)) }

// Type implements [pflag.Value].
func (Moved) Type() string { return "bool" }

// AddMoved adds hidden flags that are other commands now. Their variables are refused too.
func AddMoved(flags *pflag.FlagSet, says Moved, names ...string) {
	for _, name := range names {
		f := flags.VarPF(says, name, "", "")
		f.NoOptDefVal, f.Hidden = "true", true
	}
}

// checkFormerVariable refuses the variable of a flag's former name, which would otherwise
// be ignored. It is allowed beside the new variable, so that an older and a newer program
// can share an environment.
func checkFormerVariable(f *pflag.Flag, found *problems) {
	if _, ok := os.LookupEnv(Variable(f.Name)); ok || f.Changed {
		return
	}
	for former, now := range formerFlags() {
		if _, set := os.LookupEnv(Variable(former)); set && now == f.Name {
			found.add(Variable(former), "is called %s now", Variable(now))
			found.refuse(f.Name)
		}
	}
}

// explainFormerFlag replaces the error of an unknown flag that is a former name of one of
// the flags. It returns other errors as they are.
func explainFormerFlag(flags *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	now, ok := formerFlags()[unknown.GetSpecifiedName()]
	if !ok || flags.Lookup(now) == nil {
		return err
	}
	return fmt.Errorf("--%s: is called --%s now", unknown.GetSpecifiedName(), now)
}
