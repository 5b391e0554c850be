package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/ask"
)

// BenchmarkAsk measures the question of a proxy about a live token, beside a bare handler that
// gives the same answer, in turns. The ratios, of the time that passes and of the processors'
// time, are the medians of those of the turns.
func BenchmarkAsk(b *testing.B) {
	profile, service, token := checkedService(b)
	gate, err := dialects.NewGate(profile, service)
	if err != nil {
		b.Fatal(err)
	}
	bodies := httpserver.NewBodyBudget()
	log := slog.New(slog.DiscardHandler)
	o := httpserver.InstrumentOptions{AnyForwarded: true, Recorder: metrics.New(bodies.Bytes), Bodies: bodies, Log: log, Requests: httpserver.LogFailures}
	api := httpserver.Instrument(ask.New(ask.Options{Profile: profile, Gate: gate, Engine: service}), profile.Name, o)
	var servers httpserver.Servers
	if err := servers.Listen("127.0.0.1:0", ask.NewMux(map[string]http.Handler{profile.Name: api}, http.NotFoundHandler()), httpserver.ListenOptions{Log: log}); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go func() { _ = servers.Serve(ctx, log) }()
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	defer bare.Close()

	defer runtime.KeepAlive(ballast()) // as serve has it
	const turn = 3200                  // requests
	target := "/" + profile.Name + "/forward"
	var ratios, cpu []float64
	for b.Loop() {
		plain, plainCPU := load(b, bare.Listener.Addr().String(), target, token, turn)
		asked, askedCPU := load(b, servers[0].Listener.Addr().String(), target, token, turn)
		ratios, cpu = append(ratios, plain.Seconds()/asked.Seconds()), append(cpu, plainCPU.Seconds()/askedCPU.Seconds())
	}
	slices.Sort(ratios)
	slices.Sort(cpu)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(cpu[len(cpu)/2], "cpu-ratio")
	b.ReportMetric(0, "ns/op")
}
