package httpserver

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// TestPanicsShowNoSecret panics where secrets are within reach.
func TestPanicsShowNoSecret(t *testing.T) {
	secret := "canary1x9e3779b97f4a7c15"
	encoded := base64.StdEncoding.EncodeToString([]byte(secret))[:12]
	for name, do := range map[string]func(){
		"a text":          func() { panic("password " + secret) },
		"an error":        func() { panic(errors.New(secret)) },
		"a runtime error": func() { _ = []string{secret}[len(secret)] },
		"a failed assertion": func() {
			var v any = secret
			_ = v.(fmt.Stringer)
		},
		"a hash":          func() { panic(&password.Panic{Value: secret, Stack: []byte("its stack")}) },
		"a wrapped error": func() { panic(fmt.Errorf("of %s: %w", secret, os.ErrInvalid)) },
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			h := Instrument(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { do() }), "p", InstrumentOptions{
				Recorder: metrics.New(nil), Bodies: NewBodyBudget(), Log: slog.New(slog.NewJSONHandler(&log, nil)), Requests: LogAll,
			})
			func() {
				defer func() {
					if cause := recover(); cause != http.ErrAbortHandler {
						t.Errorf("panic %v", cause)
					}
				}()
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/"+secret, strings.NewReader(secret)))
			}()
			if !strings.Contains(log.String(), "a defect of this program") {
				t.Errorf("not logged: %s", log.String())
			}
			if strings.Contains(log.String(), secret) || strings.Contains(log.String(), encoded) {
				t.Errorf("the log shows the secret: %s", log.String())
			}
		})
	}
}

// TestErrorsAreLoggedNotSent checks that the cause of an error stays on the server.
func TestErrorsAreLoggedNotSent(t *testing.T) {
	p, err := profiles.Load("ocd-users")
	if err != nil {
		t.Fatal(err)
	}
	passwords, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := dialects.New(p, core.New(core.Config{Backend: core.Backend{Store: brokenStore{}}, Hasher: passwords}))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	h := Instrument(handler, p.Name, InstrumentOptions{
		Recorder: metrics.New(nil), Bodies: NewBodyBudget(), Log: slog.New(slog.NewJSONHandler(&log, nil)), Requests: LogFailures,
	})
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/api/login/", strings.NewReader(`{"username": "alice", "password": "secret"}`))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	if w.Code != 500 || strings.Contains(w.Body.String(), "broken") || !strings.Contains(log.String(), "the store is broken") {
		t.Errorf("%d %s, log %s", w.Code, w.Body.String(), log.String())
	}
}

// brokenStore returns an error of no kind that core knows.
type brokenStore struct{ core.Store }

func (brokenStore) Account(context.Context, string) (core.Account, error) {
	return core.Account{}, errors.New("the store is broken")
}

// TestAbortedReplies has handlers that end a connection in the middle of a reply, which is no
// defect, and that take one over.
func TestAbortedReplies(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	m := metrics.New(NewBodyBudget().Bytes)
	// httptest.Server.Close doesn't wait for the handler of a connection that was taken over.
	finished := make(chan struct{}, 2)
	serve := func(h http.HandlerFunc) *httptest.Server {
		instrumented := Instrument(h, "p", InstrumentOptions{
			Recorder: m, Bodies: NewBodyBudget(), Log: logger, Requests: LogAll,
		})
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() { finished <- struct{}{} }()
			instrumented.ServeHTTP(w, r)
		}))
	}
	aborting := serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "9")
		_, _ = w.Write([]byte("half"))
		panic(http.ErrAbortHandler)
	})
	defer aborting.Close()
	if reply, err := http.Get(aborting.URL); err == nil {
		if _, err := io.ReadAll(reply.Body); err == nil {
			t.Error("the reply is whole")
		}
		reply.Body.Close()
	}
	taking := serve(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		_ = conn.Close()
	})
	defer taking.Close()
	if reply, err := http.Get(taking.URL); err == nil {
		reply.Body.Close()
	}
	<-finished
	<-finished
	w := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{"authcompat_panics_total 0\n", `endpoint="other",profile="p",status="101"} 1`} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %q", line)
		}
	}
	if !strings.Contains(log.String(), `"status":101`) || strings.Contains(log.String(), "defect") {
		t.Errorf("logged: %s", log.String())
	}
}

