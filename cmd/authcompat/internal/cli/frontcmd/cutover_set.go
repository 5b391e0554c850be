package frontcmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core/cutover"
)

func newCutoverSet() *cobra.Command {
	var flags config.Engine
	var users, headers []string
	var empty bool
	cmd := &cobra.Command{
		Use:   "set ENDPOINT[=SHARE]…",
		Short: "Set which users are sent to the new side at some endpoints, or at all",
		Long: `Set the share of users that are sent to the new side at an endpoint: from 0% to 100%, in steps of 0.01%. The
same users are there at every endpoint with that share, and a larger share only adds others. --user and --header add to the
lists of users, and of headers of requests, that are sent to the new side whatever the share is; --clear empties
them first. "all" stands for every endpoint that servers have declared. Servers follow within a second.`,
		Example: `  authcompat cutover set login=10% logout=10%
  authcompat cutover set login --user ann --header 'X-Canary: yes'
  authcompat cutover set all=100%`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			change, err := parseSwitching(args, users, headers, empty)
			if err != nil {
				return err
			}
			return withCutover(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				unknown, err := e.ResolveSwitched(ctx, change.Users)
				if err != nil {
					return err
				}
				for _, name := range unknown {
					command.WarnOn(cmd.ErrOrStderr())(fmt.Errorf("--user: there is no user %q yet", name))
				}
				was, is, err := e.ChangeCutover(ctx, change.Apply)
				if err != nil {
					return err
				}
				if is.Version == was.Version {
					return term.Printf(cmd.OutOrStdout(), "nothing is changed: that is how it was (version %d)\n", is.Version)
				}
				if err := reportChanges(cmd.OutOrStdout(), was, is); err != nil {
					return err
				}
				return term.Printf(cmd.OutOrStdout(), "version %d; servers follow within a second\n", is.Version)
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().StringArrayVar(&users, "user", nil, "username that is sent to the new side (repeatable)")
	cmd.Flags().StringArrayVar(&headers, "header", nil, "header whose requests are sent to the new side, 'NAME: VALUE' or 'NAME' (repeatable)")
	cmd.Flags().BoolVar(&empty, "clear", false, "empty the lists of users and headers first")
	config.WithoutVariables(cmd.Flags(), "user", "header", "clear")
	return cmd
}

// parseSwitching reads the arguments of cutover set.
func parseSwitching(args, users, headers []string, empty bool) (s engine.Switching, err error) {
	s.Users, s.Clear = users, empty
	for _, arg := range args {
		e := engine.EndpointShare{Name: arg}
		// A path may have = too, and then its last part has no share.
		if i := strings.LastIndexByte(arg, '='); i >= 0 && !strings.Contains(arg[i:], "/") {
			share, err := cutover.ParseShare(arg[i+1:])
			if err != nil {
				return s, fmt.Errorf("%s: %w", arg, err)
			}
			e = engine.EndpointShare{Name: arg[:i], Share: &share}
		}
		switch {
		case e.Name == "":
			return s, fmt.Errorf("%s: want ENDPOINT=SHARE, such as login=10%%", arg)
		case slices.ContainsFunc(s.Endpoints, func(o engine.EndpointShare) bool { return o.Name == e.Name }):
			return s, fmt.Errorf("%s is given twice: want it once", e.Name)
		case e.Share == nil && len(users) == 0 && len(headers) == 0 && !empty:
			return s, fmt.Errorf("what is to change at %s? Give a share (%s=10%%), --user, --header or --clear", e.Name, e.Name)
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	if len(s.Endpoints) > 1 && slices.ContainsFunc(s.Endpoints, func(e engine.EndpointShare) bool { return e.Name == engine.AllEndpoints }) {
		return s, errors.New("all stands for every endpoint: want it alone")
	}
	if slices.Contains(users, "") {
		return s, errors.New("--user: want a username, it is empty")
	}
	for _, text := range headers {
		h, err := cutover.ParseHeader(text)
		if err != nil {
			return s, fmt.Errorf("--header: %w", err)
		}
		s.Headers = append(s.Headers, h)
	}
	return s, nil
}
