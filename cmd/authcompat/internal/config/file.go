package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"
)

// configFlag names the configuration file.
const configFlag = "config"

// listenersKey is the list of profiles with their addresses, the flag --profile.
const (
	listenersKey  = "listeners"
	listenersFlag = "profile"
)

// Annotations of a flag that was set from a configuration file: its file and line, and the
// position and key of each value.
const (
	fromConfig   = "config"
	configPlaces = "config-places"
)

// maxConfig is the maximum size of a configuration file, in bytes.
const maxConfig = 1 << 20

// configFile is a configuration file that is being read.
type configFile struct {
	name  string
	flags *pflag.FlagSet // of the command; a flag that it lacks is read and left
	all   *pflag.FlagSet // of a server, to know what values are good
	found *problems
}

// applyConfig sets each flag from the file that is neither on the command line nor set by
// its variable, and finds everything that is wrong with the file. at is the setting that
// names the file.
func applyConfig(flags *pflag.FlagSet, at, name string, found *problems) {
	data, err := readConfig(name)
	if err != nil {
		found.add(at, "%v", err)
		found.unread = true
		return
	}
	c := &configFile{name: name, flags: flags, all: pflag.NewFlagSet("", pflag.ContinueOnError), found: found}
	NewServer().AddFlags(c.all)
	c.read(data)
}

func readConfig(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err == nil && len(data) > maxConfig {
		err = fmt.Errorf("%s is larger than 1 MiB", name)
	}
	return data, err
}

// applyConfigArgument applies a configuration file that is given as an argument.
func applyConfigArgument(flags *pflag.FlagSet, name string, found *problems) {
	if flags.Lookup(configFlag).Value.String() != "" {
		found.add(name, "the file is given twice, as an argument and with --config")
		found.unread = true
		return
	}
	applyConfig(flags, "FILE", name, found)
}

