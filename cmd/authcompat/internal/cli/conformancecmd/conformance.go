// Package conformancecmd has the commands about exchange files, which replay documented exchanges at
// servers and compare.
package conformancecmd

import (
	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
)

// NewConformance returns the command conformance with those below it.
func NewConformance() *cobra.Command {
	return command.Group("conformance", "Replay documented exchanges at a server and compare", newRun(), newList(), newShow(), newCheck(), newRecord())
}
