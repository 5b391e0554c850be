package front_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/identity"
	"github.com/authcompat/authcompat/dialects/internal/wire"
)

// switched is an API with the endpoint /login/, which answers "api: " and its body, before two
// applications.
type switched struct {
	gate     gate
	old, new *recorder
	state    atomic.Pointer[cutover.State]
	front    *front.Front
	address  string
	counted  chan string
}

func newSwitched(t *testing.T, o front.Options, endpoints ...string) *switched {
	t.Helper()
	s := &switched{old: &recorder{answer: strings.Replace(ok, "ok", "ol", 1)}, new: &recorder{answer: strings.Replace(ok, "ok", "nw", 1)}, counted: make(chan string, 1000)}
	s.state.Store(&cutover.State{Key: []byte("a key")})
	s.gate.user = "good"
	o.Old.URL = serveConns(t, s.old.serve)
	o.New = &front.Application{URL: serveConns(t, s.new.serve)}
	o.Switch = &front.Switch{Endpoints: endpoints, State: s.state.Load, Count: func(endpoint string, side cutover.Side) { s.counted <- endpoint + " " + string(side) }}
	s.front = front.New(&s.gate, o)
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login/":
			body, err := wire.Body(w, r)
			answer := fmt.Sprintf("api: %s, %v", body, err)
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			_, _ = io.WriteString(w, answer)
		case "/login":
			_, _ = io.WriteString(w, "api: redirect")
		default:
			s.front.ServeHTTP(w, r)
		}
	})
	server := httptest.NewServer(s.front.Switched(api, func(r *http.Request) (string, bool) {
		switch r.URL.Path {
		case "/login/":
			return "login", false
		case "/login":
			return "login", true
		}
		return "", false
	}))
	t.Cleanup(server.Close)
	t.Cleanup(s.front.Retire)
	s.address = server.Listener.Addr().String()
	return s
}

// set puts rules into effect.
func (s *switched) set(rules ...cutover.Rule) {
	state := &cutover.State{Version: s.state.Load().Version + 1, Key: []byte("a key")}
	state.Set(rules...)
	s.state.Store(state)
}

// send sends a request on a connection of its own, and returns the body of its answer.
func (s *switched) send(t *testing.T, request string) string {
	t.Helper()
	_, body, _ := strings.Cut(exchange(t, s.address, strings.Replace(request, "\r\n", "\r\nHost: x\r\nConnection: close\r\n", 1)), "\r\n\r\n")
	return body
}

func login(name string, headers ...string) string {
	return fmt.Sprintf("POST /login/ HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", strings.Join(headers, ""), len(name), name)
}

// asked returns how often the gate was asked for a user since the last call.
func (s *switched) asked() int {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	n := s.gate.asked
	s.gate.asked = 0
	return n
}