func (c *configFile) read(data []byte) {
	var document, next yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		c.found.add(c.name+":1:1", "the file is empty")
		c.found.unread = true
		return
	case err != nil:
		c.found.add(c.name, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		c.found.unread = true
		return
	}
	switch err := decoder.Decode(&next); {
	case err == nil:
		c.add(&next, "", "a second document begins here")
	case !errors.Is(err, io.EOF):
		c.found.add(c.name, "a second document: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	c.section(document.Content[0], "")
}

// at returns the position of a node, with its key if it has one.
func (c *configFile) at(n *yaml.Node, key string) string {
	place := fmt.Sprintf("%s:%d:%d", c.name, n.Line, n.Column)
	if key != "" {
		place += ": " + key
	}
	return place
}

func (c *configFile) add(n *yaml.Node, key, format string, args ...any) {
	c.found.add(c.at(n, key), format, args...)
}

// refuse adds a problem with the value of a flag.
func (c *configFile) refuse(n *yaml.Node, key, flag, format string, args ...any) {
	c.add(n, key, format, args...)
	c.found.refuse(flag)
}

// section reads a map. prefix is the path of keys that leads to it.
func (c *configFile) section(n *yaml.Node, prefix string) {
	if n.Kind != yaml.MappingNode {
		c.add(n, strings.TrimSuffix(prefix, "."), "want a map")
		c.found.unread = c.found.unread || prefix == ""
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
		flag, now := flagOf(path), formerKeys()[path]
		switch {
		case path == listenersKey:
			c.bindings(value)
		case flag != "":
			c.set(value, path, flag)
		case slices.ContainsFunc(settings(), func(s setting) bool { return strings.HasPrefix(s.key, path+".") }):
			c.section(value, path+".")
		case now != "":
			c.refuse(key, path, flagOf(now), "is called %s now", now)
		default:
			c.add(key, path, "unknown key; the keys here are %s", strings.Join(keysAt(prefix), ", "))
		}
	}
}

// keysAt returns the keys of a section.
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

// set sets a flag to the value of a key: a string, a number, or a list of strings.
func (c *configFile) set(n *yaml.Node, path, flag string) {
	items := []*yaml.Node{n}
	_, list := c.all.Lookup(flag).Value.(pflag.SliceValue)
	if list {
		if n.Kind != yaml.SequenceNode {
			c.refuse(n, path, flag, "want a list of texts")
			return
		}
		items = n.Content
	}
	var values, places []string
	for _, item := range items {
		switch {
		case isValue(item):
			values, places = append(values, item.Value), append(places, c.at(item, path))
		case list:
			c.refuse(item, path, flag, "want a text")
			return
		default:
			c.refuse(item, path, flag, "want a value")
			return
		}
	}
	if err := setFlag(c.all, flag, values); err != nil {
		c.refuse(n, path, flag, "%v", friendly(err))
		return
	}
	if known := c.flags.Lookup(flag); known != nil && !known.Changed {
		_ = setFlag(c.flags, flag, values) // as good as for the others
		c.mark(known, n, places)
	}
}

// isValue reports whether a node is a string or a number.
func isValue(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" }

// mark records where the value of a flag comes from.
func (c *configFile) mark(f *pflag.Flag, n *yaml.Node, places []string) {
	if f.Annotations == nil {
		f.Annotations = make(map[string][]string)
	}
	f.Annotations[fromConfig] = []string{fmt.Sprintf("%s:%d", c.name, n.Line)}
	f.Annotations[configPlaces] = places
}

// bindings reads the list of profiles and their addresses.
func (c *configFile) bindings(n *yaml.Node) {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		c.refuse(n, listenersKey, listenersFlag, "want a list of maps with profile and address")
		return
	}
	var all bindings
	for _, item := range n.Content {
		if l, ok := c.binding(item); ok {
			all = append(all, l)
		} else {
			c.found.refuse(listenersFlag)
		}
	}
	// The --profile flag of other commands is of another type.
	known := c.flags.Lookup(listenersFlag)
	if known == nil || known.Changed {
		return
	}
	if list, ok := known.Value.(*bindings); ok {
		*list = all
		c.mark(known, n, []string{c.at(n, listenersKey)})
	}
}

// binding reads one of the listeners. ok is false if it has no valid profile key.
func (c *configFile) binding(item *yaml.Node) (l binding, ok bool) {
	seen := make(map[string]int)
	for i := 0; item.Kind == yaml.MappingNode && i < len(item.Content); i += 2 {
		key, value := item.Content[i], item.Content[i+1]
		path := listenersKey + "." + key.Value
		first, twice := seen[key.Value]
		seen[key.Value] = key.Line
		switch {
		case twice:
			c.add(key, path, "is there twice, first on line %d", first)
		case key.Value == "profile" && isValue(value):
			l.profile, l.profileAt = value.Value, c.at(value, path)
		case key.Value == "address":
			if l.addressAt = c.at(value, path); isValue(value) && value.Value != "" {
				l.address = value.Value
			} else {
				c.add(value, path, "want HOST:PORT, for instance %s", defaultListen)
			}
		case key.Value != "profile":
			c.add(key, path, "unknown key; a listener has profile and address")
		}
	}
	if l.profile == "" {
		c.add(item, listenersKey, "want a map with profile, and address for several")
		return l, false
	}
	if l.addressAt == "" {
		var err error
		l.profile, l.address, err = splitAddress(l.profile)
		if err != nil {
			c.found.add(l.profileAt, "%v", err)
		}
		if err != nil || l.address != "" {
			l.addressAt = l.profileAt
		}
	}
	return l, true
}

// setFlag sets a flag: to all values if it is a list, or else to the only one.
func setFlag(flags *pflag.FlagSet, name string, values []string) error {
	f := flags.Lookup(name)
	list, ok := f.Value.(pflag.SliceValue)
	if !ok {
		return f.Value.Set(values[0])
	}
	return list.Replace(values)
}
