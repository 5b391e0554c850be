package metrics

import "github.com/prometheus/client_golang/prometheus"

// frontMetrics are those of exchanges with the applications behind APIs.
type frontMetrics struct {
	exchanges *prometheus.CounterVec
	reachable *prometheus.GaugeVec
	sides     *prometheus.CounterVec
	version   prometheus.Gauge
}

func newFrontMetrics(r *prometheus.Registry) frontMetrics {
	m := frontMetrics{
		exchanges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_front_requests_total", Help: "Requests that went on to the application behind an API, by profile, application (old or new) and result.",
		}, []string{"profile", "application", "result"}),
		reachable: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "authcompat_front_reachable", Help: "Whether the application behind an API could be connected to, the last time that it was tried: 1 or 0.",
		}, []string{"profile", "application"}),
		sides: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_cutover_requests_total", Help: "Requests to endpoints that are switched, by profile, endpoint and the side that answers.",
		}, []string{"profile", "endpoint", "side"}),
		version: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "authcompat_cutover_version", Help: "Version of the cutover's state in effect; 0 if nothing is switched.",
		}),
	}
	r.MustRegister(m.exchanges, m.reachable, m.sides, m.version)
	return m
}

// ExchangeCounter returns what counts a request that went on to an application behind a
// profile, old or new, by its result: one of these.
func (m *Metrics) ExchangeCounter(profile, application string, results []string) func(result string) {
	counters := make(map[string]prometheus.Counter)
	for _, r := range results {
		counters[r] = m.front.exchanges.WithLabelValues(profile, application, r) // 0, so that the first one is a change
	}
	return func(result string) { counters[result].Inc() }
}

// SideCounter returns what counts a request to one of the switched endpoints of a profile, by
// the side that answers: one of these.
func (m *Metrics) SideCounter(profile string, endpoints, sides []string) func(endpoint, side string) {
	counters := make(map[[2]string]prometheus.Counter)
	for _, e := range endpoints {
		for _, s := range sides {
			counters[[2]string{e, s}] = m.front.sides.WithLabelValues(profile, e, s)
		}
	}
	return func(endpoint, side string) { counters[[2]string{endpoint, side}].Inc() }
}

// SetCutoverVersion records the version of the cutover's state in effect.
func (m *Metrics) SetCutoverVersion(version int64) { m.front.version.Set(float64(version)) }

// SetReachable records whether an application behind a profile, old or new, could be
// connected to.
func (m *Metrics) SetReachable(profile, application string, yes bool) {
	value := 0.0
	if yes {
		value = 1
	}
	m.front.reachable.WithLabelValues(profile, application).Set(value)
}

// RegisterStreams adds the metric of tunnels and answers without an end, whose number open
// returns. It may be called once.
func (m *Metrics) RegisterStreams(open func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "authcompat_front_streams", Help: "Tunnels (WebSockets) and streams of events that are open.",
	}, open))
}
