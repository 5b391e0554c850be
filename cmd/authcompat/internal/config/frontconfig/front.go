// Package frontconfig has the section front of a listener: the application behind an API, which
// paths go on to it, and what it is told.
package frontconfig

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// Front is what is behind an API, and gets what the API does not answer.
type Front struct {
	Application
	New    *Application // for the paths of the new side; nil: there is none
	Switch []string     // the endpoints that are switched, as front.Switch has them
	// Timeout, IdleTimeout, Recheck and MaxBody are those of front.Options; 0: the defaults.
	Timeout, IdleTimeout, Recheck time.Duration
	MaxBody                       int64
	Rules                         []front.Rule
	RulesAt                       []string  // the position of each rule
	Identity                      *Identity // nil: the application is not told who was checked
	Adopt                         *Adopt    // nil: no users are adopted
	Shadow                        *Shadow   // nil: nothing is compared
}

// Application is an application behind an API.
type Application struct {
	URL        *url.URL
	Roots      *x509.CertPool // that its certificate is checked by; nil: the system's
	ServerName string         // in its certificate; empty: the host of its URL
}

// Side returns the application of a side; nil: there is none.
func (f *Front) Side(side cutover.Side) *Application {
	switch {
	case f == nil:
		return nil
	case side == cutover.New:
		return f.New
	}
	return &f.Application
}

// options returns what a front needs to know of it.
func (a *Application) options() front.Application {
	return front.Application{URL: a.URL, TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.Roots, ServerName: a.ServerName}}
}

// Options returns the options of a front that are its own settings.
func (f *Front) Options() front.Options {
	o := front.Options{
		Old:     f.options(),
		Rules:   front.NewRules(f.Rules),
		Timeout: f.Timeout, IdleTimeout: f.IdleTimeout, Recheck: f.Recheck,
		MaxBody: f.MaxBody,
	}
	if f.New != nil {
		application := f.New.options()
		o.New = &application
	}
	if len(f.Switch) > 0 {
		o.Switch = &front.Switch{Endpoints: f.Switch}
	}
	return o
}

// Section is the section front of a listener.
type Section struct {
	old, caFile, serverName, new, newCAFile, newServerName, timeout, idleTimeout, recheck, maxBody section.Option

	At       string // its position in the configuration file; empty: it is of --front
	rules    []rule
	identity *identityBinding // nil: there is no such section
	switches *switchBinding   // nil: there is no such list
	adopt    *adoptBinding    // likewise
	shadow   *shadowBinding   // likewise
}

// options returns the keys that have a single value, in the order in which they are printed.
func (b *Section) options() []*section.Option {
	return []*section.Option{&b.old, &b.caFile, &b.serverName, &b.new, &b.newCAFile, &b.newServerName, &b.timeout, &b.idleTimeout, &b.recheck, &b.maxBody}
}

func newSection(at string) *Section {
	b := &Section{At: at}
	for i, key := range []string{"old", "ca_file", "server_name", "new", "new_ca_file", "new_server_name", "timeout", "idle_timeout", "recheck", "max_body"} {
		b.options()[i].Key = key
	}
	return b
}

// Read reads the section front of a listener. A nil section has been refused.
func Read(v yamlfile.Value) *Section {
	entries, ok := v.Entries()
	if !ok {
		v.Refuse("want a map with old, the URL of the application")
		return nil
	}
	b := newSection(section.Place(v))
	for e := range entries {
		i := slices.IndexFunc(b.options(), func(o *section.Option) bool { return o.Key == e.Name })
		switch {
		case e.Name == "paths":
			b.readRules(e.Value)
		case e.Name == "identity":
			b.identity = readIdentity(e.Value)
		case e.Name == "switch":
			b.switches = readSwitch(e.Value)
		case e.Name == "adopt":
			b.adopt = readAdopt(e.Value)
		case e.Name == "shadow":
			b.shadow = readShadow(e.Value)
		case i < 0:
			e.RefuseUnknown(append(section.Keys(b.options()), "identity", "adopt", "switch", "shadow", "paths")...)
		case !section.IsScalar(e.Value) || e.Value.Node.Value == "":
			e.Value.Refuse("want a value")
			b.options()[i].At = section.Place(e.Value) // it is not missing
		default:
			*b.options()[i] = section.NewOption(e)
		}
	}
	if b.old.At == "" {
		v.Refuse("want old, the URL of the application")
	}
	return b
}

