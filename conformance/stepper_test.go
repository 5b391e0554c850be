package conformance_test

import (
	"errors"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/wire"
)

// A bench is a running fake, at which exchanges are stepped through.
type bench struct {
	t      *testing.T
	fake   *fake
	server *conformance.Server
	client *wire.Client
	file   *conformance.File
	there  []conformance.User
}

func newBench(t *testing.T) *bench {
	t.Helper()
	f := newFake()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	client, err := wire.NewClient(server.URL, 5*time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, fake: f, server: &conformance.Server{URL: server.URL, State: f}, client: client, file: files(t)[0]}
}

func (b *bench) stepper(exchange string, m conformance.Memory) *conformance.Stepper {
	b.t.Helper()
	s, err := b.file.Stepper(exchange, b.server, b.client, conformance.Options{}, b.there, m)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// send sends a step as it is, and returns how its response differs.
func (b *bench) send(s *conformance.Stepper, number int) []conformance.Difference {
	b.t.Helper()
	at := s.Now()
	got, err := b.client.Do(b.t.Context(), s.Step(number).Request)
	if err != nil {
		b.t.Fatal(err)
	}
	return s.Match(number, got, at)
}

// before does what comes before a step, and fails the test if it can't.
func (b *bench) before(s *conformance.Stepper, number int) []conformance.Sent {
	b.t.Helper()
	sent, differences, err := s.Before(b.t.Context(), number)
	if err != nil || len(differences) > 0 {
		b.t.Fatalf("before step %d: %v, %v", number, differences, err)
	}
	return sent
}

// TestStepper goes through every exchange: step by step with one memory, and straight to each step.
func TestStepper(t *testing.T) {
	b := newBench(t)
	for _, e := range b.file.Exchanges {
		memory := conformance.Memory{}
		for k := 1; k <= b.stepper(e.Name, memory).Len(); k++ {
			s := b.stepper(e.Name, memory)
			if sent := b.before(s, k); len(sent) > 0 {
				t.Errorf("%s, step %d: the steps before are sent again: %v", e.Name, k, sent)
			}
			if differences := b.send(s, k); len(differences) > 0 {
				t.Errorf("%s, step %d: %+v", e.Name, k, differences)
			}
			memory = s.Memory()

			straight := b.stepper(e.Name, conformance.Memory{})
			if sent := b.before(straight, k); len(sent) != k-1 {
				t.Errorf("%s: %d requests before step %d", e.Name, len(sent), k)
			}
			if left := straight.Preparation(k); len(left) > 0 {
				t.Errorf("%s, step %d: still to do: %q", e.Name, k, left)
			}
			if differences := b.send(straight, k); len(differences) > 0 {
				t.Errorf("%s, straight to step %d: %+v", e.Name, k, differences)
			}
		}
	}
}

func TestStepperShowsWhatIsUnknown(t *testing.T) {
	b := newBench(t)
	s := b.stepper("a day later", conformance.Memory{})
	run := s.Memory().Run
	if diff := cmp.Diff([]string{"make the user john-" + run + "000", "send step 1 (POST /login)", "move the clock on by 23 hours"}, s.Preparation(2)); diff != "" {
		t.Error(diff)
	}
	step := s.Step(2)
	if diff := cmp.Diff([]string{"token"}, step.Unknown); diff != "" || step.Request.Path != "/me?token=${token}" {
		t.Errorf("path %s\n%s", step.Request.Path, diff)
	}
	before := b.fake.Now()
	if diff := cmp.Diff([]conformance.Sent{{Step: 1, Request: "POST /login", Status: 200}}, b.before(s, 2)); diff != "" {
		t.Error(diff)
	}
	if moved := b.fake.Now().Sub(before); moved < 23*time.Hour || moved > 24*time.Hour {
		t.Errorf("the clock has moved by %v", moved)
	}
	// Once is enough.
	if sent := b.before(s, 2); len(sent) > 0 || b.fake.Now().Sub(before) > 24*time.Hour {
		t.Errorf("sent again: %v", sent)
	}
	if got := s.Step(2); len(got.Unknown) > 0 || got.Request.Path != "/me?token="+s.Memory().Captures["token"] {
		t.Errorf("path %s, unknown %q", got.Request.Path, got.Unknown)
	}
	want := conformance.Documented{Status: 200, Body: "{\n  \"username\": \"john-" + run + "000\",\n  \"email\": \"<text>\",\n  \"at\": \"<datetime, milliseconds-Z, now ± 5s>\"\n}",
		Headers: []conformance.DocumentedHeader{{Name: "Content-Type", Values: []string{"application/json"}}, {Name: "X-Fake", Values: []string{"yes"}}}}
	if diff := cmp.Diff(want, s.Step(2).Documented); diff != "" {
		t.Error(diff)
	}
	if d := b.stepper("a page", conformance.Memory{}).Step(1).Documented; !d.HTML || d.Body != "" {
		t.Errorf("%+v", d)
	}
}

// A step before that is not answered as documented ends what comes before, which can be tried again.
func TestStepperStops(t *testing.T) {
	b := newBench(t)
	s := b.stepper("login and logout", conformance.Memory{})
	b.before(s, 1)
	b.fake.mu.Lock()
	for name, u := range b.fake.users {
		u.Inactive = true
		b.fake.users[name] = u
	}
	b.fake.mu.Unlock()
	sent, differences, err := s.Before(t.Context(), 3)
	if err != nil || len(sent) != 1 || len(differences) != 2 || sent[0].Status != 400 || s.Memory().Done != 0 {
		t.Errorf("sent %v, %+v, %v, %d done", sent, differences, err, s.Memory().Done)
	}
	gone := b.stepper("a link", conformance.Memory{Run: "abc123", Ready: 0})
	if _, _, err := gone.Before(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	gone = b.stepper("a link", conformance.Memory{Run: "xyz789", Ready: 1})
	if unknown := gone.Step(1).Unknown; len(unknown) != 2 {
		t.Errorf("unknown %q", unknown)
	}
}

// A user whom the server has as documented keeps the name, where nothing can happen to the user.
func TestStepperAndExistingUsers(t *testing.T) {
	b := newBench(t)
	b.there = []conformance.User{{Username: "john", Password: "secret"}}
	for exchange, suffix := range map[string]bool{
		"taken":             false, // one request
		"an inactive user":  true,
		"login and logout":  true, // several requests
		"a user of its own": true, // dedicated
		"a link":            true,
		"register":          true, // new
		"an address":        true,
	} {
		s := b.stepper(exchange, conformance.Memory{Run: "abc123"})
		text := s.Step(1).Request.Path + string(s.Step(1).Request.Body) + strings.Join(s.Preparation(1), "")
		if got := strings.Contains(text, "abc123"); got != suffix {
			t.Errorf("%s: %s", exchange, text)
		}
	}
	if s := b.stepper("taken", conformance.Memory{}); len(s.Preparation(1)) > 0 {
		t.Errorf("still to do: %q", s.Preparation(1))
	}
}

// Of a server that only its API leads to, users register; nothing else can be done before a step.
func TestStepperWithoutState(t *testing.T) {
	b := newBench(t)
	b.server.State = nil
	s := b.stepper("login and logout", conformance.Memory{})
	if sent := b.before(s, 2); len(sent) != 2 || sent[0].Request != "POST /register" || sent[0].Step != 0 {
		t.Errorf("sent %v", sent)
	}
	if differences := b.send(s, 2); len(differences) > 0 || s.Unmet() != "" {
		t.Errorf("%+v, %s", differences, s.Unmet())
	}
	for exchange, unmet := range map[string]string{
		"a day later": "the clock of a running server cannot be moved",
		"a link":      "the mails of a running server cannot be read",
		"a key":       "the mails of a running server cannot be read",
		"a limit":     "only authcompat answers so: the limit is this test's",
	} {
		s := b.stepper(exchange, conformance.Memory{})
		sent, _, err := s.Before(t.Context(), s.Len())
		if s.Unmet() != unmet || err == nil || err.Error() != unmet || len(sent) > 0 {
			t.Errorf("%s: %s; sent %v, %v", exchange, s.Unmet(), sent, err)
		}
	}
}

// A token from elsewhere takes the place of that of a step before, if the request names no user.
func TestStepperUses(t *testing.T) {
	b := newBench(t)
	s := b.stepper("login and logout", conformance.Memory{})
	s.Use(1, "abc")
	if s.Memory().Done != 0 || s.Memory().Captures["token"] != "" {
		t.Errorf("a login uses a token: %+v", s.Memory())
	}
	s.Use(3, "abc")
	if got := s.Step(3); got.Request.Headers[0].Value != "Token abc" || len(got.Unknown) > 0 || len(s.Preparation(3)) > 0 {
		t.Errorf("%+v, still to do: %q", got, s.Preparation(3))
	}
}

func TestNoExchange(t *testing.T) {
	b := newBench(t)
	if _, err := b.file.Stepper("nothing", b.server, b.client, conformance.Options{}, nil, conformance.Memory{}); !errors.Is(err, conformance.ErrNoExchange) {
		t.Errorf("got %v", err)
	}
}

func TestTokenIn(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef01234567"
	for body, want := range map[string]string{
		`{"expiry":null,"token":"` + token + `"}`:           token,
		`{"key":"` + token + `"}`:                           token,
		`{"user":{"id":1,"auth_token":"` + token + `"}}`:    token,
		`[{"access":"eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"}]`: "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl",
		`{"token":["This field is required."]}`:             "",
		`{"token":"This field is required."}`:               "",
		`{"username":"` + token + `"}`:                      "",
		`{"token":"short"}`:                                 "",
		`<html>` + token:                                    "",
	} {
		got, ok := conformance.TokenIn(&wire.Response{Body: []byte(body)})
		if got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", body, got, ok)
		}
	}
}

func TestTokenScheme(t *testing.T) {
	if got := files(t)[0].TokenScheme(); got != "Token " {
		t.Errorf("got %q", got)
	}
}

// A memory that is not of a Stepper, as a page may send one back, counts no steps that are not there.
func TestStepperOfAnotherMemory(t *testing.T) {
	b := newBench(t)
	for _, count := range []int{-1, math.MinInt, math.MaxInt} {
		s := b.stepper("login and logout", conformance.Memory{Run: "abc123", Done: count, Ready: count})
		want := 0
		if count > 0 {
			want = s.Len()
		}
		if m := s.Memory(); m.Done != want || m.Ready != want {
			t.Errorf("%d: %d done, %d ready, want %d", count, m.Done, m.Ready, want)
		}
		if left := s.Preparation(2); (len(left) > 0) == (count > 0) {
			t.Errorf("%d: to do: %q", count, left)
		}
	}
}
