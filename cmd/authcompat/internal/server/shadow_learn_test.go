package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/conformance/shadow"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/dialects"
)

// passed writes a kept answer.
func passed(w http.ResponseWriter, kept *httptest.ResponseRecorder) {
	for name, values := range kept.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(kept.Code)
	_, _ = w.Write(kept.Body.Bytes())
}

// noisy is an old server that numbers its answers.
func noisy(n *atomic.Int64) func(http.Handler) http.Handler {
	return func(ours http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kept := httptest.NewRecorder()
			ours.ServeHTTP(kept, r)
			kept.Header()["Referrer-Policy"] = []string{fmt.Sprintf("same-%06d", n.Add(1))}
			passed(w, kept)
		})
	}
}

// TestShadowLearnsNoise asks the old server a second time, where that is turned on, what it
// answers differently each time: for GET alone, and no more often than was said.
func TestShadowLearnsNoise(t *testing.T) {
	for _, test := range []struct {
		keys  string
		calls int64
		want  shadow.Row
	}{
		{", sample: 100%", 8, shadow.Row{Asked: 8, Compared: 8, Differ: 8}}, // exactly its own calls
		{", sample: 100%, learn: 3", 9, shadow.Row{Asked: 8, Compared: 8, Noise: 8}},
	} {
		var n atomic.Int64
		s := startShadowed(t, test.keys, noisy(&n))
		s.user(t, "ann")
		for range 4 {
			s.ask(t, "POST", "/api/login/", "", `{"username": "ann", "password": "wrong"}`) // never asked again
			s.await()
		}
		for range 4 {
			s.ask(t, "GET", "/api/login/", "", "") // of the same endpoint
			s.await()
		}
		sum := s.settle(t)
		got := sum.Total
		if got.Asked != test.want.Asked || got.Compared != test.want.Compared || got.Noise != test.want.Noise || got.Differ != test.want.Differ || s.calls.Load() != test.calls {
			t.Errorf("%s: %d calls, %+v, %+v", test.keys, s.calls.Load(), got, sum.Found)
		}
	}
}

// TestShadowNoiseOfAnotherLength finds what is noise by its place, and has another length.
func TestShadowNoiseOfAnotherLength(t *testing.T) {
	var n atomic.Int64
	s := startShadowed(t, ", sample: 100%, learn: 3", noisy(&n))
	s.ask(t, "GET", "/api/login/", "", "")
	s.await()
	n.Store(100_000_000)
	s.ask(t, "GET", "/api/login/", "", "")
	sum := s.settle(t)
	// Ours has another length from the first answer on.
	if sum.Total.Differ == 0 || len(sum.Found) != 1 || sum.Found[0].Place != "header Referrer-Policy" {
		t.Errorf("%+v", sum)
	}
}

// TestShadowEndlessAnswer asks an old server a second time that does not stop answering then: the answer is given up.
func TestShadowEndlessAnswer(t *testing.T) {
	var n atomic.Int64
	ended := make(chan int, 1)
	s := startShadowed(t, ", sample: 100%, learn: 3", func(ours http.Handler) http.Handler {
		first := noisy(&n)(ours)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n.Load() == 0 {
				first.ServeHTTP(w, r)
				return
			}
			sent := 0
			for sent < 1<<30 {
				more, err := w.Write(make([]byte, 32<<10))
				if sent += more; err != nil {
					break
				}
			}
			ended <- sent
		})
	})
	s.ask(t, "GET", "/api/login/", "", "")
	s.await()
	if sent := <-ended; sent > 64<<20 {
		t.Errorf("%d bytes were taken of an answer without end", sent)
	}
	if sum := s.settle(t); sum.Total.Differ != 1 || s.calls.Load() != 2 {
		t.Errorf("%d calls, %+v", s.calls.Load(), sum)
	}
}

