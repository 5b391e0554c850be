package metrics

import "github.com/prometheus/client_golang/prometheus"

func newShadowMetrics(r *prometheus.Registry) *prometheus.CounterVec {
	m := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "authcompat_shadow_requests_total", Help: "Requests that were drawn to be compared with what the old server answers, by profile, endpoint and result: same, noise, differ, or why they were not compared.",
	}, []string{"profile", "endpoint", "result"})
	r.MustRegister(m)
	return m
}

// ShadowCounter returns what counts a request to one of these endpoints of a profile that was
// drawn to be compared, by its result: one of these.
func (m *Metrics) ShadowCounter(profile string, endpoints, results []string) func(endpoint, result string) {
	counters := make(map[[2]string]prometheus.Counter)
	for _, e := range endpoints {
		for _, r := range results {
			counters[[2]string{e, r}] = m.shadow.WithLabelValues(profile, e, r) // 0, so that the first one is a change
		}
	}
	return func(endpoint, result string) { counters[[2]string{endpoint, result}].Inc() }
}
