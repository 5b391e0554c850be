package inprocess

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/conformance/differential"
	"github.com/authcompat/authcompat/conformance/wire"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/expiries"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// soakClock is the clock of a server, which its driver moves.
type soakClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *soakClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *soakClock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

func (c *soakClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// soakRandom is a source of random numbers that depend on the seed and the number of a
// request.
type soakRandom struct {
	mu     sync.Mutex
	source *rand.ChaCha8
}

func (r *soakRandom) seed(seed, number uint64) {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], number)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.source = rand.NewChaCha8(key)
}

// Read implements io.Reader.
func (r *soakRandom) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.source.Read(p)
}

// A soakServer serves profiles on a store.
type soakServer struct {
	store   *soakStore
	service *core.Service
	setup   *core.Service // makes the users that requests refer to
	clock   *soakClock
	random  *soakRandom
	seed    uint64
	targets map[string]*soakTarget
	policy  map[string]core.Policy
	panics  *soakRecorder
}

// newSoakServer starts a server of the profiles, which ends with the test.
func newSoakServer(t *testing.T, store *soakStore, hasher core.Hasher, names []string) *soakServer {
	t.Helper()
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	s := &soakServer{store: store, clock: &soakClock{}, random: &soakRandom{}, targets: map[string]*soakTarget{}, policy: map[string]core.Policy{}, panics: &soakRecorder{}}
	s.random.seed(0, 0)
	log := slog.New(&failingHandler{t: t})
	config := core.Config{Backend: store.backend, Hasher: hasher, Sealer: sealer, DatabaseKey: make([]byte, core.DatabaseKeySize), Clock: s.clock.Now, Random: s.random, Log: log}
	config.Backend.DatabaseClock = nil // which can't be moved
	if len(names) > 1 {
		writer := expiries.NewWriter(store.backend.Store, store.backend.ExpiryBatcher, s.clock.Now, log)
		config.ExpiryWriter = writer
		ctx, stop := context.WithCancel(context.Background())
		var writing sync.WaitGroup
		writing.Go(func() { writer.Run(ctx) })
		t.Cleanup(func() {
			stop()
			writing.Wait()
		})
	}
	s.service = core.New(config)
	config.Hasher, config.ExpiryWriter = weakHasher(t), nil
	s.setup = core.New(config)
	s.service.SetLoginLimits(&core.LoginLimits{
		Limiter: store.backend.RateLimiter, PerUser: core.DefaultUserLimit(), PerAddress: core.DefaultAddressLimit(),
		Registrations: core.Limit{Burst: 3, Window: 15 * time.Minute},
	})
	s.service.OnMail(func() {}) // they are asked for, and nobody sends them
	bodies := httpserver.NewBodyBudget()
	for _, name := range names {
		p, err := profiles.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		s.policy[name] = dialects.Policy(p)
		if err := s.service.AddPolicy(s.policy[name]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		handler, err := dialects.New(p, s.service, dialects.WithLinks(linksOf(p)))
		if err != nil {
			t.Fatal(err)
		}
		handler = httpserver.Instrument(handler, name, httpserver.InstrumentOptions{Recorder: s.panics, Bodies: bodies, Log: log, Requests: httpserver.LogNone})
		s.targets[name] = newSoakTarget(t, handler)
	}
	return s
}

// timeOfBatch is how much later each batch begins: 2000 of them take 55 years.
const timeOfBatch = 240 * time.Hour

// begin begins a batch.
func (s *soakServer) begin(seed uint64, batch int) {
	s.seed = seed
	s.random.seed(seed, 0)
	// Later than what earlier batches have left behind.
	s.clock.set(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(batch) * timeOfBatch))
	for _, target := range s.targets {
		target.sent.Store(0)
	}
}

// step prepares for the request with a number.
func (s *soakServer) step(number int, passed time.Duration) {
	s.clock.advance(passed)
	s.random.seed(s.seed, uint64(number))
}

func (s *soakServer) target(profile string) differential.Target { return s.targets[profile] }

// createUsers makes the users that requests refer to.
func (s *soakServer) createUsers(ctx context.Context, profile string) error {
	for _, u := range soakUsers() {
		if _, err := s.setup.CreateUser(ctx, s.policy[profile], core.Registration{Username: u.Username, Email: u.Email, Password: u.Password, Inactive: u.Inactive}); err != nil {
			return fmt.Errorf("create user %s: %w", u.Username, err)
		}
	}
	return nil
}

