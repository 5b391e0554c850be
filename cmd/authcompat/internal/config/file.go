package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/frontconfig"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/smallfile"
	"github.com/authcompat/authcompat/profiles/yamlfile"
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

// configFile is a configuration file that is being read.
type configFile struct {
	flags *pflag.FlagSet // of the command; a flag that it lacks is read and left
	all   *pflag.FlagSet // of a server, to know what values are good
	found *section.Problems
}

// applyConfig sets each flag from the file that is neither on the command line nor set by
// its variable, and finds everything that is wrong with the file. at is the setting that
// names the file.
func applyConfig(ctx context.Context, flags *pflag.FlagSet, at, name string, found *section.Problems) {
	data, err := smallfile.Read(ctx, name)
	applyRead(flags, at, name, data, err, found)
}

// applyRead is applyConfig of a file that has been read, or could not be.
func applyRead(flags *pflag.FlagSet, at, name string, data []byte, err error, found *section.Problems) {
	if errors.Is(err, fs.ErrNotExist) {
		err = missingFile(name)
	}
	if errors.Is(err, smallfile.ErrTooLarge) {
		err = fmt.Errorf("%s is larger than 1 MiB", name)
	}
	if err != nil {
		found.Add(at, "%v", err)
		found.Unread, found.NotRead = true, true
		return
	}
	c := &configFile{flags: flags, all: pflag.NewFlagSet("", pflag.ContinueOnError), found: found}
	NewServer().AddFlags(c.all)
	r := yamlfile.Reader{File: name, Format: yamlfile.Format{
		NoAliases: true,
		UTF16:     true,
		Empty:     "the file is empty",
		Second:    "a second document begins here",
	}}
	if root, ok := r.Read(data); ok {
		c.section(root)
	} else {
		found.Unread = true
	}
	for _, problem := range r.Problems {
		found.Lines = append(found.Lines, problem.String())
	}
}

// missingFile returns the error of a configuration file that is not there, which may be the name of a profile.
func missingFile(name string) error {
	if profiles.Has(name) {
		return fmt.Errorf("%s: there is no such file; %[1]s is a profile, which --%s gives", name, listenersFlag)
	}
	return fmt.Errorf("%s: there is no such file (authcompat config print > FILE starts one)", name)
}

// applyArgument applies a configuration file that is given as an argument, or what comes on standard input.
func (f *Server) applyArgument(ctx context.Context, name string, found *section.Problems) {
	flags := f.flags
	if flags.Lookup(configFlag).Value.String() != "" {
		found.Add(name, "the file is given twice, as an argument and with --config")
		found.Unread, found.NotRead = true, true
		return
	}
	const at = "the configuration file"
	if name == flagvalue.StandardInput && f.Input != nil {
		data, err := smallfile.ReadFrom(f.Input, smallfile.MaxSize)
		applyRead(flags, at, name, data, err, found)
		return
	}
	applyConfig(ctx, flags, at, name, found)
}

// refuse adds a problem with the value of a flag.
func (c *configFile) refuse(v yamlfile.Value, flag, format string, args ...any) {
	v.Refuse(format, args...)
	c.found.Refuse(flag)
}

// section reads a map.
func (c *configFile) section(v yamlfile.Value) {
	entries, ok := v.Entries()
	if !ok {
		v.Refuse("want a map")
		c.found.Unread = c.found.Unread || v.Key == ""
	}
	for e := range entries {
		path := e.Value.Key
		flag, now := flagOf(path), formerKeys()[path]
		switch {
		case path == listenersKey:
			c.bindings(e.Value)
		case path == askIdentityKey:
			c.setAskIdentity(e.Value)
		case flag != "":
			c.set(e.Value, flag)
		case slices.ContainsFunc(settings(), func(s setting) bool { return strings.HasPrefix(s.key, path+".") }):
			c.section(e.Value)
		case now != "":
			e.Refuse("is called %s now", now)
			c.found.Refuse(flagOf(now))
		default:
			e.RefuseUnknown(keysAt(v.Key)...)
		}
	}
}

