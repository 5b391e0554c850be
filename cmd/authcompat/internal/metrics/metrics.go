// Package metrics has the Prometheus metrics of a server: its requests, password hashes
// and store operations.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
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

// Metrics are the metrics of a process, in a registry of their own. No label identifies a
// user, a client or a token.
type Metrics struct {
	registry    *prometheus.Registry
	requests    *prometheus.CounterVec
	seconds     *prometheus.HistogramVec
	rejected    *prometheus.CounterVec
	panics      prometheus.Counter
	logins      *prometheus.CounterVec
	hashWait    prometheus.Histogram
	store       *prometheus.HistogramVec
	failures    *prometheus.CounterVec
	active      prometheus.Gauge
	deletedRows *prometheus.CounterVec
	front       frontMetrics
	adopt       adoptMetrics
	shadow      *prometheus.CounterVec
	mails       mailMetrics // without RegisterMails, none

	mu     sync.Mutex
	series atomic.Pointer[[]*series]
}

// seriesKey names the series of a request.
type seriesKey struct {
	profile, endpoint string
	status            int
}

type series struct {
	seriesKey
	requests prometheus.Counter
	seconds  prometheus.Observer
}

// otherEndpoint is the label of paths that belong to no endpoint.
const otherEndpoint = "other"

// New makes the metrics of a process. bodyBytes returns how many bytes of large request
// bodies are in memory; rejections are the reasons of CountRejected.
func New(bodyBytes func() float64, rejections ...string) *Metrics {
	// From 50 µs, what a token check takes, to 50 s.
	fast := []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 50}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_http_requests_total", Help: "Requests answered, by profile, endpoint and status.",
		}, []string{"profile", "endpoint", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "authcompat_http_request_duration_seconds", Help: "Time from a request's headers to the end of its reply.", Buckets: fast,
		}, []string{"profile", "endpoint"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_rejected_requests_total", Help: "Requests that were refused before they reached an API, by reason.",
		}, []string{"reason"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "authcompat_panics_total", Help: "Requests that ended in a defect of this program.",
		}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_logins_total", Help: "Logins by profile and outcome; throttled ones may look like wrong passwords to clients.",
		}, []string{"profile", "outcome"}),
		hashWait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "authcompat_password_hash_queue_wait_seconds", Help: "Time that passwords waited in the queue to be hashed.", Buckets: fast,
		}),
		store: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "authcompat_store_operation_duration_seconds", Help: "Time that the store took, by operation.", Buckets: fast,
		}, []string{"operation"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_store_operation_errors_total", Help: "Operations of the store that failed.",
		}, []string{"operation"}),
		active: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "authcompat_active_tokens", Help: "Tokens that are neither expired nor revoked, counted at most once a minute.",
		}),
		deletedRows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_gc_deleted_rows_total", Help: "Rows that garbage collection deleted, by table.",
		}, []string{"table"}),
	}
	for _, reason := range rejections {
		m.rejected.WithLabelValues(reason) // 0, so that the first one is a change
	}
	m.series.Store(&[]*series{})
	m.front, m.adopt, m.shadow = newFrontMetrics(m.registry), newAdoptMetrics(m.registry), newShadowMetrics(m.registry)
	m.registry.MustRegister(m.requests, m.seconds, m.rejected, m.panics, m.logins, m.hashWait, m.store, m.failures, m.active, m.deletedRows,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "authcompat_request_body_memory_bytes", Help: "Memory taken by large request bodies; beyond 64 MiB they are refused.",
		}, bodyBytes),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// RegisterBuild adds authcompat_build_info, which is always 1 and tells in its labels which build this is,
// as Prometheus' own programs do. It may be called once.
func (m *Metrics) RegisterBuild(version, commit, goVersion string) {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "authcompat_build_info", Help: "1; the labels tell the version, its commit, and the version of Go.",
		ConstLabels: prometheus.Labels{"version": version, "commit": commit, "go": goVersion},
	})
	info.Set(1)
	m.registry.MustRegister(info)
}

// Handler returns the handler of /metrics. It logs errors.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError)})
}

// Gatherer returns what gathers the metrics.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// ObserveHashWait records how long a password waited in the queue to be hashed.
func (m *Metrics) ObserveHashWait(d time.Duration) { m.hashWait.Observe(d.Seconds()) }

