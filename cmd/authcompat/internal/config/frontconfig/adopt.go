package frontconfig

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
	"github.com/authcompat/authcompat/store"
)

// Adopt is an old server whose users move in at their next login.
type Adopt struct {
	Login *url.URL
	Probe *url.URL // nil: tokens of the old server are not asked about
	Host  string   // that both are asked as; empty: those of the URLs
	Until time.Time
	At    string // the position of Until, with its key
	// ProbeAt is the position of Probe, with its key.
	ProbeAt string
}

// Over reports whether the time in which users are adopted is over at now.
func (a *Adopt) Over(now time.Time) bool { return !now.Before(a.Until) }

// adoptBinding is the section adopt of a front.
type adoptBinding struct {
	at                        string // its position
	login, probe, host, until section.Option
}

// options returns the keys in the order in which they are printed.
func (b *adoptBinding) options() []*section.Option {
	return []*section.Option{&b.login, &b.probe, &b.host, &b.until}
}

// readAdopt reads the section adopt. A nil binding has been refused.
func readAdopt(v yamlfile.Value) *adoptBinding {
	entries, ok := v.Entries()
	if !ok {
		v.Refuse("want a map with login, probe and until")
		return nil
	}
	b := &adoptBinding{at: section.Place(v), login: section.Option{Key: "login"}, probe: section.Option{Key: "probe"}, host: section.Option{Key: "host"}, until: section.Option{Key: "until"}}
	for e := range entries {
		i := slices.IndexFunc(b.options(), func(o *section.Option) bool { return o.Key == e.Name })
		switch {
		case i < 0:
			e.RefuseUnknown(section.Keys(b.options())...)
		case !section.IsScalar(e.Value) || e.Value.Node.Value == "":
			e.Value.Refuse("want a value")
			b.options()[i].At = section.Place(e.Value) // it is not missing
		default:
			*b.options()[i] = section.NewOption(e)
		}
	}
	if b.login.At == "" {
		v.Refuse("want login, the URL of the old server's login")
	}
	if b.until.At == "" {
		v.Refuse("want until, the date from which on the old server is not asked any more")
	}
	return b
}

// loadAdopt checks the section adopt of a front, and returns it; nil: there is none.
func (f Server) loadAdopt(b *Section, found *section.Problems) *Adopt {
	a := b.adopt
	if a == nil {
		return nil
	}
	if store.AcceptsMapping(f.Store) == nil {
		found.Add(a.at, "the store is the old server's own database: its users are there already, and none is adopted")
	}
	loaded := &Adopt{At: a.until.At, ProbeAt: a.probe.At}
	for _, o := range []struct {
		option *section.Option
		value  **url.URL
	}{{&a.login, &loaded.Login}, {&a.probe, &loaded.Probe}} {
		if o.option.Value == "" {
			continue
		}
		u, err := parseQuestion(o.option.Value)
		if err != nil {
			found.Add(o.option.At, "%v", err)
			continue
		}
		*o.value = u
		f.checkLoop(*o.option, u, found)
	}
	if a.host.Value != "" {
		if !isHost(a.host.Value) {
			found.Add(a.host.At, "want HOST or HOST:PORT, as the old server is called by its clients")
		}
		loaded.Host = a.host.Value
	}
	if a.until.Value != "" {
		var err error
		if loaded.Until, err = flagvalue.ParseTime(a.until.Value); err != nil {
			found.Add(a.until.At, "%v", err)
		}
	}
	wants := func(r rule) bool { return r.Token == front.Checked || r.Token == front.Needed }
	if i := slices.IndexFunc(b.rules, wants); i >= 0 && a.probe.At == "" {
		found.Add(a.at, "want probe, a URL of the old server that needs a token: %s (%s) checks tokens, and those of the old server are unknown here", b.rules[i].Path, b.rules[i].at)
	}
	return loaded
}

// CheckAdopt checks that users can log in at a profile whose users are adopted.
func (b *Section) CheckAdopt(p *profiles.Profile, found *section.Problems) {
	if b == nil || b.adopt == nil {
		return
	}
	reads := func(e profiles.Endpoint) bool { return e.Action == profiles.Login && len(e.Fields) > 0 }
	if !slices.ContainsFunc(p.Endpoints, reads) {
		found.Add(b.adopt.at, "profile %s has no login endpoint with fields, at which users could be adopted", p.Name)
	}
	if slices.ContainsFunc(p.LogsInBy(), func(r profiles.Role) bool { return r != profiles.RoleUsername }) {
		found.Add(b.adopt.at, "users of profile %s log in by their addresses, too, and an old server is asked about usernames alone", p.Name)
	}
	for _, e := range p.Endpoints {
		if slices.Contains(ends(), e.Action) {
			found.Add(b.adopt.at, "profile %s has %s (%s): the old server goes on vouching for names and passwords that are changed here", p.Name, e.Name, e.Action)
		}
	}
}

// ends are the actions that end names or passwords, of which an old server hears nothing.
func ends() []profiles.Action {
	return []profiles.Action{
		profiles.Delete, profiles.SetPassword, profiles.SetUsername, profiles.ResetPasswordConfirm, profiles.ResetUsernameConfirm,
	}
}

// parseQuestion reads a URL of the old server.
func parseQuestion(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	// Errors of url.Parse, and the URL itself, may have a password in them.
	switch {
	case err != nil:
		return nil, errors.New("the URL can't be read: want for instance http://127.0.0.1:9000/api/login/")
	case hasUser(u):
		return nil, errors.New("the URL has a name or a password, which nobody is sent")
	case u.Fragment != "":
		return nil, fmt.Errorf("%q: a fragment is not sent", text)
	}
	host, err := parseApplication(u.Scheme + "://" + u.Host)
	if err != nil || u.Opaque != "" {
		return nil, fmt.Errorf("%q: want http://HOST:PORT/PATH or https://HOST:PORT/PATH", text)
	}
	u.Scheme, u.Host = host.Scheme, host.Host
	return u, nil
}

// isHost reports whether a text is a host, maybe with a port.
func isHost(text string) bool {
	u, err := parseApplication("http://" + text)
	return err == nil && u.Host == strings.ToLower(text)
}

// show returns the section as YAML.
func (b *adoptBinding) show() *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, o := range b.options() {
		value := o.Value
		if value == "" {
			continue
		}
		if _, err := parseQuestion(value); err != nil && (o == &b.login || o == &b.probe) || o == &b.host && !isHost(value) {
			value = section.Masked
		}
		node.Content = append(node.Content, section.Text(o.Key), section.Text(value))
	}
	return node
}
