package cli

import (
	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/server"
)

func newServe() *cobra.Command {
	f := config.NewServer()
	cmd := &cobra.Command{
		Use:   "serve --profile NAME|FILE",
		Short: "Serve one or more old APIs",
		Long: `Serve an old API. Several profiles on one user base are served in one process, each at an address of
its own: --profile NAME@ADDRESS, repeated.

A token that has to be shown again at each login is kept sealed. The key comes from
AUTHCOMPAT_SECRET_KEY (base64 of 32 bytes) or --secret-key-file; for an SQLite database it is made at
the first start, in a file beside the database that only its owner can read. Keep that file: without it
such logins fail until it is back.

SIGHUP reads the configuration file, the profiles, keys and certificates again; where something is wrong
with them, all stays as it was and the log says why. Settings that take a restart stay as they are, and the
log names those that have changed. SIGTERM lets requests in flight finish.`,
		Example: `  authcompat serve --profile snippit
  authcompat serve --profile ./mine.yaml --listen 127.0.0.1:9000 --store sqlite:/var/lib/auth/users.db
  authcompat serve --profile snippit@127.0.0.1:8000 --profile ocd-users@127.0.0.1:8001
  authcompat serve --config /etc/authcompat.yaml`,
		Args:              cobra.NoArgs,
		Annotations:       map[string]string{reloadsOnHangup: "yes"},
		PersistentPreRunE: command.SkipsPreRun,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// Before the settings are read: what an earlier SIGHUP is to take over is read anyway.
			hangups := server.Hangups(cmd.Context())
			f.Unknown = command.UnknownVariables(cmd)
			all, err := f.Resolve(cmd.Context(), "")
			if err != nil {
				return err
			}
			return server.Run(cmd.Context(), f, all, hangups, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.AddFlags(cmd.Flags())
	return cmd
}
