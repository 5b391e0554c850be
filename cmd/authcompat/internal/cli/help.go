package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

// fitHelp lets what --help prints have lines as wide as its terminal. Examples are commands to paste, and stay as they are.
func fitHelp(root *cobra.Command) {
	width := term.Width(root.OutOrStdout())
	wrapped := fmt.Sprintf("FlagUsagesWrapped %d", width)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "FlagUsages", wrapped))
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		cmd.Long, cmd.Short = term.Fill(cmd.Long, width), term.Fill(cmd.Short, width)
		for _, below := range cmd.Commands() {
			below.Short = term.Hang(below.Short, below.NamePadding()+len("   "), width)
		}
		help(cmd, args)
	})
}
