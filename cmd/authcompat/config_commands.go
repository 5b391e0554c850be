package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"
)

func newConfig() *cobra.Command {
	return group("config", "Check and print a server's settings", newConfigCheck(), newConfigPrint())
}

func newConfigCheck() *cobra.Command {
	f := newServeFlags()
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a server's settings, and the profiles, keys and certificates that they name",
		Long: `Check a configuration file. Exits 0 when it is good; 1 with every problem, one a line, as
file:line:column: key: what is wrong, or with the flag or variable that a value comes from. Flags and variables
count as they do for serve, which checks the same before it starts. The store is not opened, nor an address.`,
		Args:              cobra.MaximumNArgs(1),
		PersistentPreRunE: settlesItself,
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := f.settle(strings.Join(args, ""))
			if err != nil {
				return err
			}
			for _, p := range all {
				fmt.Fprintf(cmd.OutOrStdout(), "profile %s at %s\n", p.profile.Name, p.address)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "the settings are good")
			return err
		},
	}
	f.add(cmd.Flags())
	return cmd
}

func newConfigPrint() *cobra.Command {
	f := newServeFlags()
	cmd := &cobra.Command{
		Use:   "print [FILE]",
		Short: "Print the effective settings as a configuration file, secrets masked",
		Long: `Print what serve would work with: flags before variables before the file before defaults. Beside each
setting stands where it comes from. A password in the store's address is masked, and the whole of an address
that is not understood; keys are never shown.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			found := &problems{}
			if len(args) > 0 {
				applyConfigArgument(cmd.Flags(), args[0], found)
			}
			if f.checkValues(found); len(found.lines) > 0 {
				return found.err()
			}
			e := yaml.NewEncoder(cmd.OutOrStdout())
			e.SetIndent(2)
			if err := e.Encode(show(cmd.Flags(), f)); err != nil {
				return err
			}
			return e.Close()
		},
	}
	f.add(cmd.Flags())
	return cmd
}

// show makes the YAML of the settings.
func show(flags *pflag.FlagSet, f *serveFlags) *yaml.Node {
	root := &yaml.Node{Kind: yaml.MappingNode}
	if len(f.profiles) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, l := range f.profiles {
			item := &yaml.Node{Kind: yaml.MappingNode}
			item.Content = append(item.Content, text("profile"), text(l.profile))
			if l.address != "" {
				item.Content = append(item.Content, text("address"), text(l.address))
			}
			list.Content = append(list.Content, item)
		}
		key := text(listenersKey)
		key.HeadComment = origin(flags.Lookup(listenersFlag))
		root.Content = append(root.Content, key, list)
	}
	sections := map[string]*yaml.Node{"": root}
	for _, s := range settings() {
		flag := flags.Lookup(s.flag)
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
		value.LineComment = origin(flag)
		section.Content = append(section.Content, text(name), value)
	}
	return root
}

// shown is the value of a flag.
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

// origin says where a setting comes from.
func origin(f *pflag.Flag) string {
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
