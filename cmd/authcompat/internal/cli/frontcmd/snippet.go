package frontcmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/snippet"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

func newFrontSnippet() *cobra.Command {
	v := snippet.Values{Ask: "127.0.0.1:8082", Application: "127.0.0.1:9000", Listen: "127.0.0.1:8080", LuaFile: "/etc/haproxy/authcompat.lua", CAFile: "/etc/ssl/certs/ca-certificates.crt"}
	var profile string
	var lua bool
	var asked config.AskSettings
	cmd := &cobra.Command{
		Use:   "snippet " + strings.Join(snippet.Proxies(), "|"),
		Short: "Print a configuration with which a reverse proxy asks for tokens",
		Long: `Print a configuration with which a reverse proxy asks authcompat (serve --ask) whether the token of a request
is good, before it passes the request on to an application. A request without a good token gets the old API's own
refusal. HAProxy needs a Lua file too, which --lua prints.

Where the settings have ask.identity (--config FILE), or with --identity, the application is told whose token was asked about, and
what clients say there themselves is removed.`,
		Example: `  authcompat front snippet nginx --profile snippit > nginx.conf
  authcompat front snippet haproxy --profile snippit --lua > /etc/haproxy/authcompat.lua`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: snippet.Proxies(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(snippet.Proxies(), args[0]) {
				return fmt.Errorf("%q is no proxy that is known here: want %s%s", args[0], strings.Join(snippet.Proxies(), ", "), yamlfile.DidYouMean(args[0], snippet.Proxies()))
			}
			if profile == "" {
				return fmt.Errorf("which API? Give --profile NAME or FILE; built in are %s", strings.Join(profiles.Builtin(), ", "))
			}
			p, err := profiles.LoadContext(cmd.Context(), profile)
			if err != nil {
				return err
			}
			v.Profile, v.Identity = p.Name, v.Identity || asked.Identity.On
			v.TLS = bool(asked.TLS)
			switch {
			case lua && args[0] != "haproxy":
				return fmt.Errorf("--lua is for haproxy")
			case lua:
				return snippet.WriteLua(cmd.OutOrStdout(), v)
			}
			return snippet.Write(cmd.OutOrStdout(), args[0], v)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&profile, "profile", "", "profile whose tokens are asked for: a built-in name or a file")
	flags.StringVar((*string)(&v.Ask), "ask", string(v.Ask), "address at which the server is asked (serve --ask)")
	flags.StringVar((*string)(&v.Application), "application", string(v.Application), "address of the application")
	flags.StringVar((*string)(&v.Listen), "proxy-address", string(v.Listen), "address at which the proxy listens")
	flags.StringVar(&v.LuaFile, "lua-file", v.LuaFile, "where HAProxy finds its Lua file")
	flags.BoolVar(&v.Identity, "identity", false, "pass on whose token it is, which the server tells (serve --ask-identity)")
	config.WithoutVariables(flags, "identity")
	asked.AddFlags(flags)
	flags.StringVar(&v.CAFile, "ask-ca-file", v.CAFile, "where the proxy finds the certificates that the server's is checked by (PEM), over TLS")
	flags.BoolVar(&lua, "lua", false, "print the Lua file of HAProxy")
	return cmd
}