// TestSwitch sends requests to the side that the state says, and asks for a user only if it
// has to.
func TestSwitch(t *testing.T) {
	rules := front.NewRules([]front.Rule{{Path: "/a/", Token: front.Pass}, {Path: "/needed/", Token: front.Needed}, {Path: "/checked/", Token: front.Checked}, {Path: "/old/", Token: front.Pass}})
	s := newSwitched(t, front.Options{Rules: rules}, "login", "/a/", "/needed/", "/checked/", cutover.Other)
	all := func(r cutover.Rule) (list []cutover.Rule) {
		for _, e := range []string{"login", "/a/", "/needed/", "/checked/", "/old/", cutover.Other} {
			r.Endpoint = e
			list = append(list, r)
		}
		return list
	}
	const good, canary = "Authorization: Token good\r\n", "X-Canary: yes\r\n"
	for name, test := range map[string]struct {
		rule    cutover.Rule
		request string
		want    string
		asked   int
	}{
		"0 %, endpoint":                {cutover.Rule{}, login("good"), "ol", 0},
		"0 %, endpoint, bad token":     {cutover.Rule{}, login("good", "Authorization: Token bad\r\n"), "ol", 0},
		"0 %, redirect":                {cutover.Rule{}, "POST /login HTTP/1.1\r\n\r\n", "ol", 0},
		"0 %, path":                    {cutover.Rule{}, "GET /a/x HTTP/1.1\r\n" + good + "\r\n", "ol", 0},
		"100 %, endpoint":              {cutover.Rule{Share: cutover.All}, login("good"), "api: good, <nil>", 0},
		"100 %, path":                  {cutover.Rule{Share: cutover.All}, "GET /a/x HTTP/1.1\r\n\r\n", "nw", 0},
		"100 %, needed":                {cutover.Rule{Share: cutover.All}, "GET /needed/x HTTP/1.1\r\n" + good + "\r\n", "nw", 0},
		"100 %, no token":              {cutover.Rule{Share: cutover.All}, "GET /needed/x HTTP/1.1\r\n\r\n", "refused\n", 0},
		"100 %, not switched":          {cutover.Rule{Share: cutover.All}, "GET /old/x HTTP/1.1\r\n\r\n", "ol", 0},
		"100 %, no rule":               {cutover.Rule{Share: cutover.All}, "GET /b HTTP/1.1\r\n\r\n", "nw", 0},
		"user, endpoint":               {cutover.Rule{Users: []string{"good"}}, login("good"), "api: good, <nil>", 1},
		"user, another":                {cutover.Rule{Users: []string{"good"}}, login("other"), "ol", 1},
		"user, endpoint, token":        {cutover.Rule{Users: []string{"good"}}, login("other", good), "ol", 1},
		"user, redirect":               {cutover.Rule{Users: []string{"good"}}, "POST /login HTTP/1.1\r\n" + good + "Content-Length: 5\r\n\r\nother", "api: redirect", 1},
		"user, pass":                   {cutover.Rule{Users: []string{"good"}}, "GET /a/x HTTP/1.1\r\n" + good + "\r\n", "nw", 1},
		"user, pass, another":          {cutover.Rule{Users: []string{"good"}}, "GET /a/x HTTP/1.1\r\nAuthorization: Token x\r\n\r\n", "ol", 1},
		"user, needed":                 {cutover.Rule{Users: []string{"good"}}, "GET /needed/x HTTP/1.1\r\n" + good + "\r\n", "nw", 0},
		"user, checked, no token":      {cutover.Rule{Users: []string{"good"}}, "GET /checked/x HTTP/1.1\r\n\r\n", "ol", 0},
		"user, other":                  {cutover.Rule{Users: []string{"good"}}, "GET /b HTTP/1.1\r\n" + good + "\r\n", "nw", 1},
		"user, not switched":           {cutover.Rule{Users: []string{"good"}}, "GET /old/x HTTP/1.1\r\n" + good + "\r\n", "ol", 0},
		"header, endpoint":             {cutover.Rule{Headers: []cutover.Header{{Name: "X-Canary", Value: "yes"}}}, login("good", canary), "api: good, <nil>", 0},
		"header, path":                 {cutover.Rule{Headers: []cutover.Header{{Name: "X-Canary", Value: "yes"}}}, "GET /a/x HTTP/1.1\r\n" + canary + "\r\n", "nw", 0},
		"header, without it":           {cutover.Rule{Headers: []cutover.Header{{Name: "X-Canary", Value: "yes"}}}, "GET /a/x HTTP/1.1\r\n" + good + "\r\n", "ol", 0},
		"nobody at 99.99 %":            {cutover.Rule{Share: cutover.All - 1}, "GET /a/x HTTP/1.1\r\n\r\n", "ol", 1},
		"nobody named at 99.99 %":      {cutover.Rule{Share: cutover.All - 1}, login(""), "ol", 1},
		"an ambiguous target is other": {cutover.Rule{Users: []string{"good"}}, "GET //old/x HTTP/1.1\r\n" + good + "\r\n", "nw", 0},
	} {
		s.set(all(test.rule)...)
		s.asked()
		if got := s.send(t, test.request); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		if n := s.asked(); n != test.asked {
			t.Errorf("%s: a user was asked for %d times, want %d", name, n, test.asked)
		}
	}
}

// TestSidesAreCounted counts each request to a switched endpoint once, by its side.
func TestSidesAreCounted(t *testing.T) {
	s := newSwitched(t, front.Options{Rules: front.NewRules([]front.Rule{{Path: "/needed/", Token: front.Needed}})}, "login", "/needed/", cutover.Other)
	s.set(cutover.Rule{Endpoint: "login", Share: cutover.All}, cutover.Rule{Endpoint: "/needed/", Share: cutover.All})
	for request, want := range map[string]string{
		login("x"): "login new", "GET /needed/ HTTP/1.1\r\nAuthorization: Token good\r\n\r\n": "/needed/ new", "GET /x HTTP/1.1\r\n\r\n": "other old", "GET /needed/ HTTP/1.1\r\n\r\n": "",
	} {
		s.send(t, request)
		got := ""
		for len(s.counted) > 0 {
			got += <-s.counted
		}
		if got != want {
			t.Errorf("%q: %q, want %q", request, got, want)
		}
	}
}

