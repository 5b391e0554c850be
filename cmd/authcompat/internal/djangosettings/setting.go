// Package djangosettings says what becomes of each setting of a Django project that decides how
// its token API answers, and makes a profile from a project's settings. They are read as text (package
// python); nothing is run, and what only running them could tell is reported and never guessed.
package djangosettings

import (
	"errors"
	"fmt"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
)

// Use says where a setting has its place here.
type Use string

// The uses.
const (
	InProfile     Use = "profile"       // a key of the profile, which is filled in
	ByHand        Use = "by hand"       // a key of the profile, which only somebody who knows the project's code can fill in
	Configuration Use = "configuration" // a key of the server's configuration, or a flag of a command
	NoEffect      Use = "no effect"     // no client of these APIs sees it
	NotSupported  Use = "not supported"
)

// Setting says what becomes of one setting.
type Setting struct {
	Dict string // the dictionary whose key it is, such as REST_KNOX; "" for a setting of its own
	Name string
	Use  Use
	Key  string // of the profile or of the configuration
	// Default is the package's default as Python writes it; "" if it depends on the project. A
	// setting with this value is left as the base of the profile has it.
	Default string
	Why     string // what there is to know, one clause
	// apply fills the key in. Its error is the reason why it can't.
	apply func(d *draft, v *python.Value) error
}

// String gives the name of the setting as people say it.
func (s Setting) String() string {
	if s.Dict == "" {
		return s.Name
	}
	return s.Dict + " " + s.Name
}

// Settings gives all settings, those of a dictionary one after another.
func Settings() []Setting {
	var all []Setting
	for _, part := range [][]Setting{restFramework(), restKnox(), djoser(), restAuth(), django(), cors(), allauth()} {
		all = append(all, part...)
	}
	return all
}

// under puts settings into a dictionary.
func under(dict string, settings ...Setting) []Setting {
	for i := range settings {
		settings[i].Dict = dict
	}
	return settings
}

// unread makes settings that have one use in common.
func unread(use Use, why string, names ...string) []Setting {
	var all []Setting
	for _, name := range names {
		all = append(all, Setting{Name: name, Use: use, Why: why})
	}
	return all
}

// of makes settings count only where the profile starts from that of their app: its endpoints have the same
// actions as those of another.
func of(app string, settings []Setting) []Setting {
	for i, s := range settings {
		if s.apply == nil {
			continue
		}
		settings[i].apply = func(d *draft, v *python.Value) error {
			if d.base.App != app {
				return fmt.Errorf("the profile is that of %s", d.base.What)
			}
			return s.apply(d, v)
		}
	}
	return settings
}

// put fills in the key at a path, which has dots, with what convert makes of the value.
func put(path string, convert func(*python.Value) (any, error)) func(*draft, *python.Value) error {
	return func(d *draft, v *python.Value) error {
		value, err := convert(v)
		if err != nil {
			return err
		}
		return d.set(value, strings.Split(path, ".")...)
	}
}

func boolean(v *python.Value) (any, error) {
	if v.Kind != python.Bool {
		return nil, errors.New("it is neither True nor False")
	}
	return v.Bool, nil
}

func integer(v *python.Value) (any, error) {
	if v.Kind != python.Int {
		return nil, errors.New("it is no whole number")
	}
	return v.Int, nil
}

func text(v *python.Value) (any, error) {
	if v.Kind != python.String {
		return nil, errors.New("it is no text")
	}
	return v.Text, nil
}

func texts(v *python.Value) (any, error) {
	all, _, ok := v.Texts()
	if !ok {
		return nil, errors.New("it is no list of texts")
	}
	if all == nil {
		all = []string{}
	}
	return all, nil
}

// lifetime gives a timedelta as profiles write durations, None as never.
func lifetime(v *python.Value) (any, error) {
	if v.Kind == python.None {
		return "never", nil
	}
	if v.Kind != python.Duration {
		return nil, errors.New("it is no timedelta")
	}
	return duration(v.Int)
}

// seconds gives a number of seconds as profiles write durations.
func seconds(v *python.Value) (any, error) {
	if v.Kind != python.Int || v.Int > int64(1)<<40 {
		return nil, errors.New("it is no number of seconds")
	}
	return duration(v.Int * 1_000_000)
}

// duration writes microseconds as profiles write durations: 1d12h.
func duration(us int64) (any, error) {
	s := us / 1_000_000
	switch {
	case us <= 0:
		return nil, errors.New("tokens would end before they are issued")
	case us%1_000_000 != 0:
		return nil, errors.New("profiles have whole seconds")
	}
	var b strings.Builder
	for _, u := range []struct {
		name   string
		length int64
	}{{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}} {
		// 36h is better known than 1d12h.
		if n := s / u.length; n > 0 && (u.name != "d" || s%u.length == 0) {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			s -= n * u.length
		}
	}
	return b.String(), nil
}

// classes gives the words for classes that are known, in order. The error names the first that isn't.
func classes(v *python.Value, words map[string]string) ([]string, error) {
	if v.Kind != python.List {
		return nil, errors.New("it is no list of classes")
	}
	found := []string{}
	for _, item := range v.Items {
		word, known := words[item.Text]
		switch {
		case item.Kind != python.String && item.Kind != python.Name:
			return nil, errors.New("it is no list of classes")
		case !known:
			return nil, fmt.Errorf("%s is a class of the project or of another package", item.Text)
		}
		found = append(found, word)
	}
	return found, nil
}
