package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

const variablePrefix = "AUTHCOMPAT_"

// UnknownVariable is an environment variable with the prefix of ours that no command reads.
type UnknownVariable struct {
	Name string
	Near string // the variable that may be meant; empty: none is like it
	// Flag is the flag that has no variable, of which this would be the name; empty: there is none.
	Flag string
	// Gone says what became of it; empty: there never was one with this name.
	Gone string
}

// String returns a sentence, without the variable's value, which may be a secret.
func (u UnknownVariable) String() string {
	if u.Flag != "" {
		return u.Name + ": it is ignored: --" + u.Flag + " is given on the command line alone"
	}
	if u.Gone != "" {
		return u.Name + ": it is ignored: " + u.Gone
	}
	text := u.Name + ": there is no such setting, and it is ignored"
	if u.Near != "" {
		text += "; did you mean " + u.Near + "?"
	}
	return text
}

// ReadVariables returns the variables of flags.
func ReadVariables(flags *pflag.FlagSet) (names []string) {
	flags.VisitAll(func(f *pflag.Flag) {
		if _, moved := f.Value.(Moved); HasVariable(f) && !moved {
			names = append(names, Variable(f.Name))
		}
	})
	return names
}

// MovedVariables returns, by name, what became of the variables of flags that are other commands now.
func MovedVariables(flags *pflag.FlagSet) map[string]string {
	all := make(map[string]string)
	flags.VisitAll(func(f *pflag.Flag) {
		if moved, ok := f.Value.(Moved); ok {
			all[Variable(f.Name)] = string(moved)
		}
	})
	return all
}

// FormerVariables returns, by name, what became of variables that have another name now. Nothing is said of one that is
// set beside the new one, so that an older and a newer program can share an environment.
func FormerVariables() map[string]string {
	all := make(map[string]string)
	for former, now := range formerFlags() {
		all[Variable(former)] = ""
		if _, set := os.LookupEnv(Variable(now)); !set {
			all[Variable(former)] = "it is called " + Variable(now) + " now"
		}
	}
	return all
}

// RefusedVariables returns the variables that [Configure] refuses by itself for these flags.
func RefusedVariables(flags *pflag.FlagSet) (names []string) {
	for former, now := range formerFlags() {
		if flags.Lookup(now) != nil {
			names = append(names, Variable(former))
		}
	}
	for name := range MovedVariables(flags) {
		names = append(names, name)
	}
	return names
}

// UnknownVariables returns, by name, the variables in the environment that are none of
// these, nor that of the sealing keys, nor AUTHCOMPAT_TEST_…, which tests have. Empty ones count as none. alone are the
// flags without a variable, and gone says what became of variables that there were; empty: nothing is to be said of it.
func UnknownVariables(known, alone []string, gone map[string]string) (unknown []UnknownVariable) {
	words := []string{strings.TrimPrefix(keyring.EnvVar, variablePrefix)}
	for _, name := range known {
		words = append(words, strings.TrimPrefix(name, variablePrefix))
	}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		word, ours := strings.CutPrefix(name, variablePrefix)
		if !ours || value == "" || slices.Contains(words, word) || isServiceLink(word, value) || strings.HasPrefix(word, "TEST_") {
			continue
		}
		u := UnknownVariable{Name: name}
		if i := slices.IndexFunc(alone, func(flag string) bool { return Variable(flag) == name }); i >= 0 {
			u.Flag = alone[i]
		} else if became, was := gone[name]; was {
			if u.Gone = became; became == "" {
				continue
			}
		} else if near := yamlfile.Nearest(word, words); near != "" {
			u.Near = variablePrefix + near
		}
		unknown = append(unknown, u)
	}
	slices.SortFunc(unknown, func(a, b UnknownVariable) int { return strings.Compare(a.Name, b.Name) })
	return unknown
}

// isServiceLink reports whether Kubernetes has set a variable in each container, for a
// service whose name begins with authcompat
// (https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables).
func isServiceLink(word, value string) bool {
	link := regexp.MustCompile(`^(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)$`)
	return link.MatchString(word) || (word == "PORT" || strings.HasSuffix(word, "_PORT")) && strings.Contains(value, "://")
}

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
func checkFormerVariable(f *pflag.Flag, found *section.Problems) {
	if _, ok := os.LookupEnv(Variable(f.Name)); ok || f.Changed {
		return
	}
	for former, now := range formerFlags() {
		if _, set := os.LookupEnv(Variable(former)); set && now == f.Name {
			found.Add(Variable(former), "is called %s now", Variable(now))
			found.Refuse(f.Name)
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

// FriendlyFlagError returns the error of an invalid value on the command line in plain
// words, with the name of its flag. For the former name of a flag it gives the new one. It
// returns other errors as they are.
func FriendlyFlagError(flags *pflag.FlagSet, err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return explainFormerFlag(flags, err)
	}
	return fmt.Errorf("--%s: %w", invalid.GetFlag().Name, flagvalue.Friendly(invalid.Unwrap()))
}
