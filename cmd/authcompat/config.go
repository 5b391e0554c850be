package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"
)

// configFlag names the configuration file.
const configFlag = "config"

// settings are the keys of a configuration file, in the order in which they are
// shown, each with the flag that it stands for. The key listeners, which is none
// of them, is a list of maps.
func settings() []setting {
	return []setting{
		{"listen", "listen"},
		{"manage", "manage"},
		{"store", "store"},
		{"secret_key_file", "secret-key-file"},
		{"password_iterations", "password-iterations"},
		{"keep_expired", "keep-expired"},
		{"keep_audit", "keep-audit"},
		{"trusted_proxies", "trusted-proxy"},
		{"log.format", "log-format"},
		{"log.requests", "log-requests"},
		{"limits.guessing", "limits"},
		{"limits.account", "limit-account"},
		{"limits.address", "limit-address"},
		{"limits.connections", "max-connections"},
		{"limits.hash_threads", "hash-threads"},
		{"limits.hash_queue", "hash-queue"},
		{"tls.certificate", "tls-cert"},
		{"tls.key", "tls-key"},
	}
}

// setting is a key of the file and the flag that it stands for.
type setting struct{ key, flag string }

// listenersKey is the list of profiles with their addresses, the flag --profile.
const (
	listenersKey  = "listeners"
	listenersFlag = "profile"
)

// fromConfig marks a flag that was set from a configuration file.
const fromConfig = "config"

// maxConfig is the most bytes a configuration file may have.
const maxConfig = 1 << 20

// configFile is a configuration that is being read. All that is wrong with it is
// told at once.
type configFile struct {
	name     string
	flags    *pflag.FlagSet // of the command; a flag that it lacks is read and left
	all      *pflag.FlagSet // of a server, to know what values are good
	problems []string
}

// applyConfig sets each flag that was not given, and that has no variable, from
// the file.
func applyConfig(flags *pflag.FlagSet, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	if len(data) > maxConfig {
		return fmt.Errorf("--config: %s is larger than 1 MiB", name)
	}
	c := &configFile{name: name, flags: flags, all: pflag.NewFlagSet("", pflag.ContinueOnError)}
	newServeFlags().add(c.all)
	c.read(data)
	if len(c.problems) > 0 {
		return errors.New(strings.Join(c.problems, "\n"))
	}
	return nil
}

func (c *configFile) read(data []byte) {
	var document, next yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		c.problems = append(c.problems, c.name+":1:1: the file is empty")
		return
	case err != nil:
		c.problems = append(c.problems, c.name+": "+strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	if decoder.Decode(&next) == nil {
		c.add(&next, "", "a second document begins here")
	}
	c.section(document.Content[0], "")
}

func (c *configFile) add(at *yaml.Node, key, format string, args ...any) {
	text := fmt.Sprintf("%s:%d:%d: ", c.name, at.Line, at.Column)
	if key != "" {
		text += key + ": "
	}
	c.problems = append(c.problems, text+fmt.Sprintf(format, args...))
}

// section reads a map. prefix is the path of keys down to it.
func (c *configFile) section(n *yaml.Node, prefix string) {
	if n.Kind != yaml.MappingNode {
		c.add(n, strings.TrimSuffix(prefix, "."), "want a map")
		return
	}
	seen := make(map[string]int)
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := prefix + key.Value
		if first, twice := seen[path]; twice {
			c.add(key, path, "is there twice, first on line %d", first)
			continue
		}
		seen[path] = key.Line
		at := slices.IndexFunc(settings(), func(s setting) bool { return s.key == path })
		switch {
		case path == listenersKey:
			c.listeners(value)
		case at >= 0:
			c.set(value, path, settings()[at].flag)
		case slices.ContainsFunc(settings(), func(s setting) bool { return strings.HasPrefix(s.key, path+".") }):
			c.section(value, path+".")
		default:
			c.add(key, path, "unknown key; the keys here are %s", strings.Join(keysAt(prefix), ", "))
		}
	}
}

// keysAt gives the keys of a section.
func keysAt(prefix string) []string {
	var keys []string
	if prefix == "" {
		keys = append(keys, listenersKey)
	}
	for _, s := range settings() {
		if rest, ok := strings.CutPrefix(s.key, prefix); ok {
			key, _, _ := strings.Cut(rest, ".")
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// set gives a flag the value of a key: a text, a number, or a list of texts.
func (c *configFile) set(n *yaml.Node, path, flag string) {
	var values []string
	_, list := c.all.Lookup(flag).Value.(pflag.SliceValue)
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" && !list:
		values = []string{n.Value}
	case n.Kind == yaml.SequenceNode && list:
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode || item.ShortTag() == "!!null" {
				c.add(item, path, "want a text")
				return
			}
			values = append(values, item.Value)
		}
	case list:
		c.add(n, path, "want a list of texts")
		return
	default:
		c.add(n, path, "want a value")
		return
	}
	c.assign(n, path, flag, values)
}

// listeners reads the profiles and where they are served.
func (c *configFile) listeners(n *yaml.Node) {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		c.add(n, listenersKey, "want a list of maps with profile and address")
		return
	}
	var values []string
	for _, item := range n.Content {
		var given struct{ Profile, Address string }
		for i := 0; item.Kind == yaml.MappingNode && i < len(item.Content); i += 2 {
			switch key, value := item.Content[i], item.Content[i+1]; {
			case key.Value == "profile" && value.Kind == yaml.ScalarNode:
				given.Profile = value.Value
			case key.Value == "address" && value.Kind == yaml.ScalarNode:
				given.Address = value.Value
			default:
				c.add(key, listenersKey+"."+key.Value, "unknown key; a listener has profile and address")
			}
		}
		if given.Profile == "" {
			c.add(item, listenersKey, "want a map with profile, and address for several")
			continue
		}
		if given.Address != "" {
			given.Profile += "@" + given.Address
		}
		values = append(values, given.Profile)
	}
	c.assign(n, listenersKey, listenersFlag, values)
}

// assign checks the values as a flag's, and sets the command's flag where
// nothing goes before the file.
func (c *configFile) assign(n *yaml.Node, path, flag string, values []string) {
	if err := setFlag(c.all, flag, values); err != nil {
		c.add(n, path, "%v", err)
		return
	}
	if known := c.flags.Lookup(flag); known != nil && !known.Changed {
		if err := setFlag(c.flags, flag, values); err != nil {
			c.add(n, path, "%v", err)
		}
		_ = c.flags.SetAnnotation(flag, fromConfig, []string{fmt.Sprintf("%s:%d", c.name, n.Line)}) // fails only for a flag that is not there
	}
}

// setFlag sets a flag, one of lists to all values, another to the one.
func setFlag(flags *pflag.FlagSet, name string, values []string) error {
	f := flags.Lookup(name)
	list, ok := f.Value.(pflag.SliceValue)
	if !ok {
		return f.Value.Set(values[0])
	}
	return list.Replace(values)
}

// reread gives the settings of a server as they would be if it were started now.
func reread(cmd *cobra.Command) (*serveFlags, error) {
	f := newServeFlags()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.add(flags)
	var err error
	cmd.Flags().Visit(func(given *pflag.Flag) {
		if flags.Lookup(given.Name) == nil || given.Annotations[fromEnvironment] != nil {
			return
		}
		values := []string{given.Value.String()}
		if list, ok := given.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if e := setFlag(flags, given.Name, values); e != nil {
			err = e
		}
		flags.Lookup(given.Name).Changed = true
	})
	if err != nil {
		return nil, err
	}
	return f, configure(flags)
}
