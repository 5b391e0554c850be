package conformancecmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

func newList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the exchange files that are built in",
		Long: `List the exchange files that are built in, one a profile, with the number of their exchanges and what they
need at a running server: some register their users there, others want one with --user and --password.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			table := term.NewTable(cmd.OutOrStdout(), asJSON, "PROFILE\tEXCHANGES\tUSERS AT A TARGET")
			for _, name := range conformance.Profiles() {
				file, err := conformance.Builtin(name)
				if err != nil {
					return err
				}
				users := "--user"
				if file.RegistersUsers() {
					users = "registered"
				}
				record := struct {
					Profile        string `json:"profile"`
					Exchanges      int    `json:"exchanges"`
					RegistersUsers bool   `json:"registers_users"`
				}{name, len(file.Exchanges), file.RegistersUsers()}
				if err := table.Row(record, "%s\t%d\t%s", name, len(file.Exchanges), users); err != nil {
					return err
				}
			}
			return table.End()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func newShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Print a built-in exchange file as it is",
		Long: `Print a built-in exchange file as it is, comments included: a start for one of your own, in which the line
profile: has to name your profile.`,
		Example: `  authcompat conformance show snippit
  authcompat conformance show snippit > my-exchanges.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, _, err := conformance.Source(args[0])
			if err != nil {
				if _, there := os.Stat(args[0]); there == nil {
					return fmt.Errorf("%s is a file, and show prints those that are built in (%s): authcompat conformance check %[1]s checks it", args[0], builtinNames())
				}
				return fmt.Errorf("no exchange file is built in for %q: want one of %s%s", args[0], builtinNames(), yamlfile.DidYouMean(args[0], profiles.Builtin()))
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

func newCheck() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Check an exchange file and report every problem at once",
		Long: `Check an exchange file, or with - what comes on standard input. Its profile need not be there. Exits 0 when it is good; 1 with every problem of the
file, one a line, as file:line:column: key: what is wrong; 2 when there is no such file.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := readExchanges(cmd, args[0])
			var unread command.UnreadError
			if errors.As(err, &unread) {
				return err
			}
			if asJSON {
				return writeCheck(cmd, args[0], file, err)
			}
			if err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), term.PrintableLines(err.Error()))
				return &command.ExitError{Code: command.Verdict}
			}
			return term.Printf(cmd.OutOrStdout(), "%s: %s for profile %s, all good\n", args[0], term.Count(len(file.Exchanges), "exchange", "exchanges"), file.Profile)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

// readExchanges reads what check is to check.
func readExchanges(cmd *cobra.Command, path string) (*conformance.File, error) {
	if path == flagvalue.StandardInput {
		return command.ReadExchangesFrom(cmd.InOrStdin(), path, giveProfile)
	}
	return command.ReadExchanges(cmd.Context(), path, giveProfile)
}

// writeCheck writes as JSON what check has found: a file, or the problems that err lists.
func writeCheck(cmd *cobra.Command, path string, file *conformance.File, err error) error {
	record := struct {
		File      string            `json:"file"`
		Profile   string            `json:"profile,omitempty"`
		Exchanges int               `json:"exchanges"`
		Problems  []command.Problem `json:"problems"`
	}{File: path, Problems: []command.Problem{}}
	if file != nil {
		record.Profile, record.Exchanges = file.Profile, len(file.Exchanges)
	}
	record.Problems = append(record.Problems, command.ProblemsOf(err)...)
	encoder := json.NewEncoder(cmd.OutOrStdout())
	encoder.SetEscapeHTML(false)
	if failed := encoder.Encode(record); failed != nil {
		return failed
	}
	if err != nil {
		return &command.ExitError{Code: command.Verdict}
	}
	return nil
}
