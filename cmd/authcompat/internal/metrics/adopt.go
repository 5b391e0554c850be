package metrics

import "github.com/prometheus/client_golang/prometheus"

// adoptMetrics are those of old servers whose users are adopted.
type adoptMetrics struct {
	users     *prometheus.CounterVec
	questions *prometheus.CounterVec
}

func newAdoptMetrics(r *prometheus.Registry) adoptMetrics {
	m := adoptMetrics{
		users: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_adopted_users_total", Help: "Logins that an old server vouched for, by profile and whether the user was created, the password replaced, or both kept by another login meanwhile.",
		}, []string{"profile", "result"}),
		questions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_adopt_questions_total", Help: "Questions to old servers, by profile, what they are about, and result.",
		}, []string{"profile", "about", "result"}),
	}
	r.MustRegister(m.users, m.questions)
	return m
}

// QuestionCounter returns what counts the questions of a profile to its old server, by what
// they are about and their result: of these.
func (m *Metrics) QuestionCounter(profile string, abouts, results []string) func(about, result string) {
	counters := make(map[[2]string]prometheus.Counter)
	for _, about := range abouts {
		for _, result := range results {
			counters[[2]string{about, result}] = m.adopt.questions.WithLabelValues(profile, about, result) // 0, so that the first one is a change
		}
	}
	for _, result := range []string{"created", "replaced", "kept"} {
		m.adopt.users.WithLabelValues(profile, result)
	}
	return func(about, result string) { counters[[2]string{about, result}].Inc() }
}
