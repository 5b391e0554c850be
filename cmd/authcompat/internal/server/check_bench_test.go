package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// discard is a ResponseWriter with minimal cost.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkCheck measures a token check without the network, alone and with its caller counted,
// beside a handler that only writes the same reply. The difference in allocations is the cost of
// the check.
func BenchmarkCheck(b *testing.B) {
	handler, counting, request := checked(b)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK {
		b.Fatalf("status %d", recorder.Code)
	}
	body := recorder.Body.Bytes()
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for name, values := range recorder.Header() {
			h[name] = values
		}
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(body)
	})
	for _, tt := range []struct {
		name    string
		handler http.Handler
	}{{"bare", bare}, {"check", handler}, {"counted", counting}} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &discard{make(http.Header)}
			for b.Loop() {
				clear(w.header)
				tt.handler.ServeHTTP(w, request)
			}
		})
	}
}

// checked returns a server's handler as serve makes it, one that counts callers too, and a request
// with a live token.
func checked(b *testing.B) (handler, counting http.Handler, request *http.Request) {
	b.Helper()
	p, service, token := checkedService(b)
	api, err := dialects.New(p, service)
	if err != nil {
		b.Fatal(err)
	}
	large := httpserver.NewBodyBudget()
	request = httptest.NewRequest(http.MethodGet, "/api/account/alice/", nil)
	request.Header.Set("Authorization", "Token "+token)
	request.Header.Set("User-Agent", "okhttp/3.12.1 (Android 9; SM-G960F)")
	o := httpserver.InstrumentOptions{
		Recorder: metrics.New(large.Bytes), Bodies: large, Log: slog.New(slog.DiscardHandler), Requests: httpserver.LogFailures,
	}
	handler = httpserver.Instrument(api, p.Name, o)
	o.Callers = callers.New(nil, nil, o.Log) // which is not flushed
	return handler, httpserver.Instrument(api, p.Name, o), request
}

// checkedService returns a profile with an engine as serve makes it, and a live token.
func checkedService(b *testing.B) (p *profiles.Profile, service *core.Service, token string) {
	b.Helper()
	s, err := store.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "check.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		b.Fatal(err)
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		b.Fatal(err)
	}
	if p, err = profiles.Load("snippit"); err != nil {
		b.Fatal(err)
	}
	m := metrics.New(httpserver.NewBodyBudget().Bytes)
	service = core.New(core.Config{Backend: m.Instrument(s.Backend), Hasher: hasher, Sealer: sealer, Log: slog.New(slog.DiscardHandler)})
	if _, err := service.CreateUser(b.Context(), dialects.Policy(p), core.Registration{Username: "alice", Email: "alice@example.com", Password: "x"}); err != nil {
		b.Fatal(err)
	}
	session, err := service.Login(b.Context(), dialects.Policy(p), "alice", "x")
	if err != nil {
		b.Fatal(err)
	}
	return p, service, session.Key
}
