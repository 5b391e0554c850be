package profilecmd

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/schema"
)

// NewSchema returns the command schema.
func NewSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema profile|exchanges|config",
		Short: "Print the JSON Schema of profiles, exchange files or configuration files, for editors",
		Long: `Print the JSON Schema (2020-12) of a kind of file. Editors with a YAML language server complete keys, explain
them and underline mistakes in a file whose first line names it:

  # yaml-language-server: $schema=profile.schema.json

What the schema refuses authcompat refuses, too. profile check, conformance check and config check find more.`,
		Example: `  authcompat schema profile > profile.schema.json
  authcompat schema exchanges > exchanges.schema.json`,
		ValidArgs:         schema.Names(),
		Args:              cobra.ExactArgs(1),
		PersistentPreRunE: command.SkipsPreRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, err := schema.KindOf(args[0])
			if err != nil {
				return err
			}
			file, err := schema.Of(kind)
			if err != nil {
				return err
			}
			text, err := file.JSON()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

func newExplain() *cobra.Command {
	of := flagvalue.NewEnum(schema.Profile, schema.Exchanges, schema.Config)
	cmd := &cobra.Command{
		Use:   "explain [KEY]",
		Short: "Print what a key of a profile is for: its values, its default and an example",
		Long: `Print what a key of a profile is for. The key is a path with dots, with the file's own names or * in it. Without one, the keys
of a profile are listed; a key with keys below it lists these.`,
		Example: `  authcompat profile explain tokens.ttl
  authcompat profile explain endpoints.login.fields
  authcompat profile explain --of exchanges steps.request.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := schema.Of(schema.Kind(of.Value))
			if err != nil {
				return err
			}
			text, err := file.Explain(strings.Join(args, ""))
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write([]byte(text))
			return err
		},
	}
	cmd.Flags().Var(&of, "of", "the kind of file: profile, exchanges or config")
	return cmd
}