// TestShadowOfARace ends one token twice at the same time, by requests that the old server answers
// one after the other: by the state before them, it should have answered both alike.
func TestShadowOfARace(t *testing.T) {
	var arrived sync.WaitGroup
	var mu sync.Mutex
	s := startShadowed(t, ", sample: 100%", func(ours http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			arrived.Done()
			arrived.Wait()
			mu.Lock()
			defer mu.Unlock()
			ours.ServeHTTP(w, r)
		})
	})
	const rounds = 20
	for i := range rounds {
		token := s.user(t, fmt.Sprintf("ann%d", i))
		arrived.Add(2)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { s.ask(t, "POST", "/api/logout/", token, "") })
		}
		both.Wait()
		s.await()
	}
	sum := s.settle(t)
	if sum.Total.Differ != 0 || sum.Total.Same != rounds || sum.Total.Reasons[shadow.ReasonRaced] != rounds {
		t.Errorf("%+v %+v", sum.Total, sum.Found)
	}
}

// TestShadowCountsWhatItCanNotCompare sends what can't be compared: the client gets the old
// server's answer all the same.
func TestShadowCountsWhatItCanNotCompare(t *testing.T) {
	s := startShadowed(t, ", sample: 100%", func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			switch text := r.Header.Get("Authorization"); {
			case strings.HasSuffix(text, "fail"):
				w.WriteHeader(http.StatusBadGateway)
			case strings.HasSuffix(text, "many"):
				w.WriteHeader(http.StatusTooManyRequests)
			case strings.HasSuffix(text, "large"):
				_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
			case strings.HasSuffix(text, "break"):
				w.Header().Set("Content-Length", "10")
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			default:
				_, _ = fmt.Fprint(w, n)
			}
		})
	})
	for _, token := range []string{"fail", "many", "large"} {
		s.ask(t, "POST", "/api/logout/", token, "")
	}
	r, err := http.NewRequest("POST", s.url+"/api/logout/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Token break")
	if reply, err := http.DefaultTransport.RoundTrip(r); err == nil {
		if _, err = io.ReadAll(reply.Body); err == nil {
			t.Error("the answer did not break off")
		}
		_ = reply.Body.Close()
	}
	long := `{"username": "` + strings.Repeat("a", 100_000) + `"}`
	if reply, err := http.Post(s.url+"/api/login/", "application/json", strings.NewReader(long)); err != nil {
		t.Error(err)
	} else {
		got, _ := io.ReadAll(reply.Body)
		_ = reply.Body.Close()
		if string(got) != fmt.Sprint(len(long)) {
			t.Errorf("the old server got %s bytes of %d", got, len(long))
		}
	}
	sum := s.settle(t)
	for reason, want := range map[shadow.Reason]int64{shadow.ReasonOldFailed: 3, shadow.ReasonLarge: 2} {
		if sum.Total.Reasons[reason] != want {
			t.Errorf("%s: %d, want %d", reason, sum.Total.Reasons[reason], want)
		}
	}
	if sum.Total.Compared != 0 || sum.Total.Skipped != 5 {
		t.Errorf("%+v", sum.Total)
	}
}