// TestBodiesThatNameUsers hands bodies on as they came, to whichever side answers, though they
// were read for a name.
func TestBodiesThatNameUsers(t *testing.T) {
	s := newSwitched(t, front.Options{}, "login")
	most := strings.Repeat("x", wire.MaxBody)
	s.set(cutover.Rule{Endpoint: "login", Users: []string{"good", most}})
	chunked := func(parts ...string) string {
		var b strings.Builder
		for _, part := range parts {
			fmt.Fprintf(&b, "%x\r\n%s\r\n", len(part), part)
		}
		return "POST /login/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b.String() + "0\r\n\r\n"
	}
	for _, test := range []struct{ name, request, framing, body, answer string }{
		{"length", login("\x00\xff{\"a\": 1}\r\n"), "Content-Length: 12\r\n", "\x00\xff{\"a\": 1}\r\n", "ol"},
		{"no length", "POST /login/ HTTP/1.1\r\n\r\n", "", "", "ol"},
		{"a length of 0", "POST /login/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "Content-Length: 0\r\n", "", "ol"},
		{"chunked", chunked("ot", "her"), "Transfer-Encoding: chunked\r\n", "other", "ol"},
		{"too large", login(most + "x"), fmt.Sprintf("Content-Length: %d\r\n", len(most)+1), most + "x", "ol"},
		{"too large, chunked", chunked(most, "xyz"), "Transfer-Encoding: chunked\r\n", most + "xyz", "ol"},
		{"of a named one", login("good"), "", "", "api: good, <nil>"},
		{"of a named one, chunked", chunked("go", "od"), "", "", "api: good, <nil>"},
		{"as large as may be", login(most), "", "", "api: " + most + ", <nil>"},
	} {
		before := len(s.old.heads)
		if got := s.send(t, test.request); got != test.answer {
			t.Errorf("%s: answered %.50q, want %.50q", test.name, got, test.answer)
		}
		if test.answer != "ol" {
			if len(s.old.heads) != before {
				t.Errorf("%s: the old side has got it too", test.name)
			}
			continue
		}
		if head, body := s.old.last(), s.old.bodies[len(s.old.bodies)-1]; body != test.body || strings.Contains(head, "Content-Length") && !strings.Contains(head, "\r\n"+test.framing) || !strings.Contains(head, test.framing) || strings.Count(head, "chunked")+strings.Count(head, "Content-Length") > 1 {
			t.Errorf("%s: %d bytes %.20q, and the head %q", test.name, len(body), body, head)
		}
	}
	// Half a body is nobody's.
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(c, "POST /login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\ngood")
	_ = c.(*net.TCPConn).CloseWrite()
	if answer, _ := io.ReadAll(c); strings.Contains(string(answer), "api") || strings.Contains(string(answer), " 200 ") {
		t.Errorf("half a body: %q", answer)
	}
}

// TestClientsThatAskFirst are told once to send the body that names a user.
func TestClientsThatAskFirst(t *testing.T) {
	for _, application := range []string{"", "HTTP/1.1 100 Continue\r\n\r\n"} {
		s := newSwitched(t, front.Options{}, "login")
		s.old.answer = application + ok
		for name, rule := range map[string]cutover.Rule{"other": {Endpoint: "login", Users: []string{"good"}}, "good": {Endpoint: "login", Users: []string{"good"}}} {
			s.set(rule)
			c, r := dial(t, s.address)
			fmt.Fprintf(c, "POST /login/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(name))
			if head, err := readHead(r); head != "HTTP/1.1 100 Continue\r\n\r\n" {
				t.Fatalf("%s: %q, %v", name, head, err)
			}
			_, _ = io.WriteString(c, name)
			answer, err := io.ReadAll(r)
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK\r\n") {
				t.Errorf("%s: %q, %v", name, answer, err)
			}
			if name == "other" && !strings.Contains(s.old.last(), "Expect: 100-continue\r\n") {
				t.Errorf("the old side got %q", s.old.last())
			}
		}
	}
}

// TestNoIdentityForTheOldSide tells the old side of an endpoint nothing of who asks, and
// nothing that a client says of it.
func TestNoIdentityForTheOldSide(t *testing.T) {
	keys, err := identity.ParseKeys("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		t.Fatal(err)
	}
	s := newSwitched(t, front.Options{Identity: &front.Identity{Keys: keys}, Rules: front.NewRules([]front.Rule{{Path: "/", Token: front.Needed}})}, "login", "/")
	const forged = "X-Authcompat-Identity: v1;forged\r\nx_authcompat.identity: forged\r\nAuthorization: Token good\r\n"
	if got := s.send(t, login("x", forged)); got != "ol" || strings.Contains(strings.ToLower(s.old.last()), "authcompat") {
		t.Errorf("%q: %q", got, s.old.last())
	}
	s.set(cutover.Rule{Endpoint: "/", Share: cutover.All})
	if got := s.send(t, "GET /x HTTP/1.1\r\n"+forged+"\r\n"); got != "nw" || strings.Count(s.new.last(), "uthcompat") != 1 || strings.Contains(s.new.last(), "forged") {
		t.Errorf("%q: %q", got, s.new.last())
	}
}

// TestExchangesStay keeps tunnels where they began, under the rules of both sides.
func TestExchangesStay(t *testing.T) {
	s := &gate{}
	var state atomic.Pointer[cutover.State]
	to := func(share cutover.Share) {
		state.Store(&cutover.State{Rules: []cutover.Rule{{Endpoint: "/ws", Share: share}}})
	}
	to(cutover.All)
	address := start(t, s, front.Options{
		Old: front.Application{URL: serveConns(t, (&recorder{answer: ok}).serve)}, New: &front.Application{URL: serveConns(t, echo)},
		Switch: &front.Switch{Endpoints: []string{"/ws"}, State: state.Load}, Rules: front.NewRules([]front.Rule{{Path: "/ws", Token: front.Needed}}), Recheck: 50 * time.Millisecond,
	})
	c, r := dial(t, address)
	_, _ = io.WriteString(c, upgrade+"Authorization: Token good\r\n\r\n")
	if got := readN(r, len(accepted)); got != accepted {
		t.Fatalf("%q", got)
	}
	to(0)
	_, _ = io.WriteString(c, "ping")
	if got := readN(r, 4); got != "ping" {
		t.Errorf("after the switch: %q", got)
	}
	if got := exchange(t, address, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Token good\r\n\r\n"); !strings.HasSuffix(got, "ok") {
		t.Errorf("the next: %q", got)
	}
	s.end()
	if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("it outlives its token: %q, %v", rest, err)
	}
}

