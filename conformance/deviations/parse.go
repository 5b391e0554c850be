package deviations

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"

	"gopkg.in/yaml.v3"
)

//go:embed deviations.yaml
var known []byte

// Known returns the list of this repository, deviations.yaml.
func Known() (List, error) {
	list, err := Parse(known)
	if err != nil {
		return nil, fmt.Errorf("deviations.yaml: %w", err)
	}
	return list, nil
}

// Parse reads a list in YAML: a list of mappings whose keys are those of Deviation. Unknown keys,
// names and places that occur twice, and deviations without a reason are errors.
func Parse(data []byte) (List, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	var list List
	if err := d.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one YAML document")
	}
	names, places := map[string]bool{}, map[string]bool{}
	for i := range list {
		d := &list[i]
		if d.Name == "" || names[d.Name] {
			return nil, fmt.Errorf("entry %d: want a name of its own", i+1)
		}
		names[d.Name] = true
		if err := d.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		for _, place := range d.places() {
			if places[place] {
				return nil, fmt.Errorf("%s: another entry is about %s", d.Name, place)
			}
			places[place] = true
		}
	}
	return list, nil
}

func (d *Deviation) check() error {
	where := 0
	for _, set := range []bool{d.Exchange != "", d.Recorded != nil, d.Random != nil} {
		if set {
			where++
		}
	}
	switch {
	case d.Reason == "":
		return errors.New("want a reason")
	case where != 1:
		return errors.New("want one of exchange, recorded and random")
	case d.Random != nil:
		return d.Random.compile()
	case len(d.Profiles) == 0:
		return errors.New("want the profiles in which it occurs")
	case d.Recorded != nil && (d.Recorded.Sequence == "" || d.Recorded.Number < 1):
		return errors.New("recorded: want a sequence, and a step from 1")
	}
	return nil
}

func (r *Random) compile() error {
	if r.Reference == "" && r.Subject == "" && r.Parts == nil && r.Request == "" {
		return errors.New("random: want a condition")
	}
	for _, status := range []string{r.Reference, r.Subject} {
		if !regexp.MustCompile(`^([1-5]([0-9]{2}|xx))?$`).MatchString(status) {
			return fmt.Errorf("random: %q is no status", status)
		}
	}
	var err error
	if r.request, err = regexp.Compile("(?s)" + r.Request); err != nil {
		return fmt.Errorf("random: request: %w", err)
	}
	return nil
}

// places returns what can have only one deviation: exchanges, and steps of recordings.
func (d *Deviation) places() []string {
	var places []string
	for _, profile := range d.Profiles {
		switch d.Comparison() {
		case Exchanges:
			places = append(places, fmt.Sprintf("%s, exchange %q", profile, d.Exchange))
		case Recordings:
			places = append(places, fmt.Sprintf("%s, %s, step %d", profile, d.Recorded.Sequence, d.Recorded.Number))
		}
	}
	return places
}
