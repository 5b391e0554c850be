package main

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// configureFlags sets the flags of a command that were not given, and gives all
// that is wrong with what they would be set to.
func configureFlags(flags *pflag.FlagSet) error {
	found := &problems{}
	configure(flags, found)
	return found.err()
}

// configure sets the flags that were not given: from their variables, then from
// the configuration file.
func configure(flags *pflag.FlagSet, found *problems) {
	applyEnvironment(flags, found)
	if f := flags.Lookup(configFlag); f != nil && f.Value.String() != "" {
		applyConfig(flags, whence(f, 0), f.Value.String(), found)
	}
}

// fromEnvironment marks a flag that was set from its variable.
const fromEnvironment = "environment"

// applyEnvironment sets each flag that was not given from its AUTHCOMPAT_
// variable. A flag that can be repeated takes a list with commas. No profile is
// named by nothing, so that an empty list of them is none.
func applyEnvironment(flags *pflag.FlagSet, found *problems) {
	flags.VisitAll(func(f *pflag.Flag) {
		name := variable(f.Name)
		text, ok := os.LookupEnv(name)
		if !ok || f.Changed {
			return
		}
		values := []string{text}
		if _, several := f.Value.(*listenerList); several {
			values = slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == "" })
		}
		if len(values) == 0 {
			return
		}
		for _, value := range values {
			if err := flags.Set(f.Name, value); err != nil {
				found.add(name, "%v", plain(cmp.Or(errors.Unwrap(err), err)))
				found.refuse(f.Name)
			}
		}
		_ = flags.SetAnnotation(f.Name, fromEnvironment, []string{name}) // fails only for a flag that is not there
	})
}

// variable names the environment variable of a flag.
func variable(flag string) string {
	return "AUTHCOMPAT_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
