package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// unknownCommand returns the error of an argument where the name of a command is wanted. What looks like an
// address, which may have a password, is not shown.
func unknownCommand(cmd *cobra.Command, arg string) error {
	names := commandNames(cmd)
	if strings.ContainsAny(arg, `./\:@`) {
		err := fmt.Errorf("the argument is no command of %s: want %s", cmd.CommandPath(), strings.Join(names, ", "))
		if len(names) == 1 { // import SOURCE
			below, _, _ := cmd.Find(names)
			err = fmt.Errorf("%w; did you mean %s?", err, strings.TrimSuffix(below.UseLine(), " [flags]"))
		}
		return err
	}
	err := fmt.Errorf("%q is no command of %s: want %s", arg, cmd.CommandPath(), strings.Join(names, ", "))
	for _, below := range cmd.Commands() {
		if profiles.Has(arg) && slices.Contains([]string{"serve", "run"}, below.Name()) {
			return fmt.Errorf("%w; did you mean %s --%s %s?", err, below.CommandPath(), profileFlag, arg)
		}
	}
	if meant := meantCommands(cmd, arg); len(meant) > 0 {
		return fmt.Errorf("%w; did you mean %s?", err, strings.Join(meant, " or "))
	}
	if cmd.Flags().Lookup("user") != nil {
		return fmt.Errorf("%w; --user gives a user", err)
	}
	return err
}

// synonyms are words that people who know other programs use for ours.
func synonyms() map[string][]string {
	return map[string][]string{
		"add": {"create"}, "new": {"create"}, "register": {"create"}, "useradd": {"user"}, "adduser": {"user"}, "account": {"user"},
		"remove": {"delete"}, "rm": {"delete", "revoke"}, "del": {"delete"}, "userdel": {"user"}, "end": {"revoke"}, "logout": {"revoke"},
		"ls": {"list"}, "get": {"show"}, "info": {"show", "version"}, "view": {"show"}, "cat": {"show"}, "describe": {"show"},
		"passwd": {"set-password"}, "password": {"set-password"}, "changepassword": {"set-password"}, "lock": {"disable"}, "unlock": {"enable"},
		"start": {"serve"}, "run": {"serve", "run"}, "server": {"serve"}, "runserver": {"serve"}, "up": {"serve"},
		"test": {"conformance", "run"}, "validate": {"check"}, "lint": {"check"}, "verify": {"check", "run"}, "dump": {"backup"},
		"log": {"audit"}, "health": {"ready"}, "healthcheck": {"ready"}, "ping": {"ready"}, "status": {"ready"},
	}
}

// flagSynonyms are flags of other programs, and ours for the same.
func flagSynonyms() map[string][]string {
	return map[string][]string{
		"port": {"listen", "manage"}, "host": {"listen", "manage"}, "bind": {"listen"}, "addr": {"listen", "manage"}, "address": {"listen", "manage"},
		"db": {"store"}, "database": {"store"}, "dsn": {"store"}, "url": {"target", "upstream", "front"}, "server": {"target", "upstream", "manage"},
		"api": {"profile"}, "username": {"user"}, "login": {"user"}, "cert": {"tls-cert"}, "key": {"tls-key", "secret-key-file"}, "yes": {"force"},
	}
}

// meantCommands returns the commands that a wrong name most likely stands for: below cmd, by its letters or as
// another word for one; else those with that name elsewhere, with their path.
func meantCommands(cmd *cobra.Command, arg string) (meant []string) {
	word, names := strings.ToLower(arg), commandNames(cmd)
	for _, name := range append(synonyms()[word], word) {
		if slices.Contains(names, name) {
			return []string{name}
		}
	}
	if near := yamlfile.Nearest(word, names); near != "" {
		return []string{near}
	}
	wanted := append(synonyms()[word], word)
	var look func(*cobra.Command)
	look = func(c *cobra.Command) {
		for _, below := range c.Commands() {
			if below.IsAvailableCommand() && slices.Contains(wanted, below.Name()) {
				meant = append(meant, below.CommandPath())
			}
			look(below)
		}
	}
	if !cmd.HasParent() {
		look(cmd)
	}
	return meant
}

// explainHelp lets help for a command that isn't there be an error, as the command itself would.
func explainHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				if of, rest, err := root.Find(args); err == nil && len(rest) > 0 && len(commandNames(of)) > 0 {
					return unknownCommand(of, rest[0])
				}
				return nil
			}
		case "completion":
			cmd.Args, cmd.RunE = cobra.NoArgs, command.ShowHelp
			explainArguments(cmd)
		}
	}
}

// meantFlag returns the flag that a wrong one most likely stands for, or "". A flag of another command is one
// where there is no command at all.
func meantFlag(cmd *cobra.Command, unknown *pflag.NotExistError) string {
	if unknown.GetSpecifiedShortnames() != "" {
		return ""
	}
	var names, begins []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		names = append(names, f.Name)
		if strings.HasPrefix(f.Name, unknown.GetSpecifiedName()) {
			begins = append(begins, f.Name)
		}
	})
	near := yamlfile.Nearest(unknown.GetSpecifiedName(), names)
	for _, name := range flagSynonyms()[unknown.GetSpecifiedName()] {
		if slices.Contains(names, name) {
			return "--" + name
		}
	}
	switch {
	case len(begins) > 0 && len(begins) <= 3:
		return "--" + strings.Join(begins, " or --")
	case near != "":
		return "--" + near
	case !cmd.HasParent():
		for _, below := range cmd.Commands() {
			if below.Name() == "serve" && below.Flags().Lookup(unknown.GetSpecifiedName()) != nil {
				return below.CommandPath() + " --" + unknown.GetSpecifiedName()
			}
		}
	}
	return ""
}
