package config

import (
	"context"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// FrontIdentity is how an application is told whose token was checked.
type FrontIdentity struct {
	KeyFile           string // a file with keys; empty: the one beside an SQLite database
	DropAuthorization bool   // where an identity goes on, the client's Authorization does not
	At                string // where it is set: a position with its key
}

// The values of identity.authorization.
const (
	keepAuthorization = "keep"
	dropAuthorization = "drop"
)

// identityBinding is the section identity of a front.
type identityBinding struct {
	at                     string // its position
	keyFile, authorization frontOption
}

// readIdentity reads the section identity. A nil binding has been refused.
func readIdentity(v yamlfile.Value) *identityBinding {
	entries, ok := v.Entries()
	if !ok {
		v.Refuse("want a map with key_file or authorization, or {}")
		return nil
	}
	b := &identityBinding{at: place(v)}
	for e := range entries {
		option := frontOption{e.Name, e.Value.Node.Value, place(e.Value)}
		switch {
		case e.Name != "key_file" && e.Name != "authorization":
			e.Refuse("unknown key; identity has key_file and authorization")
		case !isScalar(e.Value) || option.value == "":
			e.Value.Refuse("want a value")
			b.keyFile.at = option.at // what is meant is not known
		case e.Name == "key_file":
			b.keyFile = option
		case option.value != keepAuthorization && option.value != dropAuthorization:
			e.Value.Refuse("%q: want %s or %s", option.value, keepAuthorization, dropAuthorization)
		default:
			b.authorization = option
		}
	}
	return b
}

// loadIdentity checks the section, and returns it; nil: there is none.
func (f *Server) loadIdentity(ctx context.Context, b *identityBinding, found *problems) *FrontIdentity {
	if b == nil {
		return nil
	}
	at := b.keyFile.at
	if at == "" {
		at = b.at
	}
	loaded := &FrontIdentity{b.keyFile.value, b.authorization.value == dropAuthorization, at}
	if b.keyFile.at != "" && b.keyFile.value == "" {
		return loaded // it has been refused
	}
	if err := f.IdentityFile(loaded).Check(ctx, keyring.Location{File: f.KeyFile, DSN: f.Engine.Store}); err != nil {
		found.add(at, "%v", err)
	}
	return loaded
}

// IdentityFile returns where the keys are that sign the identities for an application.
func (c *Config) IdentityFile(i *FrontIdentity) keyring.IdentityFile {
	return keyring.IdentityFile{File: i.KeyFile, DSN: c.Engine.Store}
}

// show returns the section as YAML. A key in the place of the file's name is not shown.
func (b *identityBinding) show() *yaml.Node {
	section := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, o := range []frontOption{b.keyFile, b.authorization} {
		if o.value == "" {
			continue
		}
		if o.key == "key_file" && keyring.Misplaced(o.value) {
			o.value = masked
		}
		section.Content = append(section.Content, text(o.key), text(o.value))
	}
	return section
}
