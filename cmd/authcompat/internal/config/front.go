package config

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

	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// frontKey is the key of a listener, and frontFlag the flag, that name the application
// behind an API.
const (
	frontKey  = "front"
	frontFlag = "front"
)

// Front is what is behind an API, and gets what the API does not answer.
type Front struct {
	FrontApplication
	New    *FrontApplication // for the paths of the new side; nil: there is none
	Switch []string          // the endpoints that are switched, as front.Switch has them
	// Timeout, IdleTimeout, Recheck and MaxBody are those of front.Options; 0: the defaults.
	Timeout, IdleTimeout, Recheck time.Duration
	MaxBody                       int64
	Rules                         []front.Rule
	RulesAt                       []string       // the position of each rule
	Identity                      *FrontIdentity // nil: the application is not told who was checked
	Adopt                         *FrontAdopt    // nil: no users are adopted
}

// FrontApplication is an application behind an API.
type FrontApplication struct {
	Application *url.URL
	Roots       *x509.CertPool // that its certificate is checked by; nil: the system's
	ServerName  string         // in its certificate; empty: the host of its URL
}

// Side returns the application of a side; nil: there is none.
func (f *Front) Side(side cutover.Side) *FrontApplication {
	switch {
	case f == nil:
		return nil
	case side == cutover.New:
		return f.New
	}
	return &f.FrontApplication
}

// options returns what a front needs to know of it.
func (a *FrontApplication) options() front.Application {
	return front.Application{URL: a.Application, TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.Roots, ServerName: a.ServerName}}
}

// FrontOptions returns the options of the front of a profile that has one, as far as they are
// settings. They are resolved.
func (c *Config) FrontOptions(p BoundProfile) (front.Options, error) {
	trusted, err := httpserver.ParseProxies(c.TrustedProxies)
	o := front.Options{
		Old:     p.Front.options(),
		Rules:   front.NewRules(p.Front.Rules),
		Timeout: p.Front.Timeout, IdleTimeout: p.Front.IdleTimeout, Recheck: p.Front.Recheck,
		MaxBody: p.Front.MaxBody, Trusted: trusted.Trusted,
	}
	if p.Front.New != nil {
		application := p.Front.New.options()
		o.New = &application
	}
	if len(p.Front.Switch) > 0 {
		o.Switch = &front.Switch{Endpoints: p.Front.Switch}
	}
	if c.TLSCertFile != "" {
		o.Scheme = "https"
	}
	return o, err
}

// frontBinding is the section front of a listener.
type frontBinding struct {
	old, caFile, serverName, new, newCAFile, newServerName, timeout, idleTimeout, recheck, maxBody frontOption

	at       string // its position in the configuration file; empty: it is of --front
	rules    []frontRule
	identity *identityBinding // nil: there is no such section
	switches *switchBinding   // nil: there is no such list
	adopt    *adoptBinding    // likewise
}

// frontOption is one of its keys.
type frontOption struct{ key, value, at string }

// options returns the keys that have a single value, in the order in which they are printed.
func (b *frontBinding) options() []*frontOption {
	return []*frontOption{&b.old, &b.caFile, &b.serverName, &b.new, &b.newCAFile, &b.newServerName, &b.timeout, &b.idleTimeout, &b.recheck, &b.maxBody}
}

func newFrontBinding(at string) *frontBinding {
	b := &frontBinding{at: at}
	for i, key := range []string{"old", "ca_file", "server_name", "new", "new_ca_file", "new_server_name", "timeout", "idle_timeout", "recheck", "max_body"} {
		b.options()[i].key = key
	}
	return b
}

