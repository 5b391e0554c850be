package differential

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Known are differences that are to be, each with its reason.
type Known []KnownDifference

// A KnownDifference says which differences it explains: those that meet all of its conditions. An
// empty condition is met by every one.
type KnownDifference struct {
	Name   string `yaml:"name"`
	Reason string `yaml:"reason"`
	// APIs are the names of the APIs where it occurs; none: all of them.
	APIs []string `yaml:"apis"`
	// Reference and Subject are statuses: one, or a class as in 4xx.
	Reference string `yaml:"reference"`
	Subject   string `yaml:"subject"`
	// Parts are all that may differ, as the names of Part.
	Parts []string `yaml:"parts"`
	// Request is a regular expression that matches somewhere in the request as it was sent to the
	// reference server.
	Request string `yaml:"request"`

	request *regexp.Regexp
}

// ParseKnown reads a list of known differences in YAML. Each has a name of its own, a reason and a
// condition or more; unknown keys are errors.
func ParseKnown(data []byte) (Known, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	var known Known
	if err := d.Decode(&known); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("known differences: %w", err)
	}
	names := map[string]bool{}
	for i := range known {
		k := &known[i]
		if k.Name == "" || k.Reason == "" || names[k.Name] {
			return nil, fmt.Errorf("known differences: entry %d: want a name of its own, and a reason", i+1)
		}
		names[k.Name] = true
		if k.Reference == "" && k.Subject == "" && k.Parts == nil && k.Request == "" {
			return nil, fmt.Errorf("known differences: %s: has no condition", k.Name)
		}
		for _, status := range []string{k.Reference, k.Subject} {
			if !regexp.MustCompile(`^([1-5]([0-9]{2}|xx))?$`).MatchString(status) {
				return nil, fmt.Errorf("known differences: %s: %q is no status", k.Name, status)
			}
		}
		var err error
		if k.request, err = regexp.Compile("(?s)" + k.Request); err != nil {
			return nil, fmt.Errorf("known differences: %s: %w", k.Name, err)
		}
	}
	return known, nil
}

// find returns the first entry that explains a difference, or nil.
func (k Known) find(api string, d *Difference) *KnownDifference {
	for i := range k {
		if k[i].explains(api, d) {
			return &k[i]
		}
	}
	return nil
}

func (k *KnownDifference) explains(api string, d *Difference) bool {
	if len(k.APIs) > 0 && !slices.Contains(k.APIs, api) {
		return false
	}
	if !isStatus(k.Reference, d.Reference.Status) || !isStatus(k.Subject, d.Subject.Status) {
		return false
	}
	for _, p := range d.Parts {
		if k.Parts != nil && !slices.Contains(k.Parts, p.Name) {
			return false
		}
	}
	return k.request.Match(d.Sent)
}

func isStatus(want string, status int) bool {
	class, isClass := strings.CutSuffix(want, "xx")
	return want == "" || want == strconv.Itoa(status) || isClass && class == strconv.Itoa(status/100)
}
