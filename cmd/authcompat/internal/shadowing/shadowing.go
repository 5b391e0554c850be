package shadowing

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/authcompat/authcompat/conformance/shadow"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/profiles"
)

// Bounds of what is compared.
const (
	// maxExchanges are being compared at a time, of a profile; others are dropped.
	maxExchanges = 128
	// maxBody is the size of a request's body, and of an answer's, in bytes.
	maxBody = 64 << 10
	// maxDelay is how long a client may wait for our answer before the old server is asked. As a
	// rule that is a few reads, of a millisecond or two.
	maxDelay = 25 * time.Millisecond
	// maxWork is how long an exchange may be worked on once the old server has answered.
	maxWork = 30 * time.Second
)

// Options are what a shadow needs to know.
type Options struct {
	Profile   *profiles.Profile
	Endpoints []string      // whose requests are compared
	Sample    cutover.Share // how many of them
	// Learn is how many requests may be sent to the old server a second time, of an endpoint and
	// in an hour: GET and HEAD, and only where its answer differs from ours. 0: none.
	Learn int
	// API answers on an engine that does nothing.
	API http.Handler
	// CheckPassword checks a password if no other is being hashed, or else fails.
	CheckPassword func(ctx context.Context, username, encoded, plain string) (bool, error)
	// Pseudonym returns what stands for a user in the journal.
	Pseudonym func(username string) string
	Journal   *shadow.Journal
	// MaxDelay is how long a client may wait for our answer before the old server is asked; 0: 25
	// milliseconds.
	MaxDelay time.Duration
	// HashTime is how long the old server takes at least, in the mean, where it hashes passwords,
	// so that the client need not wait; 0: 50 milliseconds.
	HashTime time.Duration
	// Count is told of the result of each request that was drawn: one of Results.
	Count func(endpoint, result string)
	Log   *slog.Logger
}

// Results returns all results of requests, for metrics.
func Results() []string {
	results := []string{string(shadow.Same), string(shadow.Noise), string(shadow.Differ)}
	for _, r := range shadow.Reasons() {
		results = append(results, string(r))
	}
	return results
}

// Shadow is a front.Shadow.
type Shadow struct {
	Options
	group  *Group
	places map[string]places // of what replies show, by endpoint
	slots  chan struct{}
	paces  *paces
	words  words // of the profile

	mu    sync.Mutex
	asked map[string]budget // by endpoint
}

var _ front.Shadow = (*Shadow)(nil)

// New makes a shadow, whose work belongs to a group.
func New(o Options, group *Group) (*Shadow, error) {
	s := &Shadow{Options: o, group: group, places: make(map[string]places), slots: make(chan struct{}, maxExchanges), paces: newPaces(o.HashTime), asked: make(map[string]budget)}
	text, err := o.Profile.YAML()
	if err != nil {
		return nil, err
	}
	s.words = wordsOf(string(text))
	if s.MaxDelay == 0 {
		s.MaxDelay = maxDelay
	}
	for _, e := range o.Profile.Endpoints {
		if slices.Contains(o.Endpoints, e.Name) {
			s.places[e.Name] = placesOf(e)
			_, password := e.Field(profiles.RolePassword)
			s.paces.add(e.Name, password)
		}
	}
	return s, nil
}

// Start notes in the journal what is compared from now on.
func (s *Shadow) Start() {
	s.Journal.Add(shadow.Record{At: now(), Verdict: shadow.Started, Profile: s.Profile.Name, Endpoints: s.Endpoints, Sample: s.Sample.String()}, "")
}

// now is the time of a record.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Wants implements front.Shadow: it draws.
func (s *Shadow) Wants(_ *http.Request, endpoint string) bool {
	return slices.Contains(s.Endpoints, endpoint) && (s.Sample >= cutover.All || cutover.Share(rand.N(int(cutover.All))) < s.Sample)
}

// Watch implements front.Shadow.
func (s *Shadow) Watch(w http.ResponseWriter, r *http.Request, watched front.Watched) {
	s.group.working.Add(1)
	x, reason := s.begin(r, watched)
	if reason != "" {
		s.skip(r, watched.Endpoint, reason)
		s.group.working.Add(-1)
		watched.Pass(w, r)
		return
	}
	x.before()
	kept := &capture{ResponseWriter: w}
	defer func() { // also if the answer breaks off, by a panic
		x.old, x.took = kept, time.Since(x.began)
		s.paces.observe(x.endpoint, x.took)
		s.group.work(func(ctx context.Context) {
			defer func() { <-s.slots }()
			x.finish(ctx)
		})
	}()
	watched.Pass(kept, r)
	kept.whole = true
}

// begin takes a slot for a request, or says why it is not compared.
func (s *Shadow) begin(r *http.Request, watched front.Watched) (*exchange, shadow.Reason) {
	select {
	case s.slots <- struct{}{}:
	default:
		return nil, shadow.ReasonDropped
	}
	x, reason := s.newExchange(r, watched)
	if reason != "" {
		<-s.slots
	}
	return x, reason
}

// skip counts a request that is not compared.
func (s *Shadow) skip(r *http.Request, endpoint string, reason shadow.Reason) {
	s.Count(endpoint, string(reason))
	s.Journal.Add(shadow.Record{At: now(), Verdict: shadow.Skipped, Profile: s.Profile.Name, Endpoint: endpoint, Reason: reason, Method: r.Method}, "")
}
