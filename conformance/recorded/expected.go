package recorded

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// Expected lists differences from reference servers that are known, each with its reason.
type Expected []ExpectedEntry

// An ExpectedEntry says that the response to one step of a recorded sequence differs, and why.
type ExpectedEntry struct {
	Profile  string `yaml:"profile"`
	Sequence string `yaml:"sequence"`
	Step     int    `yaml:"step"` // from 1
	Reason   string `yaml:"reason"`
}

// ParseExpected reads a list of expected differences in YAML: a list of mappings with profile,
// sequence, step and reason, all of them required. Unknown keys and entries that stand twice are
// errors.
func ParseExpected(data []byte) (Expected, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	var entries Expected
	if err := d.Decode(&entries); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("expected differences: %w", err)
	}
	type place struct {
		profile, sequence string
		step              int
	}
	seen := map[place]bool{}
	for i, e := range entries {
		at := place{e.Profile, e.Sequence, e.Step}
		switch {
		case e.Profile == "" || e.Sequence == "" || e.Step < 1 || e.Reason == "":
			return nil, fmt.Errorf("expected differences: entry %d: want profile, sequence, step from 1, and reason", i+1)
		case seen[at]:
			return nil, fmt.Errorf("expected differences: entry %d: %s, %s, step %d stands twice", i+1, e.Profile, e.Sequence, e.Step)
		}
		seen[at] = true
	}
	return entries, nil
}

func (e Expected) judge(profile, sequence string, step int, differs bool) (Outcome, string) {
	for _, entry := range e {
		if entry.Profile == profile && entry.Sequence == sequence && entry.Step == step {
			if differs {
				return ExpectedDifference, entry.Reason
			}
			return UnexpectedPass, entry.Reason
		}
	}
	if differs {
		return Different, ""
	}
	return Same, ""
}

// unused returns a failure for each entry of the profile that names no step of the recording.
func (e Expected) unused(profile string, sequences []Sequence) []Result {
	steps := map[string]int{}
	for _, s := range sequences {
		steps[s.Name] = len(s.Steps)
	}
	var results []Result
	for _, entry := range e {
		if entry.Profile == profile && entry.Step > steps[entry.Sequence] {
			results = append(results, Result{
				Sequence: entry.Sequence, Step: entry.Step, Request: "none", Outcome: UnexpectedPass, Reason: entry.Reason,
				Differences: []string{"the recording has no such step"},
			})
		}
	}
	return results
}
