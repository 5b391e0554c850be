// Package profilecmd has the commands about profiles, and about the schemas of files.
package profilecmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// NewProfile returns the command profile.
func NewProfile() *cobra.Command {
	return command.Group("profile", "List, show, explain and check profiles", newList(), newShow(), newCheck(), newExplain(), newOpenAPI())
}

// profileRecord is a profile in JSON.
type profileRecord struct {
	Name     string   `json:"name"`
	Family   string   `json:"family"`
	Stack    string   `json:"stack"`
	Paths    []string `json:"paths"`
	Title    string   `json:"title"`
	Document string   `json:"document"` // that says how the API answers
}

func newList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the built-in profiles, and the stacks of profiles",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := term.NewTable(cmd.OutOrStdout(), asJSON, "NAME\tFAMILY\tSTACK\tTITLE\tENDPOINTS").Fit()
			if err := listProfiles(t, profiles.Builtin()); err != nil {
				return err
			}
			if err := t.End(); err != nil || asJSON {
				return err
			}
			return term.Printf(cmd.OutOrStdout(), "\nSTACKS: %s\n", strings.Join(profiles.Stacks(), ", "))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line, without the stacks")
	return cmd
}

// listProfiles adds a row for each profile.
func listProfiles(t *term.Table, names []string) error {
	for _, name := range names {
		p, err := profiles.Load(name)
		if err != nil {
			return err
		}
		var paths []string
		for _, e := range p.Endpoints {
			if !slices.Contains(paths, e.Path) { // several methods share one
				paths = append(paths, e.Path)
			}
		}
		r := profileRecord{p.Name, string(p.Family), p.Stack, paths, p.Title, p.Document}
		if err := t.Row(r, "%s\t%s\t%s\t%s\t%s", p.Name, string(p.Family), p.Stack, p.Title, strings.Join(paths, " ")); err != nil {
			return err
		}
	}
	return nil
}

func newShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME|FILE|STACK",
		Short: "Print the effective YAML of a profile, its stack's rules and messages filled in, or of a stack",
		Example: `  authcompat profile show snippit
  authcompat profile show snippit > mine.yaml && authcompat serve --profile mine.yaml
  authcompat profile show drf-3.14`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := effective(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

// effective returns the YAML of a profile or, if there is none, of the stack with that name.
func effective(ctx context.Context, name string) ([]byte, error) {
	p, err := profiles.LoadContext(ctx, name)
	switch {
	case err == nil:
		return p.YAML()
	case errors.Is(err, fs.ErrNotExist) && slices.Contains(profiles.Stacks(), name):
		return profiles.StackYAML(name)
	}
	if other := refuseExchanges(ctx, name); other != nil {
		return nil, other
	}
	if near := yamlfile.Nearest(name, profiles.Stacks()); near != "" && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; did you mean the stack %s?", err, near)
	}
	return nil, err
}

// refuseExchanges returns an error if what could not be loaded as a profile is an exchange file.
func refuseExchanges(ctx context.Context, path string) error {
	if profile, ok := command.IsExchangeFile(ctx, path); ok {
		return fmt.Errorf("%s: it is an exchange file, for profile %s, and no profile: authcompat conformance check %[1]s checks it", path, profile)
	}
	return nil
}

func newCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check NAME|FILE",
		Short: "Check a profile and report every problem at once",
		Long: `Check a profile: a file, - for what comes on standard input, or a built-in one. Exits 0 when it is good; 1 with every problem of the file, one a line, as
file:line:column: key: what is wrong; 2 when there is no such file.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := readProfile(cmd, args[0])
			if err != nil {
				return err
			}
			p, err := profiles.Parse(args[0], data)
			if err != nil {
				if other := refuseExchanges(cmd.Context(), args[0]); other != nil {
					return other
				}
				fmt.Fprintln(cmd.ErrOrStderr(), term.PrintableLines(err.Error()))
				return &command.ExitError{Code: command.Verdict}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: profile %s (family %s) is good\n", term.Printable(args[0]), p.Name, p.Family)
			return err
		},
	}
}

// readProfile reads what profile check is to check. A built-in profile goes before a file with its name, as
// everywhere.
func readProfile(cmd *cobra.Command, name string) ([]byte, error) {
	if name == flagvalue.StandardInput {
		return io.ReadAll(io.LimitReader(cmd.InOrStdin(), profiles.MaxFile+1)) // Parse refuses more
	}
	if text, ok := profiles.Source(name); ok {
		return text, nil
	}
	data, err := profiles.ReadFile(cmd.Context(), name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such file, nor a built-in profile with that name%s", name, yamlfile.DidYouMean(name, profiles.Builtin()))
	}
	return data, err
}