// Note notes the keys of the section, of which a schema is made.
func Note(v yamlfile.Value) {
	keys := make([]string, 0, len(newSection("").options()))
	for _, o := range newSection("").options() {
		keys = append(keys, o.Key)
	}
	section.NoteKey(v, "identity", func(v yamlfile.Value) {
		section.Scalars(v, 0, "key_file", "authorization")
		if standIn, ok := v.StandIn("authorization"); ok {
			standIn.Shape().Only(keepAuthorization, dropAuthorization)
		}
	})
	section.NoteKey(v, "adopt", func(v yamlfile.Value) { section.Scalars(v, 2, "login", "until", "probe", "host") })
	section.NoteKey(v, "shadow", func(v yamlfile.Value) {
		section.NoteKey(v, "endpoints", section.NoteList(section.NoteScalar))
		section.Scalars(v, 1, "journal", "sample", "learn")
	})
	section.NoteKey(v, "switch", section.NoteList(section.NoteScalar))
	section.NoteKey(v, "paths", section.NoteList(func(v yamlfile.Value) {
		section.Scalars(v, 2, "path", "token")
		if standIn, ok := v.StandIn("token"); ok {
			var words []string
			for _, t := range front.Tokens() {
				words = append(words, string(t))
			}
			standIn.Shape().Only(words...)
		}
	}))
	section.Scalars(v, 1, keys...)
}

// NewSection returns the section that a URL stands for, which is set at a flag or a variable.
func NewSection(application, at string) *Section {
	b := newSection("")
	b.old.Value, b.old.At = application, at
	return b
}

// Server is what a front is checked against: the settings of the server that it is part of.
type Server struct {
	Store     string // DSN
	KeyFile   string // of the sealing keys; empty: none is named
	Listeners []Listener
}

// Listener is the address of a listener, and where it comes from.
type Listener struct{ Address, At string }

// Load checks what is behind a listener with a profile, and returns it with its position; nil:
// nothing is, or it is wrong. A section that is nil has nothing.
func (b *Section) Load(ctx context.Context, f Server, p *profiles.Profile, found *section.Problems) (loaded *Front, at string) {
	if b == nil || b.old.Value == "" {
		return nil, ""
	}
	before := len(found.Lines)
	loaded = &Front{Application: f.loadApplication(ctx, b.old, b.caFile, b.serverName, found)}
	for _, d := range []struct {
		option *section.Option
		value  *time.Duration
	}{{&b.timeout, &loaded.Timeout}, {&b.idleTimeout, &loaded.IdleTimeout}, {&b.recheck, &loaded.Recheck}} {
		if d.option.Value == "" {
			continue
		}
		var err error
		if *d.value, err = flagvalue.ParseDuration(d.option.Value); err != nil {
			found.Add(d.option.At, "%v", err)
		} else if *d.value < time.Second {
			found.Add(d.option.At, "%q is too short: want at least 1s", d.option.Value)
		}
	}
	if text := b.maxBody.Value; text != "" {
		var err error
		if loaded.MaxBody, err = parseBytes(text); err != nil {
			found.Add(b.maxBody.At, "%v", err)
		}
	}
	loaded.Identity = f.loadIdentity(ctx, b.identity, found)
	loaded.Adopt = f.loadAdopt(b, found)
	b.checkRules(loaded, found)
	f.loadNew(ctx, b, loaded, found)
	f.loadSwitch(b, p, loaded, found)
	loaded.Shadow = b.loadShadow(p, loaded, found)
	if len(found.Lines) > before {
		return nil, ""
	}
	return loaded, b.old.At
}

// parseBytes reads a number of bytes, such as 1048576, 100MiB or 4GiB.
func parseBytes(text string) (int64, error) {
	digits, factor := text, int64(1)
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			digits, factor = number, int64(1)<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64/factor {
		return 0, fmt.Errorf("%q is no size: want bytes, for instance 1048576, 100MiB or 4GiB", text)
	}
	return n * factor, nil
}

// Show returns the section as YAML.
func (b *Section) Show() *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, o := range b.options() {
		value := o.Value
		if value != "" && (o == &b.old || o == &b.new) {
			if _, err := parseApplication(value); err != nil {
				value = section.Masked
			}
		}
		if value != "" {
			node.Content = append(node.Content, section.Text(o.Key), section.Text(value))
		}
	}
	if b.identity != nil {
		node.Content = append(node.Content, section.Text("identity"), b.identity.show())
	}
	if b.switches != nil {
		node.Content = append(node.Content, section.Text("switch"), b.switches.show())
	}
	if b.shadow != nil {
		node.Content = append(node.Content, section.Text("shadow"), b.shadow.show())
	}
	if b.adopt != nil {
		node.Content = append(node.Content, section.Text("adopt"), b.adopt.show())
	}
	if len(b.rules) > 0 {
		node.Content = append(node.Content, section.Text("paths"), b.showRules())
	}
	return node
}
