package config

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
)

// Configure sets the flags that are not on the command line: from their environment
// variables, then from the configuration file if one is named. The error has all problems,
// one a line.
func Configure(ctx context.Context, flags *pflag.FlagSet) error {
	found := &section.Problems{}
	apply(ctx, flags, found)
	return cmp.Or(ctx.Err(), found.Err()) // a file that is a pipe may not have been read
}

// apply sets the flags that are not on the command line: from their variables, then from
// the configuration file.
func apply(ctx context.Context, flags *pflag.FlagSet, found *section.Problems) {
	applyEnvironment(flags, found)
	if f := flags.Lookup(configFlag); f != nil && f.Value.String() != "" {
		applyConfig(ctx, flags, source(f, 0), f.Value.String(), found)
	}
}

// fromEnvironment marks a flag that was set from its variable.
const fromEnvironment = "environment"

// applyEnvironment sets each flag that is not on the command line from its AUTHCOMPAT_
// variable. The variable of a repeated flag is a list with commas. Empty names of profiles
// are ignored, so that an empty variable is the same as none.
func applyEnvironment(flags *pflag.FlagSet, found *section.Problems) {
	flags.VisitAll(func(f *pflag.Flag) {
		if !HasVariable(f) {
			return
		}
		checkFormerVariable(f, found)
		name := Variable(f.Name)
		text, ok := os.LookupEnv(name)
		if !ok || f.Changed {
			return
		}
		values := []string{text}
		if _, several := f.Value.(*bindings); several {
			values = slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == "" })
		}
		if len(values) == 0 {
			return
		}
		for _, value := range values {
			if err := flags.Set(f.Name, value); err != nil {
				found.Add(name, "%v", flagvalue.Friendly(cmp.Or(errors.Unwrap(err), err)))
				found.Refuse(f.Name)
			}
		}
		_ = flags.SetAnnotation(f.Name, fromEnvironment, []string{name}) // fails only for a flag that is not there
	})
}

// noVariable marks a flag that is given on the command line alone.
const noVariable = "no variable"

// WithoutVariables marks flags that have no environment variable: those that name what is
// to be changed, or confirm a change. A variable set for one command must not reach
// another.
func WithoutVariables(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := flags.SetAnnotation(name, noVariable, []string{}); err != nil {
			panic(err) // there is no such flag
		}
	}
}

// HasVariable reports whether a flag has an environment variable.
func HasVariable(f *pflag.Flag) bool { return f.Annotations[noVariable] == nil }

// Variable returns the name of a flag's environment variable.
func Variable(flag string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
