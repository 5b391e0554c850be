package main

import (
	"errors"
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
		Short: "Check a configuration file, and the profiles and certificates that it names",
		Long: `Check a configuration file. Exits 0 when it is good; 1 with every problem of the file, one a line, as
file:line:column: key: what is wrong. Flags and variables count as they do for serve. The store is not opened.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := withFile(cmd.Flags(), args); err != nil {
				return err
			}
			if err := f.check(); err != nil {
				return err
			}
			all, err := place(f.profiles, f.listen, cmd.Flags().Changed("listen"))
			if err != nil {
				return err
			}
			if f.tlsCertificate != "" {
				if _, err := loadCertificate(f.tlsCertificate, f.tlsKey); err != nil {
					return err
				}
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
			if err := withFile(cmd.Flags(), args); err != nil {
				return err
			}
			if err := f.check(); err != nil {
				return err
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

// withFile applies a configuration file that is given as an argument.
func withFile(flags *pflag.FlagSet, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if flags.Lookup(configFlag).Value.String() != "" {
		return errors.New("the file is given twice, as an argument and with --config")
	}
	return applyConfig(flags, args[0])
}

// show makes the YAML of the settings.
func show(flags *pflag.FlagSet, f *serveFlags) *yaml.Node {
	root := &yaml.Node{Kind: yaml.MappingNode}
	if len(f.profiles) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, value := range f.profiles {
			profile, address := splitAddress(value)
			item := &yaml.Node{Kind: yaml.MappingNode}
			item.Content = append(item.Content, text("profile"), text(profile))
			if address != "" {
				item.Content = append(item.Content, text("address"), text(address))
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
