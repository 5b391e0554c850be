package config

import (
	"cmp"
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
)

// WriteYAML writes the settings to w as a configuration file, with secrets masked and the
// source of each setting beside it. A file that is given as an argument is the same as one
// of --config. The error has all invalid values, one a line.
func (f *Server) WriteYAML(ctx context.Context, w io.Writer, arguments ...string) error {
	found := &problems{}
	for _, file := range arguments {
		applyConfigArgument(ctx, f.flags, file, found)
	}
	if f.checkValues(found); len(found.lines) > 0 {
		return cmp.Or(ctx.Err(), found.err())
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(f.show()); err != nil {
		return err
	}
	return e.Close()
}

// show returns the settings as YAML.
func (f *Server) show() *yaml.Node {
	root := &yaml.Node{Kind: yaml.MappingNode}
	if len(f.bindings) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, l := range f.bindings {
			item := &yaml.Node{Kind: yaml.MappingNode}
			item.Content = append(item.Content, text("profile"), text(l.profile))
			if l.address != "" {
				item.Content = append(item.Content, text("address"), text(l.address))
			}
			for _, o := range l.tls.options() {
				if o.value != "" {
					item.Content = append(item.Content, text(o.key), text(o.value))
				}
			}
			list.Content = append(list.Content, item)
		}
		key := text(listenersKey)
		key.HeadComment = printedSource(f.flags.Lookup(listenersFlag))
		root.Content = append(root.Content, key, list)
	}
	sections := map[string]*yaml.Node{"": root}
	for _, s := range settings() {
		if s.flag == "listen" && len(f.bindings) > 0 && !slices.ContainsFunc(f.bindings, binding.unbound) {
			continue // no profile is served there
		}
		flag := f.flags.Lookup(s.flag)
		name, section := s.key, root
		if before, after, nested := strings.Cut(s.key, "."); nested {
			name, section = after, sections[before]
			if section == nil {
				section = &yaml.Node{Kind: yaml.MappingNode}
				sections[before] = section
				root.Content = append(root.Content, text(before), section)
			}
		}
		value := shown(s.flag, flag)
		value.LineComment = printedSource(flag)
		if _, set := os.LookupEnv(keyring.EnvVar); set && s.flag == "secret-key-file" {
			value.LineComment += "; not read, because " + keyring.EnvVar + " has the keys"
		}
		section.Content = append(section.Content, text(name), value)
	}
	return root
}

// shown returns the value of a flag as YAML.
func shown(name string, f *pflag.Flag) *yaml.Node {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, value := range list.GetSlice() {
			n.Content = append(n.Content, text(value))
		}
		return n
	}
	value := f.Value.String()
	if name == "store" {
		value = maskDSN(value)
	}
	if f.Value.Type() == "int" {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: value}
	}
	return text(value)
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// printedSource returns the source of a setting as it is printed.
func printedSource(f *pflag.Flag) string {
	switch {
	case f.Annotations[fromEnvironment] != nil:
		return f.Annotations[fromEnvironment][0]
	case f.Annotations[fromConfig] != nil:
		return f.Annotations[fromConfig][0]
	case f.Changed:
		return "--" + f.Name
	}
	return "default"
}
