package main

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/dialects"
)

// defaultListen is where a single profile is served.
const defaultListen = "127.0.0.1:8000"

type serveFlags struct {
	engine   engineFlags
	profiles []string
	listen   string
	manage   string
	keyFile  string
}

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve --profile NAME|FILE",
		Short: "Serve one or more old APIs",
		Long: `Serve an old API. Several profiles on one user base are served in one process, each at an address of
its own: --profile NAME@ADDRESS, repeated.

A token that has to be shown again at each login is kept sealed. The key comes from
AUTHCOMPAT_SECRET_KEY (base64 of 32 bytes) or --secret-key-file; for an SQLite database it is made at
the first start, in a file beside the database that only its owner can read. Keep that file: without it
such logins fail until it is back.`,
		Example: `  authcompat serve --profile snippit
  authcompat serve --profile ./mine.yaml --listen 127.0.0.1:9000 --store sqlite:/var/lib/auth/users.db
  authcompat serve --profile snippit@127.0.0.1:8000 --profile ocd-users@127.0.0.1:8001`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.serve(cmd) },
	}
	f.engine.add(cmd.Flags())
	cmd.Flags().StringSliceVar(&f.profiles, "profile", nil, "profile to serve: a built-in name or a file, with @ADDRESS for several (repeatable)")
	cmd.Flags().StringVar(&f.listen, "listen", defaultListen, "address of the API, for one profile")
	cmd.Flags().StringVar(&f.manage, "manage", "", "address of the management listener (/livez, /readyz), for instance 127.0.0.1:8081; none if empty")
	cmd.Flags().StringVar(&f.keyFile, "secret-key-file", "", "file with the key that seals tokens which are shown again")
	return cmd
}

func (f *serveFlags) serve(cmd *cobra.Command) (err error) {
	placed, err := place(f.profiles, f.listen, cmd.Flags().Changed("listen"))
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	sealer, err := openSealer(f.keyFile, f.engine.store)
	if err != nil {
		return err
	}
	service, store, err := f.engine.open(cmd.Context(), sealer, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	var sites sites
	defer func() { sites.close() }()
	for _, p := range placed {
		handler, err := dialects.New(p.profile, service)
		if err != nil {
			return err
		}
		if err := sites.listen(p.address, watch(handler, p.profile.Name, log), log); err != nil {
			return fmt.Errorf("profile %s: %w", p.profile.Name, err)
		}
	}
	guide := newGuide(placed, sites, f.engine.store)
	if f.manage != "" {
		if err := sites.listen(f.manage, manage(service), log); err != nil {
			return fmt.Errorf("--manage: %w", err)
		}
	}
	if err := guide.write(cmd.OutOrStdout()); err != nil {
		return err
	}
	return sites.serve(cmd.Context(), log)
}
