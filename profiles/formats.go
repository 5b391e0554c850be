package profiles

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones have the same rules on every machine that has none of its own

	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
	"github.com/authcompat/authcompat/profiles/strftime"
	"github.com/authcompat/authcompat/profiles/template"
)

// Format is a way to write times that the profile names.
type Format struct {
	Name string // [a-z][a-z0-9_-]*, at most 64 characters
	template.TimeFormat
}

// formats reads the formats of a profile.
func formats(v yamlvalue.Value) ([]Format, bool) {
	m := v.Mapping()
	var list []Format
	for _, e := range m.Entries {
		f := Format{Name: e.Name, TimeFormat: template.TimeFormat{Zone: "UTC"}}
		switch {
		case !yamlvalue.IsName(e.Name, "abcdefghijklmnopqrstuvwxyz", "0123456789_-"):
			e.Refuse("a format's name is at most 64 lower-case letters, digits, _ and -, the first a letter")
		case slices.Contains(template.Formats(), template.Format(e.Name)):
			e.Refuse("is a format that there is already")
		}
		of := yamlvalue.Of(e.Value).Mapping()
		yamlvalue.Optional(of, "strftime", &f.Strftime, timeLayout)
		yamlvalue.Optional(of, "zone", &f.Zone, zone)
		of.Done()
		list = append(list, f)
	}
	return list, true // a bad one is reported, and not where it is used
}

// timeLayout reads a format of Python's strftime.
func timeLayout(v yamlvalue.Value) (string, bool) {
	s, ok := yamlvalue.Line(v)
	if !ok {
		return "", false
	}
	if _, err := strftime.Parse(s); err != nil {
		v.Refuse("%s", err)
		return "", false
	}
	return s, true
}

// zone reads a name of the IANA time zone database.
func zone(v yamlvalue.Value) (string, bool) {
	s, ok := yamlvalue.Text(v)
	if !ok {
		return "", false
	}
	// Local is the zone of this machine, and the empty name is UTC.
	if _, err := time.LoadLocation(s); err != nil || s == "" || strings.EqualFold(s, "local") {
		v.Want("a zone of the IANA database, such as Europe/Paris")
		return "", false
	}
	return s, true
}

func showFormats(list []Format) yamlnode.Map {
	s := yamlnode.NewMap()
	for _, f := range list {
		of := yamlnode.NewMap()
		of.Text("strftime", f.Strftime)
		of.Text("zone", f.Zone)
		s.Set(f.Name, yamlnode.Fold(of.Node, len("  : ")+len(f.Name)))
	}
	return s
}

// timeFormats gives the formats by their names.
func (p *Profile) timeFormats() map[template.Format]template.TimeFormat {
	named := make(map[template.Format]template.TimeFormat)
	for _, f := range p.Formats {
		named[template.Format(f.Name)] = f.TimeFormat
	}
	return named
}