// readFront reads the section front of a listener. A nil binding has been refused.
func readFront(v yamlfile.Value) *frontBinding {
	entries, ok := v.Entries()
	if !ok {
		v.Refuse("want a map with old, the URL of the application")
		return nil
	}
	b := newFrontBinding(place(v))
	for e := range entries {
		i := slices.IndexFunc(b.options(), func(o *frontOption) bool { return o.key == e.Name })
		switch {
		case e.Name == "paths":
			b.readRules(e.Value)
		case e.Name == "identity":
			b.identity = readIdentity(e.Value)
		case e.Name == "switch":
			b.switches = readSwitch(e.Value)
		case e.Name == "adopt":
			b.adopt = readAdopt(e.Value)
		case i < 0:
			e.Refuse("unknown key; front has old, ca_file, server_name, new, new_ca_file, new_server_name, timeout, idle_timeout, recheck, max_body, identity, adopt, switch and paths")
		case !isScalar(e.Value) || e.Value.Node.Value == "":
			e.Value.Refuse("want a value")
			b.options()[i].at = place(e.Value) // it is not missing
		default:
			*b.options()[i] = frontOption{e.Name, e.Value.Node.Value, place(e.Value)}
		}
	}
	if b.old.at == "" {
		v.Refuse("want old, the URL of the application")
	}
	return b
}

// frontOf returns the section of a listener, or what --front stands for; nil: neither.
func (f *Server) frontOf(l binding) *frontBinding {
	if l.front != nil || f.Front == "" {
		return l.front
	}
	b := newFrontBinding("")
	b.old.value, b.old.at = f.Front, f.source(frontFlag)
	return b
}

// checkFront checks the flag.
func (f *Server) checkFront(found *problems) {
	if f.Front == "" {
		return
	}
	if len(f.bindings) > 1 {
		found.add(f.source(frontFlag), "is for a single profile: give each of the listeners a section front in a configuration file")
	}
	for _, l := range f.bindings {
		if l.front != nil {
			found.add(f.source(frontFlag), "the listener has an application already (%s): give one or the other", l.front.at)
		}
	}
}

// loadFront checks what is behind a listener, and returns it with its position; nil: nothing
// is, or it is wrong.
func (f *Server) loadFront(ctx context.Context, l binding, p *profiles.Profile, found *problems) (loaded *Front, at string) {
	b := f.frontOf(l)
	if b == nil || b.old.value == "" {
		return nil, ""
	}
	before := len(found.lines)
	loaded = &Front{FrontApplication: f.loadApplication(ctx, b.old, b.caFile, b.serverName, found)}
	for _, d := range []struct {
		option *frontOption
		value  *time.Duration
	}{{&b.timeout, &loaded.Timeout}, {&b.idleTimeout, &loaded.IdleTimeout}, {&b.recheck, &loaded.Recheck}} {
		if d.option.value == "" {
			continue
		}
		var err error
		if *d.value, err = parseDuration(d.option.value); err != nil {
			found.add(d.option.at, "%v", err)
		} else if *d.value < time.Second {
			found.add(d.option.at, "%q is too short: want at least 1s", d.option.value)
		}
	}
	if text := b.maxBody.value; text != "" {
		var err error
		if loaded.MaxBody, err = parseBytes(text); err != nil {
			found.add(b.maxBody.at, "%v", err)
		}
	}
	loaded.Identity = f.loadIdentity(ctx, b.identity, found)
	loaded.Adopt = f.loadAdopt(b, found)
	b.checkRules(loaded, found)
	f.loadNew(ctx, b, loaded, found)
	f.loadSwitch(b, p, loaded, found)
	if len(found.lines) > before {
		return nil, ""
	}
	return loaded, b.old.at
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

// show returns the section as YAML.
func (b *frontBinding) show() *yaml.Node {
	section := &yaml.Node{Kind: yaml.MappingNode}
	for _, o := range b.options() {
		value := o.value
		if value != "" && (o == &b.old || o == &b.new) {
			if _, err := parseApplication(value); err != nil {
				value = masked
			}
		}
		if value != "" {
			section.Content = append(section.Content, text(o.key), text(value))
		}
	}
	if b.identity != nil {
		section.Content = append(section.Content, text("identity"), b.identity.show())
	}
	if b.switches != nil {
		section.Content = append(section.Content, text("switch"), b.switches.show())
	}
	if b.adopt != nil {
		section.Content = append(section.Content, text("adopt"), b.adopt.show())
	}
	if len(b.rules) > 0 {
		section.Content = append(section.Content, text("paths"), b.showRules())
	}
	return section
}
