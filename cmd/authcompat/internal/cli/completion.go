package cli

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/report"
	"github.com/authcompat/authcompat/profiles"
)

// Commands returns the command tree, for what is written about it: man pages and completions.
func Commands() *cobra.Command { return newRoot(Streams{}) }

// completes is what a shell is told of a value that is being typed. Nothing is read but what is in the program: a
// completion opens no database and no file.
type completes struct {
	values []string
	files  bool // the shell offers files, too
	begins bool // what is offered is a beginning, after which no space is set
}

// flagValues says what completes the values of flags that are no words of a fixed set, which have them themselves, by
// name; where commands differ, by the command's path and the name. A flag that is not here has free text.
func flagValues() map[string]completes {
	file := completes{files: true}
	profile := completes{values: profiles.Builtin(), files: true}
	withAll := completes{values: append(profiles.Builtin(), "all"), files: true}
	all := map[string]completes{
		"profile":                              profile,
		"authcompat callers --profile":         {values: profiles.Builtin()},
		"authcompat conformance run --profile": withAll,
		"authcompat explore --profile":         withAll,

		"authcompat conformance run --report": {values: reports(), begins: true},

		"ask-identity": {values: []string{"on", "off"}, files: true},
		"store":        {values: []string{"sqlite:", "postgres://"}, begins: true},
		"target":       {values: []string{"http://", "https://"}, begins: true},
		"upstream":     {values: []string{"http://", "https://"}, begins: true},
	}
	for _, name := range []string{
		"ask-ca-file", "callers-file", "common-passwords-file", "config", "django-secret-key-file", "exchanges", "given", "lua-file", "mail-templates", "map", "output",
		"profile-out", "report", "secret-key-file", "settings", "smtp-password-file", "thresholds", "tls-cert", "tls-key",
	} {
		all[name] = file
	}
	return all
}

// argumentValues says what completes the arguments of commands, by the command's path; those that are not here,
// and have no ValidArgs, have free text or no arguments.
func argumentValues() map[string]completes {
	file := completes{files: true}
	all := map[string]completes{
		"authcompat profile show":     {values: append(profiles.Builtin(), profiles.Stacks()...), files: true},
		"authcompat profile openapi":  {values: profiles.Builtin(), files: true},
		"authcompat conformance show": {values: conformance.Profiles()},
		"authcompat front explain":    {values: profiles.Methods()},
	}
	for _, path := range []string{
		"backup", "config check", "config print", "conformance check", "conformance record har", "export django", "import django", "inspect",
		"profile check", "restore", "shadow gate", "shadow report",
	} {
		all["authcompat "+path] = file
	}
	return all
}

// reports returns the formats of --report FORMAT=FILE.
func reports() (all []string) {
	for _, f := range report.Formats() {
		all = append(all, f.Name+"=")
	}
	return all
}

// completion returns what completes the value of a command's flag.
func completion(cmd *cobra.Command, f *pflag.Flag) completes {
	switch v := f.Value.(type) {
	case *flagvalue.Enum:
		return completes{values: v.Values}
	case *flagvalue.Toggle:
		return completes{values: []string{"on", "off"}}
	}
	all := flagValues()
	if of, ok := all[cmd.CommandPath()+" --"+f.Name]; ok {
		return of
	}
	return all[f.Name]
}

// offer answers cobra's question what completes a value.
func (c completes) offer() ([]cobra.Completion, cobra.ShellCompDirective) {
	directive := cobra.ShellCompDirectiveKeepOrder
	if !c.files {
		directive |= cobra.ShellCompDirectiveNoFileComp
	}
	if c.begins {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return slices.Clone(c.values), directive
}

// completeValues lets shells complete the values of flags and the arguments of a command and of those below it. What
// they are is gathered when a shell asks: a server that starts has no use for it.
func completeValues(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() == "bool" || f.Hidden {
			return
		}
		err := cmd.RegisterFlagCompletionFunc(f.Name, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return completion(cmd, f).offer()
		})
		if err != nil {
			panic(err) // a flag of the command that has a completion already: no code gives it one
		}
	})
	if cmd.ValidArgs == nil && cmd.Runnable() && !cmd.HasSubCommands() {
		cmd.ValidArgsFunction = completeArgument
	}
	for _, below := range cmd.Commands() {
		completeValues(below)
	}
}

// completeArgument completes the first of a command's arguments; a file may be any of them.
func completeArgument(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	values, directive := argumentValues()[cmd.CommandPath()].offer()
	if len(args) > 0 {
		values = nil
	}
	return values, directive
}
