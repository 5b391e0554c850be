package httpserver

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/dialects"
)

// kept is a store of callers in memory.
type kept struct {
	callers.Store
	all map[callers.Caller]callers.Calls
}

func (k kept) AddCalls(_ context.Context, _ string, calls []callers.Calls) error {
	for _, c := range calls {
		sum := k.all[c.Caller]
		sum.Add(c)
		k.all[c.Caller] = sum
	}
	return nil
}

// TestCallers tells who called which endpoint by what handlers record, and whether the answer is
// the API's own.
func TestCallers(t *testing.T) {
	record := func(w http.ResponseWriter, endpoint, outcome string, status int) {
		w.(dialects.OutcomeRecorder).RecordOutcome(endpoint, outcome, nil)
		w.WriteHeader(status)
	}
	request := func(w http.ResponseWriter) clients.Request { return w.(clients.Request) }
	for name, test := range map[string]struct {
		do      func(http.ResponseWriter, *http.Request)
		headers []string
		want    callers.Caller
		refused int64
		nobody  bool
	}{
		"a login": {func(w http.ResponseWriter, _ *http.Request) {
			request(w).Identify("ann")
			record(w, "login", "ok", 200)
		}, nil, callers.Caller{Endpoint: "login", User: "ann"}, 0, false},
		"refused":  {func(w http.ResponseWriter, _ *http.Request) { record(w, "account", "token_invalid", 401) }, nil, callers.Caller{Endpoint: "account"}, 1, false},
		"failed":   {func(w http.ResponseWriter, _ *http.Request) { record(w, "account", "unavailable", 503) }, nil, callers.Caller{Endpoint: "account"}, 0, false},
		"no path":  {func(w http.ResponseWriter, _ *http.Request) { record(w, "", "not_found", 404) }, nil, callers.Caller{Endpoint: "other"}, 1, false},
		"proxied":  {func(w http.ResponseWriter, _ *http.Request) { record(w, "", "proxied", 404) }, nil, callers.Caller{Endpoint: "other"}, 0, false},
		"no reply": {func(http.ResponseWriter, *http.Request) {}, nil, callers.Caller{}, 0, true},
		"by a rule": {func(w http.ResponseWriter, _ *http.Request) {
			w.(dialects.RuleRecorder).RecordRule("/private/")
			record(w, "", "token_missing", 401)
		}, nil, callers.Caller{Endpoint: "/private/"}, 1, false},
		"an answer that breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			record(w, "", "proxied", 404)
			w.(dialects.OutcomeRecorder).RecordOutcome("", "broken", http.ErrHandlerTimeout)
		}, nil, callers.Caller{Endpoint: "other"}, 0, false},
		"an application that is away": {func(w http.ResponseWriter, _ *http.Request) {
			w.(dialects.OutcomeRecorder).RecordOutcome("", "proxied", nil)
			record(w, "", "too_large", 413)
		}, nil, callers.Caller{Endpoint: "other"}, 1, false},
		"a client that left": {func(w http.ResponseWriter, _ *http.Request) {
			w.(dialects.OutcomeRecorder).RecordOutcome("login", "canceled", &core.Error{Kind: core.KindCanceled})
			w.WriteHeader(503)
		}, nil, callers.Caller{}, 0, true},
		"an agent":              {func(w http.ResponseWriter, _ *http.Request) { record(w, "login", "ok", 200) }, []string{"User-Agent", "app/1"}, callers.Caller{Endpoint: "login", Agent: "app/1"}, 0, false},
		"a token in the agent":  {func(w http.ResponseWriter, _ *http.Request) { record(w, "login", "ok", 200) }, []string{"User-Agent", "app s3cret", "Authorization", "Token s3cret"}, callers.Caller{Endpoint: "login", Agent: callers.Withheld}, 0, false},
		"one without a scheme":  {func(w http.ResponseWriter, _ *http.Request) { record(w, "login", "ok", 200) }, []string{"User-Agent", "app s3cret", "Authorization", "s3cret"}, callers.Caller{Endpoint: "login", Agent: callers.Withheld}, 0, false},
		"a scheme in the agent": {func(w http.ResponseWriter, _ *http.Request) { record(w, "login", "ok", 200) }, []string{"User-Agent", "Bearer/1", "Authorization", "Bearer s3cret"}, callers.Caller{Endpoint: "login", Agent: "Bearer/1"}, 0, false},
		"a password of Basic":   {func(w http.ResponseWriter, _ *http.Request) { record(w, "login", "ok", 200) }, []string{"User-Agent", "app s3cret", "Authorization", "Basic YW5uOnMzY3JldA=="}, callers.Caller{Endpoint: "login", Agent: callers.Withheld}, 0, false},
		"a password of a login": {func(w http.ResponseWriter, _ *http.Request) {
			request(w).Present("s3cret")
			record(w, "login", "invalid_credentials", 400)
		}, []string{"User-Agent", "app/s3cret"}, callers.Caller{Endpoint: "login", Agent: callers.Withheld}, 1, false},
		"a client behind a proxy":    {func(w http.ResponseWriter, _ *http.Request) { record(w, "login", "ok", 200) }, []string{"X-Forwarded-For", "2001:db8:1:2:3:4:5:6"}, callers.Caller{Endpoint: "login", Client: "2001:db8:1:2::/64"}, 0, false},
		"an address that is made up": {func(w http.ResponseWriter, _ *http.Request) { record(w, "login", "ok", 200) }, []string{"X-Forwarded-For", "198.51.100.7, nonsense"}, callers.Caller{Endpoint: "login", Client: "192.0.2.1"}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			store := kept{all: make(map[callers.Caller]callers.Calls)}
			counter := callers.New(store, nil, slog.New(slog.DiscardHandler))
			h := Instrument(http.HandlerFunc(test.do), "p", InstrumentOptions{
				Proxies: Proxies{netip.MustParsePrefix("192.0.2.0/24")}, Recorder: metrics.New(nil), Bodies: NewBodyBudget(), Log: slog.New(slog.DiscardHandler), Requests: LogNone, Callers: counter,
			})
			r := httptest.NewRequest(http.MethodGet, "/", nil) // of 192.0.2.1
			for i := 0; i+1 < len(test.headers); i += 2 {
				r.Header.Set(test.headers[i], test.headers[i+1])
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			if err := counter.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if test.nobody {
				if len(store.all) > 0 {
					t.Errorf("counted: %v", store.all)
				}
				return
			}
			test.want.Profile = "p"
			if test.want.Client == "" {
				test.want.Client = "192.0.2.1"
			}
			for caller, calls := range store.all {
				if diff := cmp.Diff(test.want, caller); diff != "" || calls.Requests != 1 || calls.Refused != test.refused {
					t.Errorf("%d requests, %d refused (-want +got):\n%s", calls.Requests, calls.Refused, diff)
				}
			}
			if len(store.all) != 1 {
				t.Errorf("%d callers", len(store.all))
			}
		})
	}
}

// TestTunnelIsCounted counts a connection that is taken over when that happens, and once.
func TestTunnelIsCounted(t *testing.T) {
	store := kept{all: make(map[callers.Caller]callers.Calls)}
	counter := callers.New(store, nil, slog.New(slog.DiscardHandler))
	open, finished := make(chan struct{}), make(chan struct{})
	h := Instrument(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.(dialects.OutcomeRecorder).RecordOutcome("", "proxied", nil)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		close(open)
		<-finished
		_ = conn.Close()
	}), "p", InstrumentOptions{Recorder: metrics.New(nil), Bodies: NewBodyBudget(), Log: slog.New(slog.DiscardHandler), Requests: LogNone, Callers: counter})
	ended := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		h.ServeHTTP(w, r)
	}))
	defer s.Close()
	go func() { _, _ = http.Get(s.URL) }() // fails, since there is no answer
	<-open
	if n := counter.Unwritten(); n != 1 {
		t.Errorf("%d counted while it is open", n)
	}
	close(finished)
	<-ended
	if n := counter.Unwritten(); n != 1 {
		t.Errorf("%d counted in the end", n)
	}
}
