package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
	"github.com/authcompat/authcompat/store"
)

// FrontAdopt is an old server whose users move in at their next login.
type FrontAdopt struct {
	Login *url.URL
	Probe *url.URL // nil: tokens of the old server are not asked about
	Host  string   // that both are asked as; empty: those of the URLs
	Until time.Time
	At    string // the position of Until, with its key
	// ProbeAt is the position of Probe, with its key.
	ProbeAt string
}

// Over reports whether the time in which users are adopted is over at now.
func (a *FrontAdopt) Over(now time.Time) bool { return !now.Before(a.Until) }

// adoptBinding is the section adopt of a front.
type adoptBinding struct {
	at                        string // its position
	login, probe, host, until frontOption
}

// options returns the keys in the order in which they are printed.
func (b *adoptBinding) options() []*frontOption {
	return []*frontOption{&b.login, &b.probe, &b.host, &b.until}
}

// readAdopt reads the section adopt. A nil binding has been refused.
func readAdopt(v yamlfile.Value) *adoptBinding {
	entries, ok := v.Entries()
	if !ok {
		v.Refuse("want a map with login, probe and until")
		return nil
	}
	b := &adoptBinding{at: place(v), login: frontOption{key: "login"}, probe: frontOption{key: "probe"}, host: frontOption{key: "host"}, until: frontOption{key: "until"}}
	for e := range entries {
		i := slices.IndexFunc(b.options(), func(o *frontOption) bool { return o.key == e.Name })
		switch {
		case i < 0:
			e.Refuse("unknown key; adopt has login, probe, host and until")
		case !isScalar(e.Value) || e.Value.Node.Value == "":
			e.Value.Refuse("want a value")
			b.options()[i].at = place(e.Value) // it is not missing
		default:
			*b.options()[i] = frontOption{e.Name, e.Value.Node.Value, place(e.Value)}
		}
	}
	if b.login.at == "" {
		v.Refuse("want login, the URL of the old server's login")
	}
	if b.until.at == "" {
		v.Refuse("want until, the date from which on the old server is not asked any more")
	}
	return b
}

// loadAdopt checks the section adopt of a front, and returns it; nil: there is none.
func (f *Server) loadAdopt(b *frontBinding, found *problems) *FrontAdopt {
	a := b.adopt
	if a == nil {
		return nil
	}
	if store.AcceptsMapping(f.Engine.Store) == nil {
		found.add(a.at, "the store is the old server's own database: its users are there already, and none is adopted")
	}
	loaded := &FrontAdopt{At: a.until.at, ProbeAt: a.probe.at}
	for _, o := range []struct {
		option *frontOption
		value  **url.URL
	}{{&a.login, &loaded.Login}, {&a.probe, &loaded.Probe}} {
		if o.option.value == "" {
			continue
		}
		u, err := parseQuestion(o.option.value)
		if err != nil {
			found.add(o.option.at, "%v", err)
			continue
		}
		*o.value = u
		f.checkLoop(*o.option, u, found)
	}
	if a.host.value != "" {
		if !isHost(a.host.value) {
			found.add(a.host.at, "want HOST or HOST:PORT, as the old server is called by its clients")
		}
		loaded.Host = a.host.value
	}
	if a.until.value != "" {
		var err error
		if loaded.Until, err = parseDate(a.until.value); err != nil {
			found.add(a.until.at, "%v", err)
		}
	}
	wants := func(r frontRule) bool { return r.Token == front.Checked || r.Token == front.Needed }
	if i := slices.IndexFunc(b.rules, wants); i >= 0 && a.probe.at == "" {
		found.add(a.at, "want probe, a URL of the old server that needs a token: %s (%s) checks tokens, and those of the old server are unknown here", b.rules[i].Path, b.rules[i].at)
	}
	return loaded
}

// checkAdopt checks that users can log in at a profile whose users are adopted.
func (b *frontBinding) checkAdopt(p *profiles.Profile, found *problems) {
	if b == nil || b.adopt == nil {
		return
	}
	if _, ok := p.Endpoint(profiles.Login); !ok {
		found.add(b.adopt.at, "profile %s has no login endpoint, at which users could be adopted", p.Name)
	}
}

// checkRegistrations refuses profiles at which anybody could take the name of a user of an old
// server, and so the account, before the user logs in, or who never did: a date that is over
// changes nothing of whose names they are.
func checkRegistrations(all []BoundProfile, found *problems) {
	adopts := func(p BoundProfile) bool { return p.Front != nil && p.Front.Adopt != nil }
	i := slices.IndexFunc(all, adopts)
	if i < 0 {
		return
	}
	for _, p := range all {
		if _, registers := p.Profile.Endpoint(profiles.Register); registers && !adopts(p) {
			found.add(all[i].Front.Adopt.At, "users of profile %s are adopted, and profile %s lets anybody register in the same store, under the name of one who has not logged in yet: adopt its users too, or serve it without register", all[i].Profile.Name, p.Profile.Name)
		}
	}
}

// parseQuestion reads a URL of the old server.
func parseQuestion(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	// Errors of url.Parse, and the URL itself, may have a password in them.
	switch {
	case err != nil:
		return nil, errors.New("the URL can't be read: want for instance http://127.0.0.1:9000/api/login/")
	case u.User != nil:
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

// parseDate reads a date, which begins at midnight UTC, or a time.
func parseDate(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q: want a date, as 2027-03-31 (midnight UTC), or 2027-03-31T18:00:00+02:00", text)
}

// show returns the section as YAML.
func (b *adoptBinding) show() *yaml.Node {
	section := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, o := range b.options() {
		value := o.value
		if value == "" {
			continue
		}
		if _, err := parseQuestion(value); err != nil && (o == &b.login || o == &b.probe) || o == &b.host && !isHost(value) {
			value = masked
		}
		section.Content = append(section.Content, text(o.key), text(value))
	}
	return section
}

// OverAdoptions returns what is wrong with the fronts whose time to adopt users is over at
// now: with it, the section only passes registrations on. The error has one line for each; nil: there is none.
func OverAdoptions(all []BoundProfile, now time.Time) error {
	found := &problems{}
	for _, p := range all {
		if p.Front != nil && p.Front.Adopt != nil && p.Front.Adopt.Over(now) {
			found.add(p.Front.Adopt.At, "%s is over, and no users are adopted any more, but registrations are still passed on: name a later date, or take the section adopt away, which lets anybody register the names of those who were not adopted (docs/adopt.md says what to do first)", p.Front.Adopt.Until.Format(time.RFC3339))
		}
	}
	return found.err()
}
