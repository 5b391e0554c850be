package config

import (
	"context"
	"crypto/tls"
	"errors"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/frontconfig"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/dialects/ask"
	"github.com/authcompat/authcompat/profiles/smallfile"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// The flags of the listener that proxies and services ask at.
const (
	askFlag         = "ask"
	callersFlag     = "callers-file"
	askTLSFlag      = "ask-tls"
	askIdentityFlag = "ask-identity"
)

// askIdentityKey is the section that the flag of identities stands for.
const askIdentityKey = "ask.identity"

// AskIdentity says whether proxies that ask about a good token are told whose it is, and is
// the value of --ask-identity: on, off, or the file with the keys.
type AskIdentity struct {
	On      bool
	KeyFile string // a file with keys; empty: the one beside an SQLite database
}

var _ pflag.Value = (*AskIdentity)(nil)

// Set implements pflag.Value.
func (i *AskIdentity) Set(text string) error {
	switch text {
	case "off", "false", "":
		*i = AskIdentity{}
	case "on", "true":
		*i = AskIdentity{On: true}
	default:
		*i = AskIdentity{On: true, KeyFile: text}
	}
	return nil
}

// String implements pflag.Value.
func (i *AskIdentity) String() string {
	switch {
	case !i.On:
		return "off"
	case i.KeyFile == "":
		return "on"
	}
	return i.KeyFile
}

// Type implements pflag.Value.
func (i *AskIdentity) Type() string { return "on|off|FILE" }

// AskSettings are what proxies need to know of the listener that they ask at.
type AskSettings struct {
	TLS      flagvalue.Toggle
	Identity AskIdentity
}

// AddFlags adds to a command the flags of these settings, that of Identity hidden, and that of
// the configuration file, which sets them.
func (a *AskSettings) AddFlags(flags *pflag.FlagSet) {
	flags.Var(&a.TLS, askTLSFlag, "ask over TLS (serve --ask-tls): on or off")
	flags.Var(&a.Identity, askIdentityFlag, "as of serve")
	_ = flags.MarkHidden(askIdentityFlag) // fails only for a flag that is not there
	flags.String(configFlag, "", "YAML file with a server's settings, of which those of ask count; flags and variables go before it")
}

// show returns the section that the value stands for as YAML. A key in the place of the
// file's name is not shown.
func (i *AskIdentity) show() *yaml.Node {
	return frontconfig.ShowIdentity(section.Option{Key: "key_file", Value: i.KeyFile})
}

// setAskIdentity sets the flag to what the section says.
func (c *configFile) setAskIdentity(v yamlfile.Value) {
	entries, ok := v.Entries()
	if !ok {
		c.refuse(v, askIdentityFlag, "want a map with key_file, or {}")
		return
	}
	i, at := AskIdentity{On: true}, section.Place(v)
	for e := range entries {
		switch {
		case e.Name != "key_file":
			e.RefuseUnknown("key_file")
			c.found.Refuse(askIdentityFlag)
		case !section.IsScalar(e.Value) || e.Value.Node.Value == "":
			c.refuse(e.Value, askIdentityFlag, "want a value")
		default:
			i.KeyFile, at = e.Value.Node.Value, section.Place(e.Value)
		}
	}
	if known := c.flags.Lookup(askIdentityFlag); known != nil && !known.Changed {
		*known.Value.(*AskIdentity) = i
		mark(known, v, []string{at})
	}
}

// checkAsk checks what needs the listener, and reads the file of the callers.
func (f *Server) checkAsk(ctx context.Context, found *section.Problems) {
	f.checkAskIdentity(ctx, found)
	if bool(f.AskTLS) && f.Ask == "" && !found.Refused[askFlag] {
		found.Add(f.source(askTLSFlag), "needs the listener that proxies and services ask at (--ask, ask.address)")
	}
	if f.CallersFile == "" || found.Refused[callersFlag] {
		return
	}
	if f.Ask == "" && !found.Refused[askFlag] {
		found.Add(f.source(callersFlag), "needs the listener that services ask at (--ask, ask.address)")
	}
	data, err := smallfile.Read(ctx, f.CallersFile)
	if err != nil {
		found.Add(f.source(callersFlag), "%v", err)
		return
	}
	var inside yamlfile.Problems
	if f.Callers, err = ask.ParseCallers(f.CallersFile, data); errors.As(err, &inside) {
		found.Lines = append(found.Lines, inside.Error()) // each with its place in the file
	}
}

// checkAskIdentity reads the keys that sign identities for proxies, and makes none.
func (f *Server) checkAskIdentity(ctx context.Context, found *section.Problems) {
	if !f.AskIdentity.On || found.Refused[askIdentityFlag] {
		return
	}
	if f.Ask == "" && !found.Refused[askFlag] {
		found.Add(f.source(askIdentityFlag), "needs the listener that proxies ask at (--ask, ask.address)")
	}
	if err := f.AskIdentityFile().Check(ctx, keyring.Location{File: f.KeyFile, DSN: f.Engine.Store}); err != nil {
		found.Add(f.source(askIdentityFlag), "%v", err)
	}
}

// AskIdentityFile returns where the keys are that sign the identities for proxies.
func (c *Config) AskIdentityFile() keyring.IdentityFile {
	return keyring.IdentityFile{File: c.AskIdentity.KeyFile, DSN: c.Engine.Store}
}

// AskIdentityAt returns where it is set that proxies are told of identities: a position with
// its key, a flag or a variable.
func (f *Server) AskIdentityAt() string { return f.source(askIdentityFlag) }

// AskTLSOptions returns what clients may use of TLS at the listener that proxies and services
// ask at, if it has TLS. None of them is as old as those for whom the others allow more.
func (c *Config) AskTLSOptions() httpserver.TLSOptions {
	return httpserver.TLSOptions{MinVersion: max(tls.VersionTLS12, versionOf(c.TLSMinVersion.Value))}
}