// TestUnbudgetedBody keeps what a handler doesn't keep in memory out of the budget, and the values
// that it has read before.
func TestUnbudgetedBody(t *testing.T) {
	budget := NewBodyBudget()
	for _, test := range []struct {
		read, unbudgeted bool
		want             float64
	}{{false, true, 0}, {true, true, 1<<20 - smallBody}, {true, false, 1<<20 - smallBody + largeValues - smallBody}} {
		var taken float64
		var h http.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if test.read {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			if test.unbudgeted {
				_, _ = io.Copy(io.Discard, r.Body.(interface{ Unbudgeted() io.ReadCloser }).Unbudgeted())
			}
			taken = budget.Bytes()
		})
		h = Instrument(h, "p", InstrumentOptions{Recorder: metrics.New(nil), Bodies: budget, Log: slog.New(slog.DiscardHandler), Requests: LogAll})
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat(",", 1<<20))))
		if taken != test.want || budget.Bytes() != 0 {
			t.Errorf("%+v: %v bytes are taken, and %v at the end", test, taken, budget.Bytes())
		}
	}
}

// TestReasonPhrase sends a reply with a reason phrase of its own.
func TestReasonPhrase(t *testing.T) {
	const reply = "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody"
	if got, want := string(withReason([]byte(reply), "All is well")), "HTTP/1.1 200 All is well\r\nA: b\r\n\r\nbody"; got != want {
		t.Errorf("%q", got)
	}
	if got := string(withReason([]byte("half"), "x")); got != "half" {
		t.Errorf("%q", got)
	}
}

// TestSideIsLogged logs the side that answers, and counts a reply that belongs to no endpoint, as
// that of an application which is away, for the endpoint that was switched.
func TestSideIsLogged(t *testing.T) {
	for _, test := range []struct{ switched, side, recorded, want string }{
		{"login", "old", "", `"endpoint":"login","status":200`},
		{"", "new", "", `"endpoint":"","status":200`},
		{"login", "new", "login", `"endpoint":"login","status":200`},
		{"", "", "login", `"endpoint":"login","status":200`},
	} {
		var log bytes.Buffer
		m := metrics.New(nil)
		h := Instrument(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if test.side != "" {
				w.(dialects.SideRecorder).RecordSide(test.switched, test.side)
			}
			w.(dialects.OutcomeRecorder).RecordOutcome(test.recorded, "x", nil)
			w.WriteHeader(http.StatusOK)
		}), "p", InstrumentOptions{Recorder: m, Bodies: NewBodyBudget(), Log: slog.New(slog.NewJSONHandler(&log, nil)), Requests: LogAll})
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		if got := log.String(); !strings.Contains(got, test.want) || strings.Contains(got, `"side":"`+test.side+`"`) != (test.side != "") || strings.Contains(got, `"side":""`) {
			t.Errorf("%+v: logged %s", test, got)
		}
	}
}

// failedBy is the error of a request that an application has failed.
type failedBy string

func (f failedBy) Error() string       { return "away: " + string(f) }
func (f failedBy) Application() string { return string(f) }

// TestApplicationsAwayAreSampled logs one request a second that an application has failed, of
// each application, with the number of those left out; all where all are to be logged, and each
// that failed by another error. All are counted.
func TestApplicationsAwayAreSampled(t *testing.T) {
	other := errors.New("the store is away")
	for _, test := range []struct {
		requests RequestLog
		want     map[string]int
	}{
		{LogFailures, map[string]int{"away: a": 1, "away: b": 1, "the store is away": 300}},
		{LogAll, map[string]int{"away: a": 300, "away: b": 300, "the store is away": 300}},
	} {
		var log bytes.Buffer
		var next error
		m := metrics.New(NewBodyBudget().Bytes)
		h := Instrument(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.(dialects.OutcomeRecorder).RecordOutcome("", "x", next)
			w.WriteHeader(http.StatusServiceUnavailable)
		}), "p", InstrumentOptions{Recorder: m, Bodies: NewBodyBudget(), Log: slog.New(slog.NewJSONHandler(&log, nil)), Requests: test.requests}).(*middleware)
		ask := func(err error) {
			next = err
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		}
		for range 300 {
			ask(failedBy("a"))
			ask(fmt.Errorf("wrapped: %w", failedBy("b")))
			ask(other)
			for _, a := range []string{"a", "b"} {
				if s, ok := h.failed.Load(a); ok {
					s.(*sampler).next = s.(*sampler).next.Add(time.Hour) // the second does not end meanwhile
				}
			}
		}
		for text, want := range test.want {
			if n := strings.Count(log.String(), text+`"`); n != want {
				t.Errorf("%s: %q is logged %d times, want %d", test.requests, text, n, want)
			}
		}
		if test.requests == LogAll {
			continue
		}
		s, _ := h.failed.Load("a")
		s.(*sampler).next = time.Time{}
		if ask(failedBy("a")); !strings.Contains(log.String(), `"omitted":299,"error":"away: a"`) {
			t.Errorf("how many were left out is not logged: %s", log.String()[max(0, log.Len()-400):])
		}
		w := httptest.NewRecorder()
		m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if !strings.Contains(w.Body.String(), `authcompat_http_requests_total{endpoint="other",profile="p",status="503"} 901`) {
			t.Errorf("not all are counted: %s", w.Body.String())
		}
	}
}
