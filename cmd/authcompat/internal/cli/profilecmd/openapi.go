package profilecmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/openapi"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
)

func newOpenAPI() *cobra.Command {
	var exchanges string
	cmd := &cobra.Command{
		Use:   "openapi NAME|FILE",
		Short: "Print the API of a profile as OpenAPI 3.1 (JSON)",
		Long: `Print the API of a profile as OpenAPI 3.1 (JSON): its paths, what requests and replies look like, and by what clients are
recognised. Examples are those of the profile's exchange file, if one is built in, or of --exchanges. OpenAPI can't say all: not the
order of keys, nor which messages there are, nor what a path without its trailing slash answers; exchanges do.`,
		Example: `  authcompat profile openapi snippit > snippit.json
  authcompat profile openapi my.yaml --exchanges my-exchanges.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := profiles.LoadContext(cmd.Context(), args[0])
			if errors.Is(err, fs.ErrNotExist) && slices.Contains(profiles.Stacks(), args[0]) {
				return fmt.Errorf("%q is a stack, and has no API of its own: want a profile", args[0])
			}
			if err != nil {
				if other := refuseExchanges(cmd.Context(), args[0]); other != nil {
					return other
				}
				return err
			}
			file, err := exchangesOf(cmd.Context(), p, exchanges)
			if err != nil {
				return err
			}
			document, err := openapi.Document(p, file)
			if err != nil {
				return err
			}
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetIndent("", "  ")
			e.SetEscapeHTML(false)
			return e.Encode(document)
		},
	}
	cmd.Flags().StringVar(&exchanges, "exchanges", "", "exchange file with the examples")
	return cmd
}

// exchangesOf reads the exchange file of a profile; nil: there is none.
func exchangesOf(ctx context.Context, p *profiles.Profile, path string) (*conformance.File, error) {
	if path != "" {
		file, err := command.ReadExchanges(ctx, path, "authcompat conformance show NAME > FILE starts one")
		var unread command.UnreadError
		switch {
		case errors.As(err, &unread):
			return nil, fmt.Errorf("--exchanges %w", err)
		case err != nil:
			return nil, err // which begins with the file
		case file.Profile != p.Name:
			return nil, fmt.Errorf("--exchanges %s: it says profile: %s, and the profile is %s", path, file.Profile, p.Name)
		}
		return file, nil
	}
	file, err := conformance.Builtin(p.Name)
	if errors.Is(err, conformance.ErrNoExchanges) {
		return nil, nil
	}
	return file, err
}
