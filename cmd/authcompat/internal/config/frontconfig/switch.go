package frontconfig

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
	"github.com/authcompat/authcompat/store"
)

// allEndpoints stands for all endpoints in the command cutover set.
const allEndpoints = "all"

// switchBinding is the list switch of a front.
type switchBinding struct {
	at        string // its position
	endpoints []section.Option
	refused   bool // what is meant is not known
}

// readSwitch reads the list.
func readSwitch(v yamlfile.Value) *switchBinding {
	items, ok := v.Items()
	if !ok {
		v.Refuse("want a list of endpoints, of paths as they stand in paths, or %s", cutover.Other)
		return &switchBinding{refused: true}
	}
	b := &switchBinding{at: section.Place(v)}
	for _, item := range items {
		item.Key = v.Key
		if !section.IsScalar(item) || item.Node.Value == "" {
			item.Refuse("want a text")
			b.refused = true
			continue
		}
		b.endpoints = append(b.endpoints, section.Option{Key: "switch", Value: item.Node.Value, At: section.Place(item)})
	}
	return b
}

// show returns the list as YAML.
func (b *switchBinding) show() *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, e := range b.endpoints {
		list.Content = append(list.Content, section.Text(e.Value))
	}
	return list
}

// loadNew checks the application of the new side.
func (f Server) loadNew(ctx context.Context, b *Section, loaded *Front, found *section.Problems) {
	if b.new.Value == "" {
		for _, o := range []section.Option{b.newCAFile, b.newServerName} {
			if o.Value != "" && b.new.At == "" {
				found.Add(o.At, "is for the application of the new side: give new too")
			}
		}
		return
	}
	application := f.loadApplication(ctx, b.new, b.newCAFile, b.newServerName, found)
	loaded.New = &application
	if old := loaded.URL; old != nil && application.URL != nil && sameApplication(old, application.URL) {
		found.Add(b.new.At, "%s is the old application too (%s)", b.new.Value, b.old.At)
	}
}

// switchable returns what can be switched: the endpoints of the API and, if there is an
// application for it, the paths that go on and all others.
func (b *Section) switchable(p *profiles.Profile) (endpoints, paths []string) {
	for _, e := range p.Endpoints {
		endpoints = append(endpoints, e.Name)
	}
	if b.new.Value != "" {
		for _, r := range b.rules {
			if r.Token != front.Refuse {
				paths = append(paths, r.Path)
			}
		}
		paths = append(paths, cutover.Other)
	}
	return endpoints, paths
}

// loadSwitch checks what is switched: what the list has, or all that can be if there are a new
// application and no list.
func (f Server) loadSwitch(b *Section, p *profiles.Profile, loaded *Front, found *section.Problems) {
	endpoints, paths := b.switchable(p)
	wanted, at := b.switches, b.new.At
	if wanted == nil {
		if b.new.Value == "" {
			return
		}
		wanted = &switchBinding{at: at}
		for _, name := range slices.Concat(endpoints, paths) {
			wanted.endpoints = append(wanted.endpoints, section.Option{Key: "switch", Value: name, At: at})
		}
	}
	if wanted.refused {
		return
	}
	usesNew := false
	first := make(map[string]string) // positions
	for _, e := range wanted.endpoints {
		if before, twice := first[e.Value]; twice {
			found.Add(e.At, "%s is switched twice (%s)", e.Value, before)
			continue
		}
		first[e.Value] = e.At
		if text := b.checkSwitched(e.Value, endpoints, paths); text != "" {
			found.Add(e.At, "%s", text)
			continue
		}
		usesNew = usesNew || slices.Contains(paths, e.Value)
		loaded.Switch = append(loaded.Switch, e.Value)
	}
	if b.new.Value != "" && !usesNew {
		found.Add(b.new.At, "is never used: switch has no path that goes on to it, nor %s (%s)", cutover.Other, wanted.at)
	}
	f.checkShared(wanted, endpoints, found)
}

// Switches reports whether an endpoint is switched.
func (f *Front) Switches(endpoint string) bool { return slices.Contains(f.Switch, endpoint) }

// Lines describe where paths go, for people.
func (f *Front) Lines() []string {
	lines := []string{"all other paths go on to " + f.URL.String()}
	var own, paths []string
	for _, e := range f.Switch {
		if e == cutover.Other || strings.HasPrefix(e, "/") {
			paths = append(paths, e)
		} else {
			own = append(own, e)
		}
	}
	if len(own) > 0 {
		lines = append(lines, "switched between it and this server: "+strings.Join(own, ", "))
	}
	if len(paths) > 0 {
		lines = append(lines, "switched between it and "+f.New.URL.String()+": "+strings.Join(paths, ", "))
	}
	if f.Shadow != nil {
		lines = append(lines, f.Shadow.line())
	}
	return lines
}

// checkSwitched returns what is wrong with an endpoint that is to be switched.
func (b *Section) checkSwitched(name string, endpoints, paths []string) string {
	isRule := slices.ContainsFunc(b.rules, func(r rule) bool { return r.Path == name })
	switch {
	case (name == cutover.Other || name == allEndpoints) && slices.Contains(endpoints, name):
		return "the profile has an endpoint with that name, which stands for others in a cutover: rename it"
	case slices.Contains(endpoints, name), slices.Contains(paths, name):
		return ""
	case b.new.Value == "" && (name == cutover.Other || isRule):
		return fmt.Sprintf("%s goes on to an application: give new, the URL of the new one", name)
	case isRule:
		return fmt.Sprintf("nothing goes on from %s: its token is %s", name, front.Refuse)
	case strings.HasPrefix(name, "/"):
		return fmt.Sprintf("%s is none of paths: give it a rule there ({path: %[1]s, token: pass} changes nothing else)", name)
	}
	return noEndpoint(name, endpoints, cutover.Other)
}

// noEndpoint says that a name is none of the profile's endpoints, nor of the other words that can stand there.
func noEndpoint(name string, endpoints []string, others ...string) string {
	if meant := yamlfile.DidYouMean(name, slices.Concat(endpoints, others)); meant != "" {
		return fmt.Sprintf("%q is no endpoint%s", name, meant)
	}
	there := strings.Join(endpoints, ", ")
	if len(others) > 0 {
		there += ", and there are paths and " + strings.Join(others, ", ")
	}
	return fmt.Sprintf("%q is no endpoint; the profile has %s", name, there)
}

// checkShared refuses to switch endpoints of the API where the old side can't know the tokens
// and users of the new one: those on the same tables do.
func (f Server) checkShared(wanted *switchBinding, endpoints []string, found *section.Problems) {
	if store.AcceptsMapping(f.Store) == nil || found.Refused["store"] {
		return
	}
	for _, e := range wanted.endpoints {
		if !slices.Contains(endpoints, e.Value) {
			continue
		}
		what := e.Value + " is switched"
		if e.At == wanted.at {
			what = "without a list switch, the endpoints of the profile are switched too"
		}
		found.Add(e.At, "%s, but a token of one side would be unknown to the other: work on the old application's own tables (--store django+postgres://… or django+sqlite:…), or list in switch only paths, and %s", what, cutover.Other)
		return
	}
}
