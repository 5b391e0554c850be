package recorded

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/authcompat/authcompat/conformance/deviations"
	"github.com/authcompat/authcompat/conformance/wire"
)

// DefaultTimeout is how long a request may take, from connecting to the end of the response.
const DefaultTimeout = 20 * time.Second

// Options say how a recording is replayed.
type Options struct {
	// Profile is the one that was recorded.
	Profile string
	// ByValue compares JSON bodies as values, without regard to the order of keys and white space.
	ByValue bool
	// Known are the deviations that are not failures.
	Known deviations.List
	// Timeout is that of each request with its response; 0 means DefaultTimeout.
	Timeout time.Duration
	// TLS is the configuration for https; nil means the default one.
	TLS *tls.Config
}

// An Outcome is how the replay of one step ended.
type Outcome string

const (
	// Same: the response is that of the reference server.
	Same Outcome = "same"
	// Different: it is not, and this is no known deviation.
	Different Outcome = "different"
	// KnownDeviation: it is not, and this is known.
	KnownDeviation Outcome = "known deviation"
	// UnexpectedPass: a known deviation did not occur.
	UnexpectedPass Outcome = "unexpected pass"
	// NoResponse: there was no HTTP response. The rest of the sequence is not replayed.
	NoResponse Outcome = "no response"
)

// A Result is the result of the replay of one step.
type Result struct {
	Sequence    string
	Step        int    // from 1
	Request     string // method and path; empty for an UnexpectedPass
	Outcome     Outcome
	Reason      string   // of the known deviation
	Differences []string // one line each: the part, its value at the reference, its value at the subject
}

// Failed reports whether the result is a failure.
func (r Result) Failed() bool { return r.Outcome != Same && r.Outcome != KnownDeviation }

func (r Result) step() deviations.Step { return deviations.Step{Sequence: r.Sequence, Number: r.Step} }

// String returns the result in one line, followed by a line for each difference.
func (r Result) String() string {
	head := fmt.Sprintf("%s, step %d", r.Sequence, r.Step)
	if r.Request != "" {
		head += " (" + r.Request + ")"
	}
	head += ": " + string(r.Outcome)
	if r.Reason != "" {
		head += ": " + r.Reason
	}
	return strings.Join(append([]string{head}, r.Differences...), "\n\t")
}

// Replay sends every sequence to the server at the base URL, in order, and returns a result for
// each step that was sent, and an UnexpectedPass for each known deviation of the profile that did
// not occur. It returns early, with the results so far, when the context ends. The error is about the
// base URL or the recording.
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
	return append(results, unexpectedPasses(options, results)...), nil
}

// unexpectedPasses returns a result for each known deviation of the profile that did not occur.
func unexpectedPasses(options Options, results []Result) []Result {
	met := map[string]int{}
	for _, r := range results {
		if d := options.Known.InRecording(options.Profile, r.step()); d != nil && r.Outcome == KnownDeviation {
			met[d.Name]++
		}
	}
	var passes []Result
	for _, d := range options.Known.Unmet(deviations.Recordings, options.Profile, met) {
		passes = append(passes, Result{
			Sequence: d.Recorded.Sequence, Step: d.Recorded.Number, Outcome: UnexpectedPass, Reason: d.Reason,
		})
	}
	return passes
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
		switch known := options.Known.InRecording(options.Profile, r.step()); {
		case len(r.Differences) == 0:
			r.Outcome = Same
		case known == nil:
			r.Outcome = Different
		default:
			r.Outcome, r.Reason = KnownDeviation, known.Reason
		}
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
