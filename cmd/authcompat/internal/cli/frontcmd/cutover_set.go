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
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// allEndpoints stands for every endpoint.
const allEndpoints = "all"

// switching says what cutover set changes, relative to what it finds.
type switching struct {
	endpoints []endpointShare
	users     []string // to be added
	headers   []cutover.Header
	clear     bool // the lists first
}

// endpointShare is an argument: an endpoint, and its new share unless that stays.
type endpointShare struct {
	name  string
	share *cutover.Share
}

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
				if err := change.resolveUsers(ctx, cmd, e); err != nil {
					return err
				}
				was, is, err := e.ChangeCutover(ctx, change.apply)
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
func parseSwitching(args, users, headers []string, empty bool) (s switching, err error) {
	s.users, s.clear = users, empty
	for _, arg := range args {
		e := endpointShare{name: arg}
		// A path may have = too, and then its last part has no share.
		if i := strings.LastIndexByte(arg, '='); i >= 0 && !strings.Contains(arg[i:], "/") {
			share, err := cutover.ParseShare(arg[i+1:])
			if err != nil {
				return s, fmt.Errorf("%s: %w", arg, err)
			}
			e = endpointShare{arg[:i], &share}
		}
		switch {
		case e.name == "":
			return s, fmt.Errorf("%s: want ENDPOINT=SHARE, such as login=10%%", arg)
		case slices.ContainsFunc(s.endpoints, func(o endpointShare) bool { return o.name == e.name }):
			return s, fmt.Errorf("%s is given twice: want it once", e.name)
		case e.share == nil && len(users) == 0 && len(headers) == 0 && !empty:
			return s, fmt.Errorf("what is to change at %s? Give a share (%s=10%%), --user, --header or --clear", e.name, e.name)
		}
		s.endpoints = append(s.endpoints, e)
	}
	if len(s.endpoints) > 1 && slices.ContainsFunc(s.endpoints, func(e endpointShare) bool { return e.name == allEndpoints }) {
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
		s.headers = append(s.headers, h)
	}
	return s, nil
}

// resolveUsers replaces each username by the account's own spelling. Who does not exist yet
// may register, and is listed as given.
func (s *switching) resolveUsers(ctx context.Context, cmd *cobra.Command, e *engine.Engine) error {
	for i, name := range s.users {
		u, err := e.User(ctx, name)
		switch {
		case err == nil:
			s.users[i] = u.Username
		case core.KindOf(err) == core.KindUserUnknown:
			command.WarnOn(cmd.ErrOrStderr())(fmt.Errorf("--user: there is no user %q yet", name))
		default:
			return err
		}
	}
	return nil
}

// apply changes a state.
func (s switching) apply(state *cutover.State) error {
	names := endpointNames(*state)
	if len(names) == 0 {
		return errors.New(undeclared)
	}
	endpoints := s.endpoints
	if endpoints[0].name == allEndpoints {
		all := endpoints[0]
		endpoints = nil
		for _, name := range names {
			endpoints = append(endpoints, endpointShare{name, all.share})
		}
	}
	var rules []cutover.Rule
	for _, e := range endpoints {
		if !slices.Contains(names, e.name) {
			return unknownEndpoint(e.name, names)
		}
		r := state.Rule(e.name)
		if e.share != nil {
			r.Share = *e.share
		}
		if s.clear {
			r.Users, r.Headers = nil, nil
		}
		r.Users, r.Headers = withAll(r.Users, s.users), withAll(r.Headers, s.headers)
		rules = append(rules, r)
	}
	state.Set(rules...)
	return nil
}

// unknownEndpoint is the error of an endpoint that no server has declared.
func unknownEndpoint(name string, declared []string) error {
	did := ""
	if near := yamlfile.Nearest(name, declared); near != "" {
		did = "; did you mean " + near + "?"
	}
	return fmt.Errorf("no server has declared an endpoint %q%s: want %s, or all", name, did, strings.Join(declared, ", "))
}

// withAll returns a list with those that are not in it yet.
func withAll[T comparable](list, more []T) []T {
	list = slices.Clone(list)
	for _, item := range more {
		if !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}