// setActive allows or forbids a user to log in and use tokens, in a store that operators can
// work on.
func (s *soakServer) setActive(ctx context.Context, username string, active bool) error {
	if s.store.backend.Admin == nil {
		return nil
	}
	account, err := s.store.backend.Account(ctx, username)
	if err != nil {
		return err
	}
	return s.store.backend.Admin.SetActive(ctx, account.ID, active, nil)
}

// empty removes what a batch has left in the store.
func (s *soakServer) empty(t *testing.T) {
	if err := s.store.empty(context.Background(), s.clock.Now().AddDate(1, 0, 0)); err != nil {
		t.Errorf("empty the store: %v", err)
	}
	if n := s.panics.count(); n > 0 {
		t.Errorf("%d panics", n)
	}
}

// soakRecorder counts panics.
type soakRecorder struct {
	mu sync.Mutex
	n  int
}

func (*soakRecorder) CountRequest(string, string, int, time.Duration) {}

func (r *soakRecorder) CountPanic() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
}

func (r *soakRecorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// failingHandler is a log in which nothing may appear but debug messages.
type failingHandler struct{ t *testing.T }

func (h *failingHandler) Enabled(_ context.Context, l slog.Level) bool { return l > slog.LevelInfo }

func (h *failingHandler) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	h.t.Errorf("logged: %s", text)
	return nil
}

func (h *failingHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h *failingHandler) WithGroup(string) slog.Handler { return h }

// A soakTarget answers the requests to one profile: in this process, and one in
// socketShare over a connection.
type soakTarget struct {
	handler http.Handler
	client  *wire.Client
	sent    atomic.Int64
}

// socketShare is which share of the requests goes over a connection; largeBody is the
// body from which none does, because a server need not read it before it answers.
const (
	socketShare = 32
	largeBody   = 64 << 10
)

func newSoakTarget(t *testing.T, handler http.Handler) *soakTarget {
	t.Helper()
	var sites httpserver.Servers
	if err := sites.Listen("127.0.0.1:0", handler, httpserver.ListenOptions{Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- sites[0].HTTP.Serve(sites[0].Listener) }()
	t.Cleanup(func() {
		_ = sites[0].HTTP.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	const timeout = 30 * time.Second
	client, err := wire.NewClient("http://"+sites[0].Listener.Addr().String(), timeout, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &soakTarget{handler: sites[0].HTTP.Handler, client: client}
}

// Do implements differential.Target. A response of 5xx is an error.
func (s *soakTarget) Do(ctx context.Context, r wire.Request) (response *wire.Response, err error) {
	r.Headers = append([]wire.Header{{Name: "Host", Value: "api.example.com"}}, r.Headers...)
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(r.Encode(""))))
	sent := s.sent.Add(1)
	if err != nil || sent%socketShare == 0 && len(r.Body) < largeBody {
		response, err = s.client.Do(ctx, r) // what net/http itself refuses, too
	} else {
		request.RemoteAddr = clientAddress(sent)
		response, err = s.serve(request.WithContext(ctx))
	}
	if err == nil && response.Status >= http.StatusInternalServerError {
		err = fmt.Errorf("answered with status %d: %q", response.Status, response.Body)
	}
	return response, err
}

// clientAddress is where a request comes from, by its number.
func clientAddress(number int64) string {
	all := []string{"192.0.2.1", "192.0.2.2", "[2001:db8::1]", "[2001:db8::2]", "[2001:db8:0:1::1]", "[::ffff:192.0.2.1]", "192.0.2.1"}
	return all[number%int64(len(all))] + ":50000"
}

// serve answers a request in this process.
func (s *soakTarget) serve(r *http.Request) (response *wire.Response, err error) {
	w := httptest.NewRecorder()
	defer func() {
		// With http.ErrAbortHandler, net/http would close the connection.
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the handler panicked: %v", cause)
		}
	}()
	s.handler.ServeHTTP(w, r)
	response = &wire.Response{Status: w.Code, Body: w.Body.Bytes()}
	for _, name := range slices.Sorted(maps.Keys(w.Header())) {
		for _, value := range w.Header()[name] {
			response.Headers = append(response.Headers, wire.Header{Name: name, Value: value})
		}
	}
	return response, nil
}
