package config

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/profiles"
)

// binding is a profile to serve, and where.
type binding struct {
	profile string // a built-in name or a file
	address string // empty: where --listen says
	// profileAt and addressAt are where the configuration file says so, also where
	// what it says was not taken; empty where it says nothing.
	profileAt, addressAt string
}

// String gives the binding as --profile takes it.
func (l binding) String() string {
	if l.address == "" {
		return l.profile
	}
	return l.profile + "@" + l.address
}

// unbound tells whether it is meant to be where --listen says.
func (l binding) unbound() bool { return l.address == "" && l.addressAt == "" }

// bindings is the value of --profile: NAME|FILE or NAME|FILE@ADDRESS, once for
// each. A comma is a part of a file's name.
type bindings []binding

var (
	_ pflag.Value      = (*bindings)(nil)
	_ pflag.SliceValue = (*bindings)(nil)
)

// Set implements pflag.Value.
func (l *bindings) Set(text string) error { return l.Append(text) }

// Append implements pflag.SliceValue.
func (l *bindings) Append(text string) error {
	profile, address, err := splitAddress(text)
	if err != nil {
		return err
	}
	*l = append(*l, binding{profile: profile, address: address})
	return nil
}

// Replace implements pflag.SliceValue.
func (l *bindings) Replace(texts []string) error {
	*l = nil
	for _, text := range texts {
		if err := l.Append(text); err != nil {
			return err
		}
	}
	return nil
}

// GetSlice implements pflag.SliceValue.
func (l *bindings) GetSlice() []string {
	var texts []string
	for _, one := range *l {
		texts = append(texts, one.String())
	}
	return texts
}

// String implements pflag.Value.
func (l *bindings) String() string { return strings.Join(l.GetSlice(), " ") }

// Type implements pflag.Value.
func (l *bindings) Type() string { return "profile" }

// splitAddress cuts off "@HOST:PORT". An @ that no address follows belongs to the
// name of a file, unless there is a profile of the name before it and none of the
// whole: then an address was meant, and is told to be none. It fails where there
// is nothing after the @.
func splitAddress(value string) (name, address string, err error) {
	at := strings.LastIndexByte(value, '@')
	if at < 0 {
		return value, "", nil
	}
	name, address = value[:at], value[at+1:]
	if _, port, err := net.SplitHostPort(address); (err != nil || port == "") && (isProfile(value) || !isProfile(name)) {
		return value, "", nil
	}
	if address == "" {
		return name, "", fmt.Errorf("%s wants an address after @, for instance %[1]s%s", value, defaultListen)
	}
	return name, address, nil
}

// isProfile tells whether there is something that a profile can be loaded from.
func isProfile(nameOrPath string) bool {
	if slices.Contains(profiles.Builtin(), nameOrPath) {
		return true
	}
	_, err := os.Stat(nameOrPath)
	return err == nil
}
