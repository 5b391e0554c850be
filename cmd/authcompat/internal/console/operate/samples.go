package operate

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

const (
	// sampleInterval is how often a sample of the metrics is taken.
	sampleInterval = 10 * time.Second
	// samplesKept is how many are kept: those of half an hour, and the one before it.
	samplesKept = 181
)

// A sample is what plots show, at an instant.
type sample struct {
	at      time.Time
	logins  map[string]float64 // by outcome, since the start
	checks  float64            // of tokens, since the start
	waiting float64            // passwords, now
	hashing float64            // likewise
}

// The metrics of a sample.
const (
	metricLogins  = "authcompat_logins_total"
	metricStore   = "authcompat_store_operation_duration_seconds"
	metricWaiting = "authcompat_password_hash_queue_length"
	metricHashing = "authcompat_password_hash_inflight"
	// findToken is the operation of the store that each check of a token is.
	findToken = "find_token"
)

// families are metrics by their names.
type families map[string]*dto.MetricFamily

// gather reads the metrics. What can be read is returned also with an error.
func gather(g prometheus.Gatherer) (families, error) {
	all := make(families)
	found, err := g.Gather()
	for _, f := range found {
		all[f.GetName()] = f
	}
	return all, err
}

// each calls do for each series of a metric with its labels and value; a histogram's is its count.
func (f families) each(name string, do func(labels map[string]string, value float64)) {
	for _, m := range f[name].GetMetric() {
		labels := make(map[string]string, len(m.GetLabel()))
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		// At most one of them is there.
		do(labels, m.GetCounter().GetValue()+m.GetGauge().GetValue()+float64(m.GetHistogram().GetSampleCount()))
	}
}

// sum adds the series of a metric up.
func (f families) sum(name string) (total float64) {
	f.each(name, func(_ map[string]string, value float64) { total += value })
	return total
}

// sample returns what plots show of the metrics.
func (f families) sample(at time.Time) sample {
	s := sample{at: at, logins: make(map[string]float64), waiting: f.sum(metricWaiting), hashing: f.sum(metricHashing)}
	f.each(metricLogins, func(labels map[string]string, value float64) { s.logins[labels["outcome"]] += value })
	f.each(metricStore, func(labels map[string]string, value float64) {
		if labels["operation"] == findToken {
			s.checks += value
		}
	})
	return s
}

// A sampler keeps the last samples of the metrics, and tells who waits of each one.
type sampler struct {
	gatherer prometheus.Gatherer
	log      *slog.Logger

	mu    sync.Mutex
	ring  [samplesKept]sample
	taken int // how many were taken; the last is at (taken-1) % samplesKept
	next  chan struct{}
}

func newSampler(g prometheus.Gatherer, log *slog.Logger) *sampler {
	return &sampler{gatherer: g, log: log, next: make(chan struct{})}
}

// run takes samples until ctx ends.
func (s *sampler) run(ctx context.Context) {
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			s.take(now)
		case <-ctx.Done():
			return
		}
	}
}

// take takes a sample.
func (s *sampler) take(now time.Time) {
	all, err := gather(s.gatherer)
	if err != nil {
		s.log.Warn("no sample of the metrics could be taken", "error", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring[s.taken%samplesKept] = all.sample(now)
	s.taken++
	close(s.next)
	s.next = make(chan struct{})
}

// samples returns the samples, the oldest first, and a channel that is closed when there is another one.
func (s *sampler) samples() (all []sample, next <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := max(0, s.taken-samplesKept); i < s.taken; i++ {
		all = append(all, s.ring[i%samplesKept])
	}
	return all, s.next
}
