package shadow

import (
	"slices"
	"strings"
	"time"
)

// Verdict is what came of a request.
type Verdict string

// The verdicts.
const (
	Same    Verdict = "same"    // the answers are the same
	Noise   Verdict = "noise"   // but for what the old server answers differently each time
	Differ  Verdict = "differ"  // they are not
	Skipped Verdict = "skipped" // they could not be compared, for a Reason
	Learned Verdict = "learned" // no request: places that were found to be noise
	Started Verdict = "started" // no request: a server began to compare
)

// Reason is why answers were not compared.
type Reason string

// The reasons.
const (
	ReasonDropped     Reason = "dropped"     // too many were being compared
	ReasonBusy        Reason = "busy"        // passwords of others were being hashed
	ReasonSlow        Reason = "slow"        // the store did not answer before the client would have waited for it
	ReasonLarge       Reason = "large"       // the body of the request or of the answer is too large
	ReasonUnread      Reason = "unread"      // the body of the request could not be read
	ReasonRaced       Reason = "raced"       // another request has changed what this one is about, and by that we answer as the old server did
	ReasonOldFailed   Reason = "old failed"  // the old server answered with 5xx or 429, not at all, or not to the end
	ReasonOursFailed  Reason = "ours failed" // our store did not answer, or a limit of ours was met
	ReasonInterrupted Reason = "interrupted" // the client left, or the server stopped
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{ReasonDropped, ReasonBusy, ReasonSlow, ReasonLarge, ReasonUnread, ReasonRaced, ReasonOldFailed, ReasonOursFailed, ReasonInterrupted}
}

// Record is a line of a journal: requests that came to the same.
type Record struct {
	At       time.Time `json:"at"` // of the first of them
	Verdict  Verdict   `json:"verdict"`
	Profile  string    `json:"profile"`
	Endpoint string    `json:"endpoint,omitempty"`
	Reason   Reason    `json:"reason,omitempty"`
	Count    int64     `json:"count,omitempty"`
	// Users are pseudonyms of those who were not in the journal yet, at this endpoint and on this
	// day (UTC).
	Users []string `json:"users,omitempty"`
	// Method, Status and Request are of the first: its method, the old server's status, and its
	// id in the server's log.
	Method      string       `json:"method,omitempty"`
	Status      int          `json:"status,omitempty"`
	Request     string       `json:"request,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
	Endpoints   []string     `json:"endpoints,omitempty"` // of Started: those that are compared
	Sample      string       `json:"sample,omitempty"`    // likewise: how many of their requests
}

// key is the same for records that came to the same.
func (r *Record) key() string {
	parts := []string{string(r.Verdict), r.Profile, r.Endpoint, string(r.Reason)}
	for _, d := range r.Differences {
		parts = append(parts, d.Place, string(d.Kind))
	}
	return strings.Join(parts, "\x00")
}

// noiseKey names a place whose values may be noise.
func noiseKey(profile, endpoint, place string) string {
	return strings.Join([]string{profile, endpoint, place}, "\x00")
}

// NoiseOf returns the places at which two answers of the old server to the same request differ,
// by values of the same type and length: what may be noise at all.
func NoiseOf(first, second Answer) []Difference {
	return slices.DeleteFunc(Compare(first, second, Options{}), func(d Difference) bool { return !d.SameForm })
}
