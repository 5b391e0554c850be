// Package deviations is the list of known differences between reference servers and what is compared
// with them, each with its reason. There is one list, in one format, for all three comparisons:
// exchange files replayed at reference servers, recordings of reference servers replayed at
// authcompat, and random requests sent to both.
//
// A deviation on the list that does not occur is a failure too: see List.Unmet.
package deviations

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A List is a list of deviations.
type List []Deviation

// A Deviation is a known difference. Exactly one of Exchange, Recorded and Random says where.
type Deviation struct {
	Name   string `yaml:"name"` // unique in the list
	Reason string `yaml:"reason"`
	// Profiles are the names of the profiles in which it occurs. Random requests may leave them out:
	// the deviation can then occur in any profile.
	Profiles []string `yaml:"profiles"`

	// Exchange is the name of an exchange that a reference server answers otherwise than expected.
	Exchange string `yaml:"exchange"`
	// Recorded is a step of a recording that authcompat answers otherwise.
	Recorded *Step `yaml:"recorded"`
	// Random are conditions on a random request that authcompat answers otherwise.
	Random *Random `yaml:"random"`
}

// A Step is a step of a recorded sequence.
type Step struct {
	Sequence string `yaml:"sequence"`
	Number   int    `yaml:"step"` // from 1
}

// Random are the conditions that a random request and its two responses have to meet, all of them.
// An empty condition is met by all.
type Random struct {
	// Reference and Subject are the statuses of the two servers: one, or a class as in 4xx.
	Reference string `yaml:"reference"`
	Subject   string `yaml:"subject"`
	// Parts are all that may differ: status, body, or the name of a header in lower case.
	Parts []string `yaml:"parts"`
	// Request is a regular expression that matches somewhere in the request as it was sent to the
	// reference server.
	Request string `yaml:"request"`

	request *regexp.Regexp
}

// A Comparison is one of the three ways to compare with a reference server.
type Comparison int

// The comparisons.
const (
	Exchanges Comparison = iota + 1
	Recordings
	RandomRequests
)

// Comparison returns the comparison in which the deviation occurs.
func (d *Deviation) Comparison() Comparison {
	switch {
	case d.Exchange != "":
		return Exchanges
	case d.Recorded != nil:
		return Recordings
	}
	return RandomRequests
}

// in reports whether the deviation can occur in a comparison of a profile; an empty profile is any.
func (d *Deviation) in(c Comparison, profile string) bool {
	return d.Comparison() == c && (profile == "" || len(d.Profiles) == 0 || slices.Contains(d.Profiles, profile))
}

// InExchange returns the deviation of an exchange, nil for none.
func (l List) InExchange(profile, exchange string) *Deviation {
	return l.find(Exchanges, profile, func(d *Deviation) bool { return d.Exchange == exchange })
}

// InRecording returns the deviation of a step of a recording, nil for none.
func (l List) InRecording(profile string, step Step) *Deviation {
	return l.find(Recordings, profile, func(d *Deviation) bool { return *d.Recorded == step })
}

// A Difference is a random request that two servers answered differently.
type Difference struct {
	Reference, Subject int      // statuses
	Parts              []string // that differ, by the names that Random uses
	Request            []byte   // as it was sent to the reference server
}

// InRandom returns the first deviation whose conditions a difference meets, nil for none.
func (l List) InRandom(profile string, difference Difference) *Deviation {
	return l.find(RandomRequests, profile, func(d *Deviation) bool { return d.Random.met(difference) })
}

func (l List) find(c Comparison, profile string, matches func(*Deviation) bool) *Deviation {
	for i := range l {
		if d := &l[i]; d.in(c, profile) && matches(d) {
			return d
		}
	}
	return nil
}

func (r *Random) met(d Difference) bool {
	if !isStatus(r.Reference, d.Reference) || !isStatus(r.Subject, d.Subject) {
		return false
	}
	for _, part := range d.Parts {
		if r.Parts != nil && !slices.Contains(r.Parts, part) {
			return false
		}
	}
	return r.request.Match(d.Request)
}

func isStatus(want string, status int) bool {
	class, isClass := strings.CutSuffix(want, "xx")
	return want == "" || want == strconv.Itoa(status) || isClass && class == strconv.Itoa(status/100)
}

// Of returns the deviations that can occur in a comparison of a profile; an empty profile is any.
func (l List) Of(c Comparison, profile string) List {
	var of List
	for i := range l {
		if l[i].in(c, profile) {
			of = append(of, l[i])
		}
	}
	return of
}

// Unmet returns the deviations that should have occurred in a whole comparison of a profile, but were
// not among those that were met, by name. Each is a failure: the list is out of date.
func (l List) Unmet(c Comparison, profile string, met map[string]int) List {
	return slices.DeleteFunc(l.Of(c, profile), func(d Deviation) bool { return met[d.Name] > 0 })
}