// TestShadowOfASlowStore does not keep the client waiting for ours.
func TestShadowOfASlowStore(t *testing.T) {
	s := startShadowed(t, ", sample: 100%", func(ours http.Handler) http.Handler { return ours })
	s.user(t, "ann")
	s.shadows.maxDelay = time.Nanosecond
	f := s.current()
	handler, err := s.handler(t.Context(), f, *s.apis[0].bound.Load(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.apis[0].handler.Store(handler)
	if status, token := s.ask(t, "POST", "/api/login/", "", loginOf("ann")); status != http.StatusOK || token == "" {
		t.Errorf("%d", status)
	}
	if sum := s.settle(t); sum.Total.Reasons[shadow.ReasonSlow] != 1 {
		t.Errorf("%+v", sum.Total)
	}
}

// TestShadowBesideASlowHash does not keep the client waiting where the old server hashes for
// longer than we read: it has the request while we read.
func TestShadowBesideASlowHash(t *testing.T) {
	var slow atomic.Bool
	began := make(chan struct{}, 1)
	s := startShadowed(t, ", sample: 100%", func(ours http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if slow.Load() {
				began <- struct{}{}
				time.Sleep(time.Second) // in which it would hash; it writes afterwards
			}
			ours.ServeHTTP(w, r)
		})
	})
	s.user(t, "ann")
	s.shadows.hashTime = time.Nanosecond
	handler, err := s.handler(t.Context(), s.current(), *s.apis[0].bound.Load(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.apis[0].handler.Store(handler)
	s.ask(t, "POST", "/api/register/", "", `{"username": "bob", "password": "correct horse battery"}`) // nothing is known yet: it waits
	slow.Store(true)
	s.ask(t, "POST", "/api/register/", "", `{"username": "eve", "password": "correct horse battery"}`)
	<-began
	slow.Store(false)
	// An old server that is faster than we are may have written before we have read.
	s.ask(t, "POST", "/api/register/", "", `{"username": "joe", "password": "correct horse battery"}`)
	sum := s.settle(t)
	if sum.Total.Differ != 0 || sum.Total.Same == 0 || sum.Total.Same+sum.Total.Reasons[shadow.ReasonSlow] != 3 {
		t.Errorf("%+v %+v", sum.Total, sum.Found)
	}
}

// TestShadowOfABusyLane compares no login while others' passwords are hashed, and counts that.
func TestShadowOfABusyLane(t *testing.T) {
	s := startShadowed(t, ", sample: 100%", func(ours http.Handler) http.Handler { return ours })
	s.user(t, "ann")
	hasher, err := hashing.NewDjangoHasher(8_000_000)
	if err != nil {
		t.Fatal(err)
	}
	engine := core.New(core.Config{Backend: s.server.engine.Backend, Hasher: hasher})
	if _, err := engine.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "slow", Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	var hashed sync.WaitGroup
	hashed.Go(func() { _, _ = s.server.engine.Login(t.Context(), dialects.Policy(s.profile), "slow", "secret") })
	for deadline := time.Now().Add(20 * time.Second); metricOf(s.server, "authcompat_password_hash_inflight") != "1"; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is hashed")
		}
	}
	for range 3 {
		if status, _ := s.ask(t, "POST", "/api/login/", "", loginOf("ann")); status != http.StatusOK {
			t.Errorf("%d", status)
		}
		s.await()
	}
	s.ask(t, "POST", "/api/logout/", "bad", "") // takes no hash
	s.await()
	busy, same := metricOf(s.server, `authcompat_shadow_requests_total{endpoint="login",profile="ocd-users",result="busy"}`), metricOf(s.server, `authcompat_shadow_requests_total{endpoint="logout",profile="ocd-users",result="same"}`)
	hashed.Wait()
	sum := s.settle(t)
	if sum.Total.Reasons[shadow.ReasonBusy] != 3 || sum.Total.Same != 1 || busy != "3" || same != "1" {
		t.Errorf("%+v, metrics %s, %s", sum.Total, busy, same)
	}
}

// metricOf returns the value of a metric.
func metricOf(s *server, name string) string {
	w := httptest.NewRecorder()
	s.metrics.Handler(s.log).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// TestShadowIsBounded compares 128 requests at a time, and counts the others, which are answered
// all the same.
func TestShadowIsBounded(t *testing.T) {
	release := make(chan struct{})
	s := startShadowed(t, ", sample: 100%", func(ours http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-release
			ours.ServeHTTP(w, r)
		})
	})
	const all = 130
	var clients sync.WaitGroup
	var refused atomic.Int64
	for range all {
		clients.Go(func() {
			if status, _ := s.ask(t, "POST", "/api/logout/", "bad", ""); status == http.StatusUnauthorized {
				refused.Add(1)
			}
		})
	}
	for deadline := time.Now().Add(20 * time.Second); s.calls.Load() < all; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the old server got %d requests", s.calls.Load())
		}
	}
	close(release)
	clients.Wait()
	sum := s.settle(t)
	if refused.Load() != all || sum.Total.Reasons[shadow.ReasonDropped] != 2 || sum.Total.Same != all-2 {
		t.Errorf("%d answers, %+v", refused.Load(), sum.Total)
	}
}
