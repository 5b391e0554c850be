// Package metrics counts, for Prometheus, what a server does: the requests that it
// answers, the passwords that it hashes and the calls that it makes to its store.
package metrics

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
)

// Metrics are the metrics of a process, in a registry of its own. No label says
// anything about a user, a client or a token.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	panics   prometheus.Counter
	logins   *prometheus.CounterVec
	laneWait prometheus.Histogram
	store    *prometheus.HistogramVec
	failures *prometheus.CounterVec
	live     prometheus.Gauge
	removed  *prometheus.CounterVec

	mu     sync.Mutex
	series atomic.Pointer[map[seriesKey]series]
}

// seriesKey names the series of a request.
type seriesKey struct {
	profile, endpoint string
	status            int
}

type series struct {
	requests prometheus.Counter
	seconds  prometheus.Observer
}

// otherEndpoint stands in labels for the paths that no endpoint has.
const otherEndpoint = "other"

// New makes the metrics of a process. bodyBytes gives the memory that large request
// bodies take at the moment, in bytes.
func New(bodyBytes func() float64) *Metrics {
	// From 50 µs, what a token check takes, to 50 s.
	fast := []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 50}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_requests_total", Help: "Requests answered, by profile, endpoint and status.",
		}, []string{"profile", "endpoint", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "authcompat_request_seconds", Help: "Time from a request's headers to the end of its reply.", Buckets: fast,
		}, []string{"profile", "endpoint"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "authcompat_panics_total", Help: "Requests that ended in a defect of this program.",
		}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_logins_total", Help: "Logins by profile and outcome; throttled ones may look like wrong passwords to clients.",
		}, []string{"profile", "outcome"}),
		laneWait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "authcompat_hash_lane_wait_seconds", Help: "How long password hashes waited for their turn.", Buckets: fast,
		}),
		store: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "authcompat_store_seconds", Help: "Time that the store took, by operation.", Buckets: fast,
		}, []string{"operation"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_store_errors_total", Help: "Operations that the store could not do.",
		}, []string{"operation"}),
		live: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "authcompat_live_tokens", Help: "Tokens that are live, counted now and then.",
		}),
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_reaped_total", Help: "Rows removed by the reaper, by kind.",
		}, []string{"kind"}),
	}
	m.series.Store(&map[seriesKey]series{})
	m.registry.MustRegister(m.requests, m.seconds, m.panics, m.logins, m.laneWait, m.store, m.failures, m.live, m.removed,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "authcompat_large_body_bytes", Help: "Memory taken by large bodies of requests; past 64 MiB they are refused.",
		}, bodyBytes),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers /metrics. What can't be gathered is logged.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError)})
}

// ObserveHashWait records how long a password hash waited for its turn.
func (m *Metrics) ObserveHashWait(d time.Duration) { m.laneWait.Observe(d.Seconds()) }

// CountRemoved counts rows that were removed because they are over. The kind is the
// label: tokens, guesses or audit.
func (m *Metrics) CountRemoved(kind string, rows int) {
	m.removed.WithLabelValues(kind).Add(float64(rows))
}

// RegisterLane adds the metrics of a lane, which are read whenever they are asked for.
// It may be called once.
func (m *Metrics) RegisterLane(l *hashing.Pool) {
	gauge := func(name, help string, value func(hashing.PoolCounts) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return value(l.Counts()) }))
	}
	counter := func(name, help string, value func(hashing.PoolCounts) uint64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(value(l.Counts())) }))
	}
	gauge("authcompat_hash_lane_running", "Passwords being hashed.", func(c hashing.PoolCounts) float64 { return float64(c.Running) })
	gauge("authcompat_hash_lane_waiting", "Passwords waiting to be hashed.", func(c hashing.PoolCounts) float64 { return float64(c.Waiting) })
	counter("authcompat_hash_lane_hashes_total", "Passwords hashed.", func(c hashing.PoolCounts) uint64 { return c.Done })
	counter("authcompat_hash_lane_refused_total", "Requests refused at once because the lane was full.", func(c hashing.PoolCounts) uint64 { return c.Rejected })
	counter("authcompat_hash_lane_departed_total", "Requests whose client left before their turn.", func(c hashing.PoolCounts) uint64 { return c.Canceled })
}

// CountEvent counts a login by its profile and outcome; other acts are not counted.
// It fits core.Config.Events.
func (m *Metrics) CountEvent(act core.Action, profile, outcome string) {
	if act == core.ActionLogin {
		m.logins.WithLabelValues(profile, outcome).Inc()
	}
}

// CountRequest counts an answered request and how long the answer took. An empty
// endpoint is a path that no endpoint has. Its series are looked up without a lock
// and without allocating: every token check passes here.
func (m *Metrics) CountRequest(profile, endpoint string, status int, took time.Duration) {
	key := seriesKey{profile, endpoint, status}
	s, ok := (*m.series.Load())[key]
	if !ok {
		s = m.newSeries(key)
	}
	s.requests.Inc()
	s.seconds.Observe(took.Seconds())
}

// CountPanic counts a request that ended in a defect of this program.
func (m *Metrics) CountPanic() { m.panics.Inc() }

func (m *Metrics) newSeries(key seriesKey) series {
	m.mu.Lock()
	defer m.mu.Unlock()
	endpoint := key.endpoint
	if endpoint == "" {
		endpoint = otherEndpoint
	}
	s := series{
		requests: m.requests.WithLabelValues(key.profile, endpoint, strconv.Itoa(key.status)),
		seconds:  m.seconds.WithLabelValues(key.profile, endpoint),
	}
	all := maps.Clone(*m.series.Load())
	all[key] = s
	m.series.Store(&all)
	return s
}

// CountLiveTokens keeps the gauge of live tokens until ctx ends, so seldom that
// counting takes next to none of the store's time. While the store fails, the gauge
// stays as it was.
func (m *Metrics) CountLiveTokens(ctx context.Context, admin core.Admin) {
	const least, share = time.Minute, 100
	for {
		began := time.Now()
		live, err := admin.CountTokens(ctx, began)
		if err == nil {
			m.live.Set(float64(live))
		}
		if !wait.For(ctx, max(least, share*time.Since(began))) {
			return
		}
	}
}
