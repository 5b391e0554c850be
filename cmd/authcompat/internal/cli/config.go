package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
)

func newConfig() *cobra.Command {
	return command.Group("config", "Check and print a server's settings", newConfigCheck(), newConfigPrint())
}

func newConfigCheck() *cobra.Command {
	f := config.NewServer()
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a server's settings, and the profiles, mapping, keys and certificates that they name",
		Long: `Check a configuration file, or with - what comes on standard input. Exits 0 when it is good; 1 with every problem, one a line, as
file:line:column: key: what is wrong, or with the flag or variable that a value comes from; 2 when there is no such file. Flags and variables
count as they do for serve, which checks the same before it starts. The store is not opened, nor an address.
An AUTHCOMPAT_… variable that is no setting's, and a date of adopt that is over, which other commands warn of, are errors here. Settings that are valid and take a protection away are named in warnings, which serve logs.`,
		Args:              cobra.MaximumNArgs(1),
		PersistentPreRunE: command.SkipsPreRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Input = cmd.InOrStdin()
			all, err := f.Resolve(cmd.Context(), strings.Join(args, ""))
			if err != nil && len(args) == 0 && !cmd.Flags().Changed("config") && !cmd.Flags().Changed(profileFlag) {
				err = errors.Join(err, errors.New("to check a configuration file, name it: authcompat config check FILE"))
			}
			for _, u := range command.UnknownVariables(cmd) {
				err = errors.Join(err, errors.New(u.String()))
			}
			if err = errors.Join(err, config.OverAdoptions(all, time.Now())); err != nil {
				if cmd.Context().Err() != nil || errors.Is(err, config.ErrNotRead) {
					return err
				}
				return &command.ExitError{Code: command.Verdict, Err: err}
			}
			for _, p := range all {
				fmt.Fprintf(cmd.OutOrStdout(), "profile %s at %s\n", p.Profile.Name, p.Address)
				if p.Front != nil {
					for _, line := range p.Front.Lines() {
						fmt.Fprintf(cmd.OutOrStdout(), "  %s\n", line)
					}
					if a := p.Front.Adopt; a != nil {
						fmt.Fprintf(cmd.OutOrStdout(), "  until %s users are adopted who log in at %s\n", a.Until.Format(time.RFC3339), a.Login)
					}
				}
				for _, weak := range p.TLS.Weaknesses() {
					fmt.Fprintf(cmd.OutOrStdout(), "  accepts weak TLS: %s\n", weak)
				}
			}
			if f.Ask != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "proxies and services ask at %s\n", f.Ask)
				if f.AskIdentity.On {
					fmt.Fprintf(cmd.OutOrStdout(), "  answers tell whose a good token is, signed with a key of %s\n", f.AskIdentityFile().Path())
				}
			}
			for _, weak := range f.Weaknesses() {
				fmt.Fprintf(cmd.OutOrStdout(), "warning: %s: %s\n", weak.At, weak.Text)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "the settings are good")
			return err
		},
	}
	f.AddFlags(cmd.Flags())
	return cmd
}

func newConfigPrint() *cobra.Command {
	f := config.NewServer()
	cmd := &cobra.Command{
		Use:   "print [FILE]",
		Short: "Print the effective settings as a configuration file, secrets masked",
		Long: `Print what serve would work with: flags before variables before the file before defaults. Beside each
setting stands where it comes from. A password in the store's address is masked, and the whole of an address
that is not understood; keys are never shown.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Input = cmd.InOrStdin()
			return f.WriteYAML(cmd.Context(), cmd.OutOrStdout(), args...)
		},
	}
	f.AddFlags(cmd.Flags())
	return cmd
}
