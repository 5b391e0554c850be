package conformance

import "time"

// An Outcome is how the replay of an exchange ended.
type Outcome string

const (
	// Passed: every response was as expected.
	Passed Outcome = "passed"
	// Mismatch: a response was not as expected, or not HTTP.
	Mismatch Outcome = "mismatch"
	// NotReplayable: the server cannot be brought into the state that the exchange needs. This is
	// not a failure.
	NotReplayable Outcome = "not replayable"
	// CouldNotRun: the server could not be reached, or did not answer in time.
	CouldNotRun Outcome = "could not run"
	// NotTried: the run was over before: an earlier exchange failed, or could not run, in a way that
	// let nothing be expected of the others. What happened is said of that one.
	NotTried Outcome = "not tried"
)

// A Report is the result of a run, with the profiles in the order of the files. It contains no
// passwords, hashes and tokens of the run: of a token only the first four characters are shown.
type Report struct {
	Started  time.Time       `json:"started"`
	Profiles []ProfileReport `json:"profiles"`
}

// A ProfileReport has one result for each exchange of a file, in the file's order.
type ProfileReport struct {
	Profile string   `json:"profile"`
	URL     string   `json:"url,omitempty"` // of the server; empty if each exchange had an isolated one
	Results []Result `json:"exchanges"`
}

// A Result is the result of the replay of one exchange.
type Result struct {
	Exchange    string        `json:"exchange"`
	Source      string        `json:"source"`
	Position    Position      `json:"position"`
	Outcome     Outcome       `json:"outcome"`
	Reason      string        `json:"reason,omitempty"` // of NotReplayable, CouldNotRun and NotTried
	Step        *FailedStep   `json:"step,omitempty"`   // nil unless a request failed
	Differences []Difference  `json:"differences,omitempty"`
	Transcript  []Call        `json:"transcript,omitempty"` // with Options.Transcripts
	Duration    time.Duration `json:"duration_ns"`
}

// A FailedStep is the request at which an exchange ended early.
type FailedStep struct {
	Number   int      `json:"number"` // from 1; 0 for the creation of a user
	Position Position `json:"position"`
	Request  string   `json:"request"` // method and path
}

// A Difference is one part of a response that is not as expected. Position is that of the
// expectation.
type Difference struct {
	Position Position `json:"position"`
	Part     string   `json:"part"` // status, header NAME, body or response
	Problem  string   `json:"problem"`
	Want     string   `json:"want"`
	Got      string   `json:"got"`
	Offset   int      `json:"offset"` // of the first byte of the body that differs; -1 if there is no such byte
	Line     int      `json:"line,omitempty"`
	Column   int      `json:"column,omitempty"`
}

// Totals count a profile's results, or a whole run's.
type Totals struct {
	Passed        int `json:"passed"`
	Mismatches    int `json:"mismatches"`
	NotReplayable int `json:"not_replayable"`
	CouldNotRun   int `json:"could_not_run"`
	NotTried      int `json:"not_tried"`
}

// Totals counts the profile's results.
func (p *ProfileReport) Totals() Totals {
	var t Totals
	for _, r := range p.Results {
		switch r.Outcome {
		case Passed:
			t.Passed++
		case Mismatch:
			t.Mismatches++
		case NotReplayable:
			t.NotReplayable++
		case CouldNotRun:
			t.CouldNotRun++
		case NotTried:
			t.NotTried++
		}
	}
	return t
}

// Totals counts the results of all profiles.
func (r *Report) Totals() Totals {
	var sum Totals
	for i := range r.Profiles {
		t := r.Profiles[i].Totals()
		sum.Passed += t.Passed
		sum.Mismatches += t.Mismatches
		sum.NotReplayable += t.NotReplayable
		sum.CouldNotRun += t.CouldNotRun
		sum.NotTried += t.NotTried
	}
	return sum
}

// Outcome returns the outcome of the whole run: Mismatch if there was one, whatever else happened;
// otherwise CouldNotRun if an exchange could not run or none was replayed at all, since such a run
// proves nothing; otherwise Passed.
func (r *Report) Outcome() Outcome {
	t := r.Totals()
	switch {
	case t.Mismatches > 0:
		return Mismatch
	case t.CouldNotRun > 0 || t.Passed == 0:
		return CouldNotRun
	}
	return Passed
}
