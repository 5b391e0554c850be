package recorded

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/authcompat/authcompat/conformance/wire"
)

// DefaultTimeout is how long a request and its response may take together.
const DefaultTimeout = 20 * time.Second

// Options say how a recording is replayed.
type Options struct {
	// Profile is the one that was recorded; Expected names it.
	Profile string
	// ByValue compares JSON bodies as values, without regard to the order of keys and to blanks.
	ByValue bool
	// Expected are the differences that are known and have a reason.
	Expected Expected
	// Timeout bounds a request together with its response; 0 means DefaultTimeout.
	Timeout time.Duration
	// TLS are the settings for https; nil means the defaults.
	TLS *tls.Config
}

// An Outcome is how the replay of one step ended.
type Outcome string

const (
	// Same: the response is that of the reference server.
	Same Outcome = "same"
	// Different: it is not, and nothing says why.
	Different Outcome = "different"
	// ExpectedDifference: it is not, for a reason that is listed.
	ExpectedDifference Outcome = "expected difference"
	// UnexpectedPass: a difference is listed and there is none. It is a failure, lest the list
	// outlive its reasons.
	UnexpectedPass Outcome = "unexpected pass"
	// NoResponse: there was no HTTP response. The rest of the sequence is not replayed.
	NoResponse Outcome = "no response"
)

// A Result is what the replay of one step found.
type Result struct {
	Sequence    string
	Step        int // from 1
	Request     string
	Outcome     Outcome
	Reason      string   // of the expected difference
	Differences []string // one line each: what, the reference's value, the subject's
}

// Failed says whether the result is one that a test must not pass over.
func (r Result) Failed() bool { return r.Outcome != Same && r.Outcome != ExpectedDifference }

// String returns the result in one line, and each difference in one more.
func (r Result) String() string {
	head := fmt.Sprintf("%s, step %d (%s): %s", r.Sequence, r.Step, r.Request, r.Outcome)
	if r.Reason != "" {
		head += ": " + r.Reason
	}
	return strings.Join(append([]string{head}, r.Differences...), "\n\t")
}

// Replay sends every sequence to the server at the base URL, in order, and returns a result for
// each step that was sent, and one for each listed difference that belongs to no step. It returns
// early, with the results so far, when the context ends. The error is about the base URL or the
// recording.
func Replay(ctx context.Context, baseURL string, sequences []Sequence, options Options) ([]Result, error) {
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	client, err := wire.NewClient(baseURL, options.Timeout, options.TLS)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	var results []Result
	for _, s := range sequences {
		of, err := replaySequence(ctx, client, s, options)
		results = append(results, of...)
		if err != nil || ctx.Err() != nil {
			return results, err
		}
	}
	return append(results, options.Expected.unused(options.Profile, sequences)...), nil
}

func replaySequence(ctx context.Context, client *wire.Client, s Sequence, options Options) ([]Result, error) {
	var results []Result
	token := strings.Repeat("f", 40)
	for i, step := range s.Steps {
		request, err := step.request(token)
		if err != nil {
			return results, fmt.Errorf("%s, step %d: %w", s.Name, i+1, err)
		}
		r := Result{Sequence: s.Name, Step: i + 1, Request: step.Method + " " + step.Path}
		got, err := client.Do(ctx, request)
		if err != nil {
			r.Outcome, r.Differences = NoResponse, []string{err.Error()}
			return append(results, r), nil
		}
		if found := findToken(got.Body); found != "" {
			token = found
		}
		r.Differences = compare(s.Responses[i], normalise(got, step.Method), options.ByValue)
		r.Outcome, r.Reason = options.Expected.judge(options.Profile, s.Name, i+1, len(r.Differences) > 0)
		results = append(results, r)
	}
	return results, nil
}

func compare(want, got Response, byValue bool) []string {
	var differences []string
	note := func(what, w, g string) {
		differences = append(differences, fmt.Sprintf("%s: reference %s, subject %s", what, w, g))
	}
	if want.Status != got.Status {
		note("status", fmt.Sprint(want.Status), fmt.Sprint(got.Status))
	}
	for _, name := range compared() {
		w, wantIt := want.Headers[name]
		g, gotIt := got.Headers[name]
		if w != g || wantIt != gotIt {
			note(name, shown(w, wantIt), shown(g, gotIt))
		}
	}
	if !sameBody(want.Body, got.Body, byValue) {
		note("body", shown(want.Body, true), shown(got.Body, true))
	}
	return differences
}

func shown(value string, there bool) string {
	if !there {
		return "none"
	}
	return fmt.Sprintf("%q", value)
}
