package config

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/frontconfig"
	"github.com/authcompat/authcompat/profiles"
)

// binding is a profile to serve, and where.
type binding struct {
	profile string // a built-in name or a file
	address string // empty: where --listen says
	// profileAt and addressAt are the positions in the configuration file, also of
	// invalid values; empty if the file has none.
	profileAt, addressAt string
	tls                  tlsBinding
	front                *frontconfig.Section // nil: there is no section
	deprecation          deprecationBinding
}

// String returns the binding in the form of --profile.
func (l binding) String() string {
	if l.address == "" {
		return l.profile
	}
	return l.profile + "@" + l.address
}

// unbound reports whether the address is that of --listen.
func (l binding) unbound() bool { return l.address == "" && l.addressAt == "" }

// bindings is the value of --profile, which is repeated: NAME|FILE or NAME|FILE@ADDRESS. A
// comma is part of a file's name.
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

// splitAddress splits NAME@HOST:PORT. An @ without a valid address behind it is part of a
// file's name, unless there is a profile with the name before it and none with the whole
// name: then an address was meant, and is returned for its error to be reported. It fails
// if there is nothing after the @.
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

// isProfile reports whether there is a built-in profile, an example or a file of that name.
func isProfile(nameOrPath string) bool {
	if profiles.Has(nameOrPath) {
		return true
	}
	_, err := os.Stat(nameOrPath)
	return err == nil
}
