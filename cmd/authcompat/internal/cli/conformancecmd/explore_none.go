//go:build no_ui

package conformancecmd

import (
	"errors"

	"github.com/spf13/cobra"
)

// NewExplore returns the command that says that this program has no console.
func NewExplore() *cobra.Command {
	return &cobra.Command{
		Use:                "explore",
		Short:              "See and try old APIs on a page of this machine (left out of this program)",
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("explore: this program was built without the console (-tags no_ui)")
		},
	}
}
