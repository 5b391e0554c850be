package callers_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// world is a counter on a real store, with a clock that the test controls.
type world struct {
	*callers.Counter
	store *unsteady
	now   time.Time
}

// unsteady is a store that can be away, before it does what it is told or after that.
type unsteady struct {
	callers.Store
	away, forgetful bool
	batches         int
}

var errAway = errors.New("away")

func (u *unsteady) AddCalls(ctx context.Context, batch string, calls []callers.Calls) error {
	if u.away {
		return errAway
	}
	u.batches++
	if err := u.Store.AddCalls(ctx, batch, calls); err != nil || !u.forgetful {
		return err
	}
	return errAway
}

func newWorld(t testing.TB) *world {
	w := &world{store: &unsteady{Store: sqlitetest.MustOpen(t).Backend().Callers}, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	w.Counter = callers.New(w.store, func() time.Time { return w.now }, slog.New(slog.DiscardHandler))
	return w
}

// secrets are those of a request.
type secrets []string

func (s secrets) Secrets() []string { return s }

// request returns one that was answered now.
func (w *world) request(user, client, agent string) callers.Request {
	r := callers.Request{Profile: "p", Endpoint: "account", User: user, Agent: agent, At: w.now}
	if client != "" {
		r.Client = clients.Client{Address: netip.MustParseAddr(client)}.Subscriber()
	}
	return r
}

func (w *world) flush(t testing.TB) {
	t.Helper()
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// sums returns what is in the store.
func (w *world) sums(t testing.TB, by callers.Dimension) map[callers.Caller]int64 {
	t.Helper()
	all, err := w.store.SumCalls(t.Context(), callers.Filter{}, by)
	if err != nil {
		t.Fatal(err)
	}
	sums := make(map[callers.Caller]int64)
	for _, c := range all {
		sums[c.Caller] += c.Requests
	}
	return sums
}

// total returns the requests in the store.
func (w *world) total(t testing.TB) (requests int64) {
	for _, n := range w.sums(t, callers.ByAll) {
		requests += n
	}
	return requests
}

// TestCounts keeps each caller apart, with the first and the last request.
func TestCounts(t *testing.T) {
	w := newWorld(t)
	began := w.now
	refused := w.request("", "2001:db8:1:2:3::4", "app/1")
	refused.Refused = true
	for range 3 {
		w.Count(w.request("ann", "192.0.2.1", "app/1"), secrets{})
		refused.At = w.now
		w.Count(refused, secrets{})
		w.now = w.now.Add(time.Second)
	}
	w.Count(w.request("ann", "", ""), secrets{})
	w.flush(t)
	w.Count(w.request("ann", "192.0.2.1", "app/1"), secrets{})
	if n := w.Unwritten(); n != 1 {
		t.Errorf("%d unwritten", n)
	}
	w.flush(t)
	w.flush(t)
	want := map[callers.Caller]int64{
		{Profile: "p", Endpoint: "account", User: "ann", Client: "192.0.2.1", Agent: "app/1"}: 4,
		{Profile: "p", Endpoint: "account", Client: "2001:db8:1:2::/64", Agent: "app/1"}:      3,
		{Profile: "p", Endpoint: "account", User: "ann"}:                                      1,
	}
	if diff := cmp.Diff(want, w.sums(t, callers.ByAll)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all, err := w.store.SumCalls(t.Context(), callers.Filter{}, callers.ByUser)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		first, last := began, began.Add(3*time.Second)
		if c.User == "" {
			last = began.Add(2 * time.Second)
		}
		if !c.First.Equal(first) || !c.Last.Equal(last) || (c.Refused == 3) != (c.User == "") {
			t.Errorf("%+v", c)
		}
	}
}

// TestStoreAway keeps what can't be written, and writes it once, also where it was written and the
// store did not say so.
func TestStoreAway(t *testing.T) {
	w := newWorld(t)
	for i := range 10 {
		w.store.away, w.store.forgetful = i%3 == 1, i%3 == 2
		for range 5 {
			w.Count(w.request("ann", "192.0.2.1", fmt.Sprint("app/", i%2)), secrets{})
		}
		if err := w.Flush(t.Context()); (err != nil) != (i%3 != 0) {
			t.Errorf("flush %d: %v", i, err)
		}
	}
	if n := w.Unwritten(); n != 0 {
		t.Errorf("%d unwritten", n)
	}
	if n := w.total(t); n != 50 {
		t.Errorf("%d written, want 50", n)
	}
}

// TestBound has one client, and then many, make up User-Agents: those who are known go on being
// counted, and there is room for users.
func TestBound(t *testing.T) {
	w := newWorld(t)
	old := w.request("", "198.51.100.1", "old app")
	w.Count(old, secrets{})
	for i := range callers.PerSubject + 500 {
		w.Count(w.request("", "192.0.2.1", fmt.Sprint("made up ", i)), secrets{})
		w.Count(w.request("mallory", "192.0.2.1", fmt.Sprint("made up ", i)), secrets{})
		if i == 500 {
			w.flush(t)
		}
	}
	if got := w.Kept(); got != 1+2*callers.PerSubject+1 {
		t.Errorf("%d keys", got)
	}
	for i := range 2 * callers.Max {
		w.Count(w.request("", fmt.Sprintf("10.0.%d.%d", i/250, i%250), "app"), secrets{})
	}
	if got := w.Kept(); got != callers.Max/2+callers.PerSubject+1 {
		t.Errorf("%d keys without room for anonymous ones", got)
	}
	w.flush(t)
	for i := range callers.Max {
		w.Count(w.request(fmt.Sprint("user", i), "192.0.2.1", "app"), secrets{})
	}
	if got := w.Kept(); got != callers.Max+1 {
		t.Errorf("%d keys without any room", got)
	}
	w.Count(old, secrets{})
	w.Count(w.request("user0", "192.0.2.1", "app"), secrets{})
	w.flush(t)
	sums := w.sums(t, callers.ByAll)
	if len(sums) != callers.Max+1 {
		t.Errorf("%d callers are kept", len(sums))
	}
	for caller, want := range map[callers.Caller]int64{
		{Profile: "p", Endpoint: "account", Client: "198.51.100.1", Agent: "old app"}:         2,
		{Profile: "p", Endpoint: "account", User: "user0", Client: "192.0.2.1", Agent: "app"}: 2,
	} {
		if sums[caller] != want {
			t.Errorf("%+v: %d", caller, sums[caller])
		}
	}
	if n := w.total(t); n != 1+2*(callers.PerSubject+500)+2*callers.Max+callers.Max+2 {
		t.Errorf("%d requests in all", n)
	}
}

// TestMidnight gives each day its own counts, and room.
func TestMidnight(t *testing.T) {
	w := newWorld(t)
	for i := range 500 {
		w.Count(w.request(fmt.Sprint("user", i), "192.0.2.1", "app"), secrets{})
	}
	select {
	case <-w.Wake():
		t.Error("a write before its time")
	default:
	}
	w.now = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	w.Count(w.request("user0", "192.0.2.1", "app"), secrets{})
	select {
	case <-w.Wake():
	default:
		t.Error("the day before is not written")
	}
	w.flush(t)
	w.Count(w.request("user0", "192.0.2.1", "app"), secrets{})
	w.flush(t)
	if got := w.Kept(); got != 1 {
		t.Errorf("%d keys of the new day", got)
	}
	for since, want := range map[callers.Day]int64{callers.DayOf(w.now) - 1: 502, callers.DayOf(w.now): 2, callers.DayOf(w.now) + 1: 0} {
		all, err := w.store.SumCalls(t.Context(), callers.Filter{Since: since}, callers.ByEndpoint)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for _, c := range all {
			n += c.Requests
		}
		if n != want {
			t.Errorf("since %d: %d, want %d", since, n, want)
		}
	}
}

// TestParallel counts from many goroutines while others write.
func TestParallel(t *testing.T) {
	w := newWorld(t)
	const goroutines, each = 8, 2000
	var counting, flushing sync.WaitGroup
	done := make(chan struct{})
	flushing.Go(func() {
		for {
			if err := w.Flush(context.Background()); err != nil {
				t.Error(err)
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for g := range goroutines {
		counting.Go(func() {
			for i := range each {
				r := w.request(fmt.Sprint("user", i%50), "192.0.2.1", fmt.Sprint("app/", g%2))
				if i%7 == 0 {
					r.At = r.At.Add(-24 * time.Hour)
				}
				w.Count(r, secrets{})
			}
		})
	}
	counting.Wait()
	close(done)
	flushing.Wait()
	w.flush(t)
	if n := w.total(t); n != goroutines*each {
		t.Errorf("%d, want %d", n, goroutines*each)
	}
}

// TestAgents keeps no secret, and nothing that a terminal or a database would stumble over.
func TestAgents(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef01234567"
	long := strings.Repeat("ä/", 100)
	for _, test := range []struct {
		raw     string
		secrets []string
		want    string
	}{
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)", nil, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"},
		{"", []string{""}, ""},
		{"app " + token, nil, "app …"},
		{token + "/" + token[:32] + " " + token[:31], nil, "…/… " + token[:31]},
		{"app/" + token[:31] + "Z9", nil, "app/…"},
		{"app tok3n-1 x", []string{"tok3n-1"}, callers.Withheld},
		{"apptok3n-1x", []string{"other", "tok3n-1"}, callers.Withheld},
		{"app/1.2 (ann)", []string{"an"}, "app/1.2 (ann)"}, // a password that is in every other one
		{"app an", []string{"an"}, callers.Withheld},
		{"a\x00b\x1b[2J\r\n\u0085c\xffd", nil, "ab[2Jc\ufffdd"},
		{long, nil, strings.Repeat("ä/", 66) + "ä"},
		{strings.Repeat("a ", 90) + token, nil, strings.Repeat("a ", 90) + "…"},
	} {
		got := callers.CleanAgent(test.raw, test.secrets)
		if got != test.want || len(got) > callers.MaxAgent {
			t.Errorf("%q with %q: %q, want %q", test.raw, test.secrets, got, test.want)
		}
	}
	w := newWorld(t)
	w.Count(w.request("ann", "", "app pass word"), secrets{"pass word"})
	w.Count(w.request("bob", "", strings.Repeat("a ", 90)+token), secrets{})
	w.flush(t)
	for caller := range w.sums(t, callers.ByAll) {
		if caller.Agent != callers.Withheld && caller.Agent != strings.Repeat("a ", 90)+"…" {
			t.Errorf("%+v", caller)
		}
	}
}

// BenchmarkCount counts one caller from several goroutines.
func BenchmarkCount(b *testing.B) {
	w := newWorld(b)
	r := w.request("ann", "192.0.2.1", "okhttp/3.12.1 (Android 9; SM-G960F)")
	b.ReportAllocs()
	var none callers.Secrets = secrets{}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w.Count(r, none)
		}
	})
}

// TestEndpointsOfOneProgram counts what a user calls with one program by endpoint, profile and day, before it
// is written for the first time and after that.
func TestEndpointsOfOneProgram(t *testing.T) {
	w := newWorld(t)
	want := make(map[callers.Caller]int64)
	for range 2 {
		for i, r := range []callers.Request{{Profile: "p", Endpoint: "login"}, {Profile: "p", Endpoint: "account"}, {Profile: "q", Endpoint: "account"}} {
			r.User, r.Agent, r.At = "ann", "app/1", w.now
			for range i + 1 {
				w.Count(r, secrets{})
				want[callers.Caller{Profile: r.Profile, Endpoint: r.Endpoint, User: r.User, Agent: r.Agent}]++
			}
		}
		w.flush(t)
		if got := w.Kept(); got != len(want) {
			t.Errorf("%d callers are kept in memory, want %d", got, len(want))
		}
	}
	if diff := cmp.Diff(want, w.sums(t, callers.ByAll)); diff != "" {
		t.Error(diff)
	}
	w.now = w.now.Add(24 * time.Hour)
	w.flush(t)
	if got := w.Kept(); got != 0 {
		t.Errorf("%d callers of yesterday are kept in memory", got)
	}
}
