package djangosettings

import (
	_ "embed" // the bases
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
	"github.com/authcompat/authcompat/profiles"
)

//go:embed bases.yaml
var basesFile []byte

// maxShown is the most bytes of a value that are kept for a report.
const maxShown = 2000

// Report says what was found in a project's settings.
type Report struct {
	Files    []string `json:"files"`
	Base     string   `json:"base"` // the package whose profile is the base, in words; "" if none is known
	Why      string   `json:"why"`  // what pointed to it
	Settings []Found  `json:"settings"`
	Notes    []Note   `json:"notes"`
	Profile  string   `json:"profile"` // YAML that loads; "" if no base is known

	draft *draft // of the profile, or nil
}

// Found is a setting that the files have, and what became of it.
type Found struct {
	Setting  string `json:"setting"`
	Position string `json:"position"`
	// Value is as Python writes it. It is "" if it isn't known, and for settings that this
	// package doesn't know: they may be secrets.
	Value  string `json:"value"`
	Use    Use    `json:"use"`
	Key    string `json:"key"`
	Result string `json:"result"` // one of the results
	Why    string `json:"why"`
}

// The results.
const (
	Filled   = "filled in"
	Default  = "default"
	Left     = "left"          // for somebody to do
	Refused  = "not supported" // the setting, or this value
	NotKnown = "not known"     // only running the file could tell the value
)

// Note is something that may make what was found wrong.
type Note struct {
	Position string `json:"position"`
	Text     string `json:"text"`
}

// base is a profile to start from (bases.yaml).
type base struct {
	Profile, What, App, Setting, Class string
	Knox5                              bool `yaml:"knox_5"` // only for settings of knox 5
}

// Inspect reads settings files, the later ones as if they began with "from EARLIER import *", and makes
// a profile of them. An error says where a file isn't Python.
func Inspect(files ...python.File) (*Report, error) {
	m, err := python.Read(files...)
	if err != nil {
		return nil, err
	}
	r := &Report{Settings: []Found{}, Notes: []Note{}}
	for _, f := range files {
		r.Files = append(r.Files, f.Name)
	}
	for _, n := range m.Notes {
		r.Notes = append(r.Notes, Note{n.Pos.String(), n.Text})
	}
	d, err := r.start(m)
	if err != nil {
		return nil, err
	}
	dicts := map[string]bool{}
	for _, s := range Settings() {
		holder := m.Value(s.Dict)
		if s.Dict == "" {
			if v := m.Value(s.Name); v != nil {
				r.Settings = append(r.Settings, become(s, v, d))
			}
			continue
		}
		if holder == nil {
			continue
		}
		if !dicts[s.Dict] {
			dicts[s.Dict] = true
			r.unknown(s.Dict, holder)
		}
		if v := ownKey(holder, s.Name); v != nil {
			r.Settings = append(r.Settings, become(s, v, d))
		}
	}
	if d == nil {
		return r, nil
	}
	r.draft = d
	return r, r.finish(d)
}

// Knox makes the profile that of a generation of django-rest-knox, which was found in the tokens: which
// texts are a token, and the format in which tokens are kept so that an export can hand them back. Both are
// words of profiles. A profile whose tokens aren't knox's stays as it is.
func (r *Report) Knox(match, legacyFormat string) error {
	if r.draft == nil || r.draft.value("tokens", "per_user") != string(profiles.ManyPerUser) {
		return nil
	}
	if err := errors.Join(r.draft.set(match, "tokens", "match"), r.draft.set(legacyFormat, "tokens", "legacy_format")); err != nil {
		return err
	}
	return r.finish(r.draft)
}

// ownKey gives the value of a key that a dictionary certainly has.
func ownKey(d *python.Value, key string) *python.Value {
	if v := d.Key(key); d.Kind == python.Dict && v != d.Open {
		return v
	}
	return nil
}

// unknown reports what isn't known of a dictionary, and keys that no version has which this package knows.
func (r *Report) unknown(name string, d *python.Value) {
	why := d.Open
	if d.Kind != python.Dict {
		if why = d.Key(""); why == nil {
			why = d
		}
		r.Settings = append(r.Settings, Found{Setting: name, Position: why.Pos.String(), Result: NotKnown, Why: why.Text})
		return
	}
	if why != nil {
		r.Notes = append(r.Notes, Note{why.Pos.String(), "what else " + name + " has is not known: it " + why.Text})
	}
	known := map[string]bool{}
	for _, s := range Settings() {
		known[s.Name] = known[s.Name] || s.Dict == name
	}
	for i, key := range d.Keys {
		if key.Kind != python.String || known[key.Text] {
			continue
		}
		r.Settings = append(r.Settings, Found{Setting: name + " " + key.Text, Position: d.Items[i].Pos.String(), Use: NotSupported, Result: Refused, Why: "no version that is known here has this setting"})
	}
}

