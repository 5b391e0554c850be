package frontconfig

import (
	"context"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// Identity is how an application is told whose token was checked.
type Identity struct {
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
	keyFile, authorization section.Option
}

// readIdentity reads the section identity. A nil binding has been refused.
func readIdentity(v yamlfile.Value) *identityBinding {
	entries, ok := v.Entries()
	if !ok {
		v.Refuse("want a map with key_file or authorization, or {}")
		return nil
	}
	b := &identityBinding{at: section.Place(v)}
	for e := range entries {
		option := section.NewOption(e)
		switch {
		case e.Name != "key_file" && e.Name != "authorization":
			e.RefuseUnknown("key_file", "authorization")
		case !section.IsScalar(e.Value) || option.Value == "":
			e.Value.Refuse("want a value")
			b.keyFile.At = option.At // what is meant is not known
		case e.Name == "key_file":
			b.keyFile = option
		case option.Value != keepAuthorization && option.Value != dropAuthorization:
			e.Value.Refuse("%q: want %s or %s", option.Value, keepAuthorization, dropAuthorization)
		default:
			b.authorization = option
		}
	}
	return b
}

// loadIdentity checks the section, and returns it; nil: there is none.
func (f Server) loadIdentity(ctx context.Context, b *identityBinding, found *section.Problems) *Identity {
	if b == nil {
		return nil
	}
	at := b.keyFile.At
	if at == "" {
		at = b.at
	}
	loaded := &Identity{b.keyFile.Value, b.authorization.Value == dropAuthorization, at}
	if b.keyFile.At != "" && b.keyFile.Value == "" {
		return loaded // it has been refused
	}
	if err := loaded.File(f.Store).Check(ctx, keyring.Location{File: f.KeyFile, DSN: f.Store}); err != nil {
		found.Add(at, "%v", err)
	}
	return loaded
}

// File returns where the keys are that sign the identities, with a store.
func (i *Identity) File(dsn string) keyring.IdentityFile {
	return keyring.IdentityFile{File: i.KeyFile, DSN: dsn}
}

// show returns the section as YAML.
func (b *identityBinding) show() *yaml.Node { return ShowIdentity(b.keyFile, b.authorization) }

// ShowIdentity returns a section identity with some options as YAML. A key in the place of the
// file's name is not shown.
func ShowIdentity(options ...section.Option) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, o := range options {
		if o.Value == "" {
			continue
		}
		if o.Key == "key_file" && keyring.Misplaced(o.Value) {
			o.Value = section.Masked
		}
		node.Content = append(node.Content, section.Text(o.Key), section.Text(o.Value))
	}
	return node
}
