package config

import (
	"cmp"
	"context"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/store"
)

// WriteYAML writes the settings to w as a configuration file, with secrets masked and the
// source of each setting beside it. A file that is given as an argument is the same as one
// of --config. The error has all invalid values, one a line.
func (f *Server) WriteYAML(ctx context.Context, w io.Writer, arguments ...string) error {
	found := &section.Problems{}
	for _, file := range arguments {
		f.applyArgument(ctx, file, found)
	}
	if f.checkValues(found); len(found.Lines) > 0 {
		return cmp.Or(ctx.Err(), found.Err())
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
			item.Content = append(item.Content, section.Text("profile"), section.Text(l.profile))
			if l.address != "" {
				item.Content = append(item.Content, section.Text("address"), section.Text(l.address))
			}
			for _, o := range l.tls.options() {
				if o.Value != "" {
					item.Content = append(item.Content, section.Text(o.Key), section.Text(o.Value))
				}
			}
			for _, o := range l.deprecation.options() {
				if o.Value != "" {
					item.Content = append(item.Content, section.Text(o.Key), section.Text(o.Value))
				}
			}
			if l.front != nil {
				item.Content = append(item.Content, section.Text(frontKey), l.front.Show())
			}
			list.Content = append(list.Content, item)
		}
		key := section.Text(listenersKey)
		key.HeadComment = printedSource(f.flags.Lookup(listenersFlag))
		root.Content = append(root.Content, key, list)
	}
	sections := map[string]*yaml.Node{"": root}
	for _, s := range settings() {
		if s.flag == "listen" && len(f.bindings) > 0 && !slices.ContainsFunc(f.bindings, binding.unbound) {
			continue // no profile is served there
		}
		if s.flag == askIdentityFlag && !f.AskIdentity.On {
			continue // a section that is there says on
		}
		flag := f.flags.Lookup(s.flag)
		name, node := s.key, root
		if before, after, nested := strings.Cut(s.key, "."); nested {
			name, node = after, sections[before]
			if node == nil {
				node = &yaml.Node{Kind: yaml.MappingNode}
				sections[before] = node
				root.Content = append(root.Content, section.Text(before), node)
			}
		}
		value := shown(s.flag, flag)
		value.LineComment = printedSource(flag)
		if _, set := os.LookupEnv(keyring.EnvVar); set && s.flag == "secret-key-file" {
			value.LineComment += "; not read, because " + keyring.EnvVar + " has the keys"
		}
		node.Content = append(node.Content, section.Text(name), value)
	}
	return root
}

// shown returns the value of a flag as YAML.
func shown(name string, f *pflag.Flag) *yaml.Node {
	if i, ok := f.Value.(*AskIdentity); ok {
		return i.show()
	}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, value := range list.GetSlice() {
			n.Content = append(n.Content, section.Text(value))
		}
		return n
	}
	value := f.Value.String()
	switch {
	case name == "store":
		value = maskDSN(value)
	case name == "secret-key-file" && keyring.Misplaced(value), httpserver.IsPEM(value):
		value = section.Masked
	}
	if f.Value.Type() == "int" {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: value}
	}
	return section.Text(value)
}

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

// secretLike matches values that may have a secret in them.
var secretLike = regexp.MustCompile(`(?i)pass|pwd|secret|private|-----BEGIN`)

// maskDSN hides the secrets in a store's address. Nothing is shown of one that can't be
// parsed, because any part of it may be a password.
func maskDSN(dsn string) string {
	if store.ValidateDSN(dsn) != nil {
		return section.Masked
	}
	scheme, rest, isURL := strings.Cut(dsn, "://")
	if !isURL || strings.Contains(scheme, ":") {
		return dsn // the path of a file
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	authority, path, hasPath := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if user, _, has := strings.Cut(authority[:at], ":"); has {
			authority = user + ":" + section.Masked + authority[at:]
		}
	}
	text := scheme + "://" + authority
	if hasPath {
		text += "/" + path
	}
	if hasQuery {
		text += "?" + MaskQuery(query)
	}
	return text
}

// showable lists the parameters whose values may be shown: those of lib/pq without its
// secrets, the store's own, and the usual ones of a server. Any other may be a misspelt
// password, and options may set anything, an extension's key too.
var showable = strings.Fields(`host hostaddr port dbname user passfile application_name fallback_application_name
	sslmode sslnegotiation sslcert sslkey sslrootcert sslsni ssl_min_protocol_version ssl_max_protocol_version
	krbsrvname krbspn connect_timeout binary_parameters disable_prepared_binary_result client_encoding datestyle tz geqo
	target_session_attrs load_balance_hosts min_protocol_version max_protocol_version service
	schema wait pool_size
	search_path timezone role statement_timeout lock_timeout deadlock_timeout idle_in_transaction_session_timeout idle_session_timeout
	tcp_user_timeout synchronous_commit default_transaction_isolation work_mem`)

// MaskQuery hides the values of parameters of a DSN that are secrets, or may be.
func MaskQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, has := strings.Cut(pair, "=")
		plainName, _ := url.QueryUnescape(name) // store.ValidateDSN has tried it
		plainValue, _ := url.QueryUnescape(value)
		if has && plainName != "passfile" && (!slices.Contains(showable, plainName) || secretLike.MatchString(plainValue)) {
			pairs[i] = name + "=" + section.Masked
		}
	}
	return strings.Join(pairs, "&")
}