// keysAt returns the keys of a section.
func keysAt(section string) []string {
	var keys []string
	prefix := section + "."
	if section == "" {
		keys, prefix = append(keys, listenersKey), ""
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

// Outline returns what is read of a configuration file: all its keys, and their values.
func Outline() *yamlfile.Outline {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	NewServer().AddFlags(flags)
	r := yamlfile.Reader{Format: yamlfile.Format{NoAliases: true}, Outline: yamlfile.NewOutline()}
	root, _ := r.Read([]byte("{}"))
	section.NoteKey(root, listenersKey, section.NoteList(noteBinding))
	for _, s := range settings() {
		name, in := s.key, root
		if before, after, nested := strings.Cut(s.key, "."); nested {
			root.Shape().Ask(before, false)
			name = after
			in, _ = root.StandIn(before)
			in.Shape().Done()
		}
		section.NoteKey(in, name, func(v yamlfile.Value) { noteFlag(v, flags.Lookup(s.flag)) })
	}
	root.Shape().Done()
	return r.Outline
}

// noteBinding notes the keys of a listener.
func noteBinding(v yamlfile.Value) {
	section.NoteKey(v, frontKey, frontconfig.Note)
	section.Scalars(v, 1, "profile", "address", minVersionKey, legacyCiphersKey, deprecationKey, sunsetKey, deprecationLinkKey)
}

// noteFlag notes what a setting can be set to.
func noteFlag(v yamlfile.Value, f *pflag.Flag) {
	if _, ok := f.Value.(*AskIdentity); ok {
		section.Scalars(v, 0, "key_file")
		return
	}
	v.Shape().Describe(f.Usage)
	if _, list := f.Value.(pflag.SliceValue); list {
		section.NoteList(section.NoteScalar)(v)
		return
	}
	v.Shape().Standard(f.DefValue)
	switch f.Value.Type() {
	case "on|off":
		v.Shape().Words("on", "off", "true", "false")
		v.Shape().Boolean()
	case "int":
		v.Shape().Text("^[+-]?(0[xXoObB])?[0-9a-fA-F_]+$") // as strconv reads them
		v.Shape().Number()
	default:
		section.NoteScalar(v)
	}
	if e, ok := f.Value.(*flagvalue.Enum); ok {
		v.Shape().Only(e.Values...)
		if slices.ContainsFunc(e.Values, func(w string) bool { return strings.Trim(w, "0123456789.") == "" }) {
			v.Shape().Number() // 1.2 is one in YAML
		}
	}
}

// set sets a flag to the value of a key: a string, a number, or a list of strings.
func (c *configFile) set(v yamlfile.Value, flag string) {
	items := []yamlfile.Value{v}
	_, list := c.all.Lookup(flag).Value.(pflag.SliceValue)
	if list {
		var ok bool
		if items, ok = v.Items(); !ok {
			c.refuse(v, flag, "want a list of texts")
			return
		}
	}
	var values, places []string
	for _, item := range items {
		item.Key = v.Key
		switch {
		case section.IsScalar(item):
			values, places = append(values, item.Node.Value), append(places, section.Place(item))
		case list:
			c.refuse(item, flag, "want a text")
			return
		default:
			c.refuse(item, flag, "want a value")
			return
		}
	}
	if err := setFlag(c.all, flag, values); err != nil {
		c.refuse(v, flag, "%v", flagvalue.Friendly(err))
		return
	}
	if known := c.flags.Lookup(flag); known != nil && !known.Changed {
		_ = setFlag(c.flags, flag, values) // as good as for the others
		mark(known, v, places)
	}
}

// mark records where the value of a flag comes from.
func mark(f *pflag.Flag, v yamlfile.Value, places []string) {
	if f.Annotations == nil {
		f.Annotations = make(map[string][]string)
	}
	f.Annotations[fromConfig] = []string{fmt.Sprintf("%s:%d", v.Position.File, v.Position.Line)}
	f.Annotations[configPlaces] = places
}

// source returns where the value of a flag comes from: the position in the configuration
// file, the variable, or the flag itself. i is the index of the value in a list.
func source(f *pflag.Flag, i int) string {
	if at := f.Annotations[configPlaces]; i < len(at) {
		return at[i]
	}
	if name := f.Annotations[fromEnvironment]; name != nil {
		return name[0]
	}
	return "--" + f.Name
}

// bindings reads the list of profiles and their addresses.
func (c *configFile) bindings(v yamlfile.Value) {
	items, _ := v.Items()
	if len(items) == 0 {
		c.refuse(v, listenersFlag, "want a list of maps with profile and address")
		return
	}
	var all bindings
	for _, item := range items {
		item.Key = v.Key
		if l, ok := readBinding(item); ok {
			all = append(all, l)
		} else {
			c.found.Refuse(listenersFlag)
		}
	}
	// The --profile flag of other commands is of another type.
	known := c.flags.Lookup(listenersFlag)
	if known == nil || known.Changed {
		return
	}
	if list, ok := known.Value.(*bindings); ok {
		*list = all
		mark(known, v, []string{section.Place(v)})
	}
}

// readBinding reads one of the listeners. ok is false if it has no valid profile key.
func readBinding(item yamlfile.Value) (l binding, ok bool) {
	var profile yamlfile.Value
	entries, _ := item.Entries()
	for e := range entries {
		switch e.Name {
		case "profile":
			if profile = e.Value; section.IsScalar(profile) {
				l.profile, l.profileAt = profile.Node.Value, section.Place(profile)
			}
		case "address":
			if l.addressAt = section.Place(e.Value); section.IsScalar(e.Value) && e.Value.Node.Value != "" {
				l.address = e.Value.Node.Value
			} else {
				e.Value.Refuse("want HOST:PORT, for instance %s", defaultListen)
			}
		case minVersionKey, legacyCiphersKey:
			l.tls.read(e)
		case frontKey:
			l.front = frontconfig.Read(e.Value)
		case deprecationKey, sunsetKey, deprecationLinkKey:
			l.deprecation.read(e)
		default:
			e.RefuseUnknown("profile", "address", minVersionKey, legacyCiphersKey, frontKey, deprecationKey, sunsetKey, deprecationLinkKey)
		}
	}
	if l.profile == "" {
		item.Refuse("want a map with profile, and address for several")
		return l, false
	}
	if l.addressAt == "" {
		var err error
		l.profile, l.address, err = splitAddress(l.profile)
		if err != nil {
			profile.Refuse("%v", err)
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