// become fills a setting in, and says what became of it.
func become(s Setting, v *python.Value, d *draft) Found {
	f := Found{Setting: s.String(), Position: v.Pos.String(), Value: v.Show(maxShown), Use: s.Use, Key: s.Key, Why: s.Why, Result: Left}
	if s.Use == NotSupported {
		f.Result = Refused
	}
	if v.Kind == python.Dict && s.Key == "" {
		f.Value = "{…}" // such as SIMPLE_JWT, which may have a key to sign with
	}
	reason := v
	if v.Kind == python.List || v.Kind == python.Set {
		if i := slices.IndexFunc(v.Items, func(item *python.Value) bool { return item.Kind == python.Unknown }); i >= 0 {
			reason = v.Items[i]
		}
	}
	switch {
	case reason.Kind == python.Unknown && s.Use != NoEffect:
		f.Position, f.Value, f.Result, f.Why = reason.Pos.String(), "", NotKnown, reason.Text
	case s.Default != "" && strings.NewReplacer("(", "[", ")", "]", ",)", "]").Replace(v.Show(maxShown)) == strings.NewReplacer("(", "[", ")", "]", ",)", "]").Replace(s.Default):
		f.Result, f.Why = Default, ""
	case s.apply != nil && d != nil:
		if err := s.apply(d, v); err != nil {
			f.Result, f.Why = Refused, err.Error()
		} else {
			f.Result, f.Why = Filled, ""
		}
	}
	return f
}

// start finds the profile to start from. The draft is nil if nothing points to one.
func (r *Report) start(m *python.Module) (*draft, error) {
	b, why, err := choose(m)
	if err != nil || b.Profile == "" {
		return nil, err
	}
	r.Base, r.Why = b.What, why
	text, there := profiles.Source(b.Profile)
	if !there {
		return nil, fmt.Errorf("bases.yaml: there is no profile %q", b.Profile)
	}
	d, err := newDraft(b, text, m)
	if err != nil || b.App != "dj_rest_auth" {
		return d, err
	}
	return d, withoutApps(d, m.Value("INSTALLED_APPS"))
}

// choose finds the base that the settings point to.
func choose(m *python.Module) (b base, why string, err error) {
	var all []base
	if err := yaml.Unmarshal(basesFile, &all); err != nil {
		return b, "", err
	}
	apps, framework := m.Value("INSTALLED_APPS"), m.Value("REST_FRAMEWORK")
	for _, b := range all {
		if b.Knox5 && !knox5(m) {
			continue
		}
		switch {
		case apps.Has(b.App):
			return b, "INSTALLED_APPS has " + b.App, nil
		case apps.Complete(): // what is not there is not installed
		case b.Setting != "" && m.Value(b.Setting) != nil:
			return b, b.Setting + " is set", nil
		case b.Class != "" && framework != nil && ownKey(framework, "DEFAULT_AUTHENTICATION_CLASSES").Has(b.Class):
			return b, "DEFAULT_AUTHENTICATION_CLASSES has " + b.Class, nil
		}
	}
	return base{}, "", nil
}

// knox5 tells whether a setting is there that came with django-rest-knox 5 (its CHANGELOG.md, 5.0.0).
func knox5(m *python.Module) bool {
	if m.Value("KNOX_TOKEN_MODEL") != nil {
		return true
	}
	d := m.Value("REST_KNOX")
	if d == nil {
		return false
	}
	for _, key := range []string{"AUTO_REFRESH_MAX_TTL", "TOKEN_PREFIX", "TOKEN_MODEL"} {
		if ownKey(d, key) != nil {
			return true
		}
	}
	hash := ownKey(d, "SECURE_HASH_ALGORITHM")
	return hash != nil && hash.Text == "hashlib.sha512"
}

// finish names the profile and writes it.
func (r *Report) finish(d *draft) error {
	if err := d.set("my-api", "name"); err != nil {
		return err
	}
	text, err := d.yaml()
	if err != nil {
		return err
	}
	head := fmt.Sprintf("# Made by authcompat inspect from %s, with the API of %s. The paths are those of its documents: yours are in urls.py.\n", singleLine(strings.Join(r.Files, ", ")), r.Base)
	r.Profile = head + string(text)
	_, err = profiles.Parse("profile.yaml", []byte(r.Profile))
	return err
}

// singleLine keeps the name of a file within a comment.
func singleLine(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029 {
			return '?'
		}
		return c
	}, s)
}
