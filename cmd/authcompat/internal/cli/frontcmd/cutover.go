// Package frontcmd has the commands that operate a front: front, cutover and callers.
package frontcmd

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core/cutover"
)

// NewCutover returns the command cutover and what is below it.
func NewCutover() *cobra.Command {
	return command.Group("cutover", "Send users to the old side or to the new one, endpoint by endpoint", newCutoverStatus(), newCutoverSet(), newCutoverRollback())
}

// cutoverRecord is the state of a cutover in JSON.
type cutoverRecord struct {
	Version   int64            `json:"version"` // 0: nothing was ever set
	ChangedAt *time.Time       `json:"changed_at"`
	Endpoints []endpointRecord `json:"endpoints"`
}

// endpointRecord is who is sent to the new side at an endpoint.
type endpointRecord struct {
	Endpoint string           `json:"endpoint"`
	Share    cutover.Share    `json:"share"`
	Users    []string         `json:"users"`
	Headers  []cutover.Header `json:"headers"`
}

// withCutover opens the store for a command on the cutover, and calls do.
func withCutover(cmd *cobra.Command, f *config.Engine, do func(ctx context.Context, e *engine.Engine) error) error {
	return command.WithEngine(cmd, f, func(ctx context.Context, e *engine.Engine) error {
		if e.Backend.Cutover == nil {
			return errors.New("this database has no table authcompat_cutover, and the role may not make it: run this command once as the owner of the tables authcompat_… (docs/moving-in.md)")
		}
		return do(ctx, e)
	})
}

func newCutoverStatus() *cobra.Command {
	var flags config.Engine
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show which users are sent to the new side at each endpoint",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withCutover(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				s, err := e.Backend.Cutover.CutoverState(ctx)
				if err != nil {
					return err
				}
				return reportCutover(cmd.OutOrStdout(), asJSON, s)
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

// reportCutover writes a state.
func reportCutover(w io.Writer, asJSON bool, s cutover.State) error {
	if asJSON {
		r := cutoverRecord{Version: s.Version, ChangedAt: term.JSONTime(s.ChangedAt), Endpoints: []endpointRecord{}}
		for _, rule := range s.Rules {
			// Not null, which programs would have to tell from an empty list.
			r.Endpoints = append(r.Endpoints, endpointRecord{rule.Endpoint, rule.Share, append([]string{}, rule.Users...), append([]cutover.Header{}, rule.Headers...)})
		}
		return term.Report(w, true, r, "")
	}
	if len(s.Rules) == 0 {
		return term.Printf(w, "%s\n", engine.ErrUndeclared)
	}
	t := term.NewTable(w, false, "ENDPOINT\tSHARE\tUSERS\tHEADERS")
	for _, r := range s.Rules {
		if err := t.Row(nil, "%s\t%s\t%d\t%d", r.Endpoint, r.Share, len(r.Users), len(r.Headers)); err != nil {
			return err
		}
	}
	if err := t.End(); err != nil {
		return err
	}
	return term.Printf(w, "version %d, changed %s\n", s.Version, term.FormatTime(s.ChangedAt))
}

func newCutoverRollback() *cobra.Command {
	var flags config.Engine
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Send everybody to the old side, at all endpoints",
		Long: `Send everybody to the old side, at all endpoints, and empty the lists of users and headers. Servers follow within a
second. Without effect where everybody is there already.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withCutover(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				was, is, err := e.RollBackCutover(ctx)
				switch {
				case err != nil:
					return err
				case is.Version == 0:
					return term.Printf(cmd.OutOrStdout(), "everybody is on the old side: nothing was ever set\n")
				case is.Version == was.Version:
					return term.Printf(cmd.OutOrStdout(), "everybody is on the old side already (version %d)\n", is.Version)
				}
				if err := reportChanges(cmd.OutOrStdout(), was, is); err != nil {
					return err
				}
				return term.Printf(cmd.OutOrStdout(), "everybody is sent to the old side (version %d); servers follow within a second\n", is.Version)
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	return cmd
}

// reportChanges writes what is not as it was, an endpoint a line.
func reportChanges(w io.Writer, was, is cutover.State) error {
	for _, line := range engine.DescribeSwitched(was, is) {
		if err := term.Printf(w, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}
