package config

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

const variablePrefix = "AUTHCOMPAT_"

// UnknownVariable is an environment variable with the prefix of ours that no command reads.
type UnknownVariable struct {
	Name string
	Near string // the variable that may be meant; empty: none is like it
}

// String returns a sentence, without the variable's value, which may be a secret.
func (u UnknownVariable) String() string {
	text := u.Name + ": there is no such setting, and it is ignored"
	if u.Near != "" {
		text += "; did you mean " + u.Near + "?"
	}
	return text
}

// ReadVariables returns the variables of flags, today's names and former ones.
func ReadVariables(flags *pflag.FlagSet) (names []string) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Annotations[noVariable] != nil {
			return
		}
		names = append(names, Variable(f.Name))
		for former, now := range formerFlags() {
			if now == f.Name {
				names = append(names, Variable(former))
			}
		}
	})
	return names
}

// UnknownVariables returns, by name, the variables in the environment that are none of
// these, nor that of the sealing keys. Empty ones count as none.
func UnknownVariables(known []string) (unknown []UnknownVariable) {
	words := []string{strings.TrimPrefix(keyring.EnvVar, variablePrefix)}
	for _, name := range known {
		words = append(words, strings.TrimPrefix(name, variablePrefix))
	}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		word, ours := strings.CutPrefix(name, variablePrefix)
		if !ours || value == "" || slices.Contains(words, word) || isServiceLink(word, value) {
			continue
		}
		u := UnknownVariable{Name: name}
		if near := yamlfile.Nearest(word, words); near != "" {
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
