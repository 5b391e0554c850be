package config

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

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
	endpoints []frontOption
	refused   bool // what is meant is not known
}

// readSwitch reads the list.
func readSwitch(v yamlfile.Value) *switchBinding {
	items, ok := v.Items()
	if !ok {
		v.Refuse("want a list of endpoints, of paths as they stand in paths, or %s", cutover.Other)
		return &switchBinding{refused: true}
	}
	b := &switchBinding{at: place(v)}
	for _, item := range items {
		item.Key = v.Key
		if !isScalar(item) || item.Node.Value == "" {
			item.Refuse("want a text")
			b.refused = true
			continue
		}
		b.endpoints = append(b.endpoints, frontOption{"switch", item.Node.Value, place(item)})
	}
	return b
}

// show returns the list as YAML.
func (b *switchBinding) show() *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, e := range b.endpoints {
		list.Content = append(list.Content, text(e.value))
	}
	return list
}

// loadNew checks the application of the new side.
func (f *Server) loadNew(ctx context.Context, b *frontBinding, loaded *Front, found *problems) {
	if b.new.value == "" {
		for _, o := range []frontOption{b.newCAFile, b.newServerName} {
			if o.value != "" && b.new.at == "" {
				found.add(o.at, "is for the application of the new side: give new too")
			}
		}
		return
	}
	application := f.loadApplication(ctx, b.new, b.newCAFile, b.newServerName, found)
	loaded.New = &application
	if old := loaded.Application; old != nil && application.Application != nil && sameApplication(old, application.Application) {
		found.add(b.new.at, "%s is the old application too (%s)", b.new.value, b.old.at)
	}
}

// switchable returns what can be switched: the endpoints of the API and, if there is an
// application for it, the paths that go on and all others.
func (b *frontBinding) switchable(p *profiles.Profile) (endpoints, paths []string) {
	for _, e := range p.Endpoints {
		endpoints = append(endpoints, e.Name)
	}
	if b.new.value != "" {
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
func (f *Server) loadSwitch(b *frontBinding, p *profiles.Profile, loaded *Front, found *problems) {
	endpoints, paths := b.switchable(p)
	wanted, at := b.switches, b.new.at
	if wanted == nil {
		if b.new.value == "" {
			return
		}
		wanted = &switchBinding{at: at}
		for _, name := range slices.Concat(endpoints, paths) {
			wanted.endpoints = append(wanted.endpoints, frontOption{"switch", name, at})
		}
	}
	if wanted.refused {
		return
	}
	usesNew := false
	first := make(map[string]string) // positions
	for _, e := range wanted.endpoints {
		if before, twice := first[e.value]; twice {
			found.add(e.at, "%s is switched twice (%s)", e.value, before)
			continue
		}
		first[e.value] = e.at
		if text := b.checkSwitched(e.value, endpoints, paths); text != "" {
			found.add(e.at, "%s", text)
			continue
		}
		usesNew = usesNew || slices.Contains(paths, e.value)
		loaded.Switch = append(loaded.Switch, e.value)
	}
	if b.new.value != "" && !usesNew {
		found.add(b.new.at, "is never used: switch has no path that goes on to it, nor %s (%s)", cutover.Other, wanted.at)
	}
	f.checkShared(wanted, endpoints, found)
}

// Switches reports whether an endpoint is switched.
func (f *Front) Switches(endpoint string) bool { return slices.Contains(f.Switch, endpoint) }

// Lines describe where paths go, for people.
func (f *Front) Lines() []string {
	lines := []string{"all other paths go on to " + f.Application.String()}
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
		lines = append(lines, "switched between it and "+f.New.Application.String()+": "+strings.Join(paths, ", "))
	}
	return lines
}

// checkSwitched returns what is wrong with an endpoint that is to be switched.
func (b *frontBinding) checkSwitched(name string, endpoints, paths []string) string {
	isRule := slices.ContainsFunc(b.rules, func(r frontRule) bool { return r.Path == name })
	switch {
	case (name == cutover.Other || name == allEndpoints) && slices.Contains(endpoints, name):
		return "the profile has an endpoint with that name, which stands for others in a cutover: rename it"
	case slices.Contains(endpoints, name), slices.Contains(paths, name):
		return ""
	case b.new.value == "" && (name == cutover.Other || isRule):
		return fmt.Sprintf("%s goes on to an application: give new, the URL of the new one", name)
	case isRule:
		return fmt.Sprintf("nothing goes on from %s: its token is %s", name, front.Refuse)
	case strings.HasPrefix(name, "/"):
		return fmt.Sprintf("%s is none of paths: give it a rule there ({path: %[1]s, token: pass} changes nothing else)", name)
	}
	if near := yamlfile.Nearest(name, append(endpoints, cutover.Other)); near != "" {
		return fmt.Sprintf("%q is no endpoint; did you mean %s?", name, near)
	}
	return fmt.Sprintf("%q is no endpoint; the profile has %s, and there are paths and %s", name, strings.Join(endpoints, ", "), cutover.Other)
}

// checkShared refuses to switch endpoints of the API where the old side can't know the tokens
// and users of the new one: those on the same tables do.
func (f *Server) checkShared(wanted *switchBinding, endpoints []string, found *problems) {
	if store.AcceptsMapping(f.Engine.Store) == nil || found.refused["store"] {
		return
	}
	for _, e := range wanted.endpoints {
		if !slices.Contains(endpoints, e.value) {
			continue
		}
		what := e.value + " is switched"
		if e.at == wanted.at {
			what = "without a list switch, the endpoints of the profile are switched too"
		}
		found.add(e.at, "%s, but a token of one side would be unknown to the other: work on the old application's own tables (--store django+postgres://… or django+sqlite:…), or list in switch only paths, and %s", what, cutover.Other)
		return
	}
}