// CountDeletedRows counts rows that garbage collection deleted from a table: tokens,
// guesses, audit or callers.
func (m *Metrics) CountDeletedRows(table string, rows int) {
	m.deletedRows.WithLabelValues(table).Add(float64(rows))
}

// RegisterHashPool adds the metrics of a hash pool, which are read at each scrape. It may
// be called once.
func (m *Metrics) RegisterHashPool(p *hashing.Pool) {
	gauge := func(name, help string, value func(hashing.PoolCounts) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return value(p.Counts()) }))
	}
	counter := func(name, help string, value func(hashing.PoolCounts) uint64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(value(p.Counts())) }))
	}
	gauge("authcompat_password_hash_inflight", "Passwords being hashed.", func(c hashing.PoolCounts) float64 { return float64(c.Running) })
	gauge("authcompat_password_hash_queue_length", "Passwords waiting in the queue to be hashed.", func(c hashing.PoolCounts) float64 { return float64(c.Waiting) })
	counter("authcompat_password_hashes_total", "Passwords hashed.", func(c hashing.PoolCounts) uint64 { return c.Done })
	counter("authcompat_password_hashes_rejected_total", "Passwords rejected at once because the queue was full.", func(c hashing.PoolCounts) uint64 { return c.Rejected })
	counter("authcompat_password_hashes_canceled_total", "Passwords whose client left while they waited in the queue.", func(c hashing.PoolCounts) uint64 { return c.Canceled })
}

// CountEvent counts a login, or a user who was adopted, by profile and outcome; other actions
// are not counted. It fits core.Config.OnEvent.
func (m *Metrics) CountEvent(action core.Action, profile, outcome string) {
	switch action {
	case core.ActionLogin:
		m.logins.WithLabelValues(profile, outcome).Inc()
	case core.ActionAdopt:
		m.adopt.users.WithLabelValues(profile, outcome).Inc()
	}
}

// CountRequest counts an answered request and how long the answer took. The endpoint is
// empty if none has the path. Series are looked up without a lock or an allocation,
// because every token check is counted here.
func (m *Metrics) CountRequest(profile, endpoint string, status int, took time.Duration) {
	key := seriesKey{profile, endpoint, status}
	s := find(*m.series.Load(), &key)
	if s == nil {
		s = m.newSeries(key)
	}
	s.requests.Inc()
	s.seconds.Observe(took.Seconds())
}

// find returns the series of a key; nil: there is none. There are few, and most calls have the very strings of
// theirs, which are the same at a glance: to hash three fields would take longer.
func find(all []*series, key *seriesKey) *series {
	for _, s := range all {
		if s.status == key.status && s.endpoint == key.endpoint && s.profile == key.profile {
			return s
		}
	}
	return nil
}

// CountRejected counts a request that was refused before it reached an API.
func (m *Metrics) CountRejected(reason string) { m.rejected.WithLabelValues(reason).Inc() }

// CountPanic counts a request whose handler panicked.
func (m *Metrics) CountPanic() { m.panics.Inc() }

func (m *Metrics) newSeries(key seriesKey) *series {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := *m.series.Load()
	if s := find(all, &key); s != nil { // by now
		return s
	}
	endpoint := key.endpoint
	if endpoint == "" {
		endpoint = otherEndpoint
	}
	s := &series{
		seriesKey: key,
		requests:  m.requests.WithLabelValues(key.profile, endpoint, strconv.Itoa(key.status)),
		seconds:   m.seconds.WithLabelValues(key.profile, endpoint),
	}
	all = append(slices.Clip(all), s)
	m.series.Store(&all)
	return s
}

// CountActiveTokens keeps the gauge of active tokens up to date until ctx ends. It pauses
// a hundred times as long as a count takes, and at least a minute. While the store fails,
// the gauge keeps its last value.
func (m *Metrics) CountActiveTokens(ctx context.Context, admin core.Admin) {
	const least, share = time.Minute, 100
	for {
		began := time.Now()
		active, err := admin.CountTokens(ctx, began)
		if err == nil {
			m.active.Set(float64(active))
		}
		if !wait.For(ctx, max(least, share*time.Since(began))) {
			return
		}
	}
}
