package metrics

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
	"github.com/authcompat/authcompat/core"
)

// mailMetrics are those of mails.
type mailMetrics struct {
	outcomes *prometheus.CounterVec
	waiting  prometheus.Gauge
}

// RegisterMails adds the metrics of mails, for a server that sends some, and returns what counts
// what came of them.
func (m *Metrics) RegisterMails(outcomes ...string) (count func(core.MailKind, string)) {
	mails := mailMetrics{
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authcompat_mails_total", Help: "Mails, and tries to send them, by kind and what came of them.",
		}, []string{"kind", "outcome"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "authcompat_mails_waiting", Help: "Mails that wait to be sent."}),
	}
	m.registry.MustRegister(mails.outcomes, mails.waiting)
	for _, kind := range core.MailKinds() {
		for _, outcome := range outcomes {
			mails.outcomes.WithLabelValues(string(kind), outcome) // 0, so that the first one is a change
		}
	}
	m.mails = mails
	return func(kind core.MailKind, outcome string) { mails.outcomes.WithLabelValues(string(kind), outcome).Inc() }
}

// countMailsEvery is how often it is counted how many mails wait.
const countMailsEvery = 15 * time.Second

// CountWaitingMails counts the mails that wait, until ctx ends, after RegisterMails.
func (m *Metrics) CountWaitingMails(ctx context.Context, s core.MailStore, log *slog.Logger) {
	for {
		n, err := s.CountMails(ctx)
		if err == nil {
			m.mails.waiting.Set(float64(n))
		} else if ctx.Err() == nil {
			log.Debug("waiting mails not counted", "error", err)
		}
		if !wait.For(ctx, countMailsEvery) {
			return
		}
	}
}