// TestApplicationsFailApart answers for each side as its application does.
func TestApplicationsFailApart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := &url.URL{Scheme: "http", Host: l.Addr().String()}
	l.Close()
	results := make(chan string, 10)
	count := func(side string) func(front.Result) {
		return func(r front.Result) { results <- side + " " + string(r) }
	}
	var state atomic.Pointer[cutover.State]
	o := front.Options{
		Old: front.Application{URL: serveConns(t, (&recorder{answer: ok}).serve), Count: count("old")}, New: &front.Application{URL: nobody, Count: count("new")},
		Switch: &front.Switch{Endpoints: []string{"login", "/a"}, State: state.Load}, Rules: front.NewRules([]front.Rule{{Path: "/a", Token: front.Pass}}),
	}
	f := front.New(&gate{}, o)
	state.Store(&cutover.State{})
	address := start(t, &gate{}, o)
	for _, test := range []struct {
		rules    []cutover.Rule
		status   string
		result   string
		old, new bool // needed
	}{
		{nil, "200", "old ok", true, false},
		{[]cutover.Rule{{Endpoint: "/a", Share: cutover.All}}, "503", "new unreachable", true, true},
		{[]cutover.Rule{{Endpoint: "/a", Share: 1}, {Endpoint: "login", Share: cutover.All}}, "200", "old ok", true, true},
		{[]cutover.Rule{{Endpoint: "login", Share: cutover.All}}, "200", "old ok", true, false},
	} {
		state.Store(&cutover.State{Rules: test.rules})
		if got := exchange(t, address, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 "+test.status) {
			t.Errorf("%v: %q", test.rules, got)
		}
		if got := <-results; got != test.result {
			t.Errorf("%v: %s, want %s", test.rules, got, test.result)
		}
		if old, new := f.Needs(cutover.Old), f.Needs(cutover.New); old != test.old || new != test.new {
			t.Errorf("%v: needs the old one: %t, the new one: %t", test.rules, old, new)
		}
	}
	if f.Probe(t.Context(), cutover.Old) != nil || f.Probe(t.Context(), cutover.New) == nil {
		t.Error("one application answers for the other")
	}
	o.Switch.Endpoints = []string{"/a", cutover.Other}
	state.Store(&cutover.State{Rules: []cutover.Rule{{Endpoint: "/a", Share: cutover.All}, {Endpoint: cutover.Other, Share: cutover.All}}})
	if f.Needs(cutover.Old) {
		t.Error("the old application is needed when nobody is sent there any more")
	}
	o.Switch = nil
	if f := front.New(&gate{}, o); !f.Needs(cutover.Old) || f.Needs(cutover.New) {
		t.Error("without a switch")
	}
}
