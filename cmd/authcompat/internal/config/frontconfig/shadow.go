package frontconfig

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// Shadow is what is compared with what the old server answers.
type Shadow struct {
	Endpoints []string
	Sample    cutover.Share
	Journal   string // a file
	// Learn is how many requests the old server may be asked a second time, of an endpoint and in
	// an hour.
	Learn int
	At    string // the position of Journal, with its key
}

// defaultSample is how many of the requests are compared.
const defaultSample = 10 * cutover.All / 100

// maxLearn bounds what the old server is asked besides its own calls.
const maxLearn = 1000

// shadowBinding is the section shadow of a front.
type shadowBinding struct {
	at                     string // its position
	sample, journal, learn section.Option
	endpoints              []section.Option
	listed                 bool // there is a list of endpoints
	refused                bool // what is meant is not known
}

// options returns the keys with one value in the order in which they are printed.
func (b *shadowBinding) options() []*section.Option {
	return []*section.Option{&b.sample, &b.journal, &b.learn}
}

// readShadow reads the section shadow. A nil binding has been refused.
func readShadow(v yamlfile.Value) *shadowBinding {
	entries, ok := v.Entries()
	if !ok {
		v.Refuse("want a map with journal, the file that results are written to")
		return nil
	}
	b := &shadowBinding{at: section.Place(v), sample: section.Option{Key: "sample"}, journal: section.Option{Key: "journal"}, learn: section.Option{Key: "learn"}}
	for e := range entries {
		i := slices.IndexFunc(b.options(), func(o *section.Option) bool { return o.Key == e.Name })
		switch {
		case e.Name == "endpoints":
			b.readEndpoints(e.Value)
		case i < 0:
			e.RefuseUnknown(append(section.Keys(b.options()), "endpoints")...)
		case !section.IsScalar(e.Value) || e.Value.Node.Value == "":
			e.Value.Refuse("want a value")
			b.options()[i].At = section.Place(e.Value) // it is not missing
		default:
			*b.options()[i] = section.NewOption(e)
		}
	}
	if b.journal.At == "" {
		v.Refuse("want journal, the file that results are written to")
	}
	return b
}

// readEndpoints reads the list of endpoints.
func (b *shadowBinding) readEndpoints(v yamlfile.Value) {
	b.listed = true
	items, ok := v.Items()
	if !ok || len(items) == 0 {
		v.Refuse("want a list of endpoints that are switched; without it, all of them are compared")
		b.refused = true
		return
	}
	for _, item := range items {
		item.Key = v.Key
		if !section.IsScalar(item) || item.Node.Value == "" {
			item.Refuse("want a text")
			b.refused = true
			continue
		}
		b.endpoints = append(b.endpoints, section.Option{Key: "endpoints", Value: item.Node.Value, At: section.Place(item)})
	}
}

// loadShadow checks the section shadow of a front, once it is known what is switched, and returns
// it; nil: there is none.
func (b *Section) loadShadow(p *profiles.Profile, loaded *Front, found *section.Problems) *Shadow {
	s := b.shadow
	if s == nil || s.refused {
		return nil
	}
	var own []string
	for _, e := range p.Endpoints {
		own = append(own, e.Name)
	}
	shadow := &Shadow{Sample: defaultSample, Journal: s.journal.Value, At: s.journal.At}
	for _, e := range loaded.Switch {
		if !s.listed && slices.Contains(own, e) {
			shadow.Endpoints = append(shadow.Endpoints, e)
		}
	}
	for _, e := range s.endpoints {
		if text := checkShadowed(e.Value, own, loaded.Switch, shadow.Endpoints); text != "" {
			found.Add(e.At, "%s", text)
			continue
		}
		shadow.Endpoints = append(shadow.Endpoints, e.Value)
	}
	if !s.listed && len(shadow.Endpoints) == 0 {
		found.Add(s.at, "nothing is compared: switch has no endpoint of profile %s, so that the old server answers none. List them in switch (they stay on the old side until cutover set moves them)", p.Name)
	}
	s.loadNumbers(shadow, found)
	if path := s.journal.Value; path != "" {
		if err := checkJournal(path); err != nil {
			found.Add(s.journal.At, "%v", err)
		}
	}
	return shadow
}

// loadNumbers reads the sample and learn.
func (b *shadowBinding) loadNumbers(shadow *Shadow, found *section.Problems) {
	if text := b.sample.Value; text != "" {
		var err error
		if shadow.Sample, err = cutover.ParseShare(text); err != nil {
			found.Add(b.sample.At, "%v", err)
		} else if shadow.Sample == 0 {
			found.Add(b.sample.At, "0%% compares nothing: take the section shadow out to turn it off")
		}
	}
	if text := b.learn.Value; text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxLearn {
			found.Add(b.learn.At, "%q: want how many GET and HEAD requests the old server may get a second time, of an endpoint and in an hour: 0 to %d", text, maxLearn)
		}
		shadow.Learn = n
	}
}

// checkShadowed returns what is wrong with an endpoint that is to be compared.
func checkShadowed(name string, own, switched, before []string) string {
	switch {
	case slices.Contains(before, name):
		return name + " is there twice"
	case strings.HasPrefix(name, "/"), name == cutover.Other && !slices.Contains(own, name):
		return name + " goes on to an application: only what this server would answer itself is compared, the endpoints of the profile"
	case !slices.Contains(own, name):
		return noEndpoint(name, own)
	case !slices.Contains(switched, name):
		return fmt.Sprintf("%s is not switched, so that the old server never answers it: add it to switch (it stays on the old side until cutover set moves it)", name)
	}
	return ""
}

// checkJournal returns why a file can't be a journal; it makes none.
func checkJournal(path string) error {
	if info, err := os.Stat(path); err == nil {
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file", path)
		}
		return nil
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s for it", folder)
	}
	return nil
}

// show returns the section as YAML.
func (b *shadowBinding) show() *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	if b.listed {
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, e := range b.endpoints {
			list.Content = append(list.Content, section.Text(e.Value))
		}
		node.Content = append(node.Content, section.Text("endpoints"), list)
	}
	for _, o := range b.options() {
		if o.Value != "" {
			node.Content = append(node.Content, section.Text(o.Key), section.Text(o.Value))
		}
	}
	return node
}

// line describes what is compared, for people.
func (s *Shadow) line() string {
	line := fmt.Sprintf("compared with this server, %s of the requests, in %s: %s", s.Sample, s.Journal, strings.Join(s.Endpoints, ", "))
	if s.Learn > 0 {
		line += fmt.Sprintf("; GET and HEAD up to %d times an hour a second time, to learn of noise", s.Learn)
	}
	return line
}
