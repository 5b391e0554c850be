package cli

import (
	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/version"
)

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print which version this is, of which commit, and built with which Go",
		Long: `Print which version this is. A running server says the same in its first log line, and in the metric
authcompat_build_info.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			build := version.Get()
			return term.Report(cmd.OutOrStdout(), asJSON, build, "authcompat %s", build.String())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object: version, commit, go")
	return cmd
}
