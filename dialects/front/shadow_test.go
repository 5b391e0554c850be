package front_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/dialects/front"
)

// watcher is a front.Shadow that keeps what it was shown.
type watcher struct {
	mu    sync.Mutex
	wants bool
	reads bool // it reads bodies
	again bool // it asks the application again
	seen  []string
}

// Wants implements front.Shadow.
func (s *watcher) Wants(*http.Request, string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wants
}

// Watch implements front.Shadow.
func (s *watcher) Watch(w http.ResponseWriter, r *http.Request, watched front.Watched) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := watched.Endpoint
	if s.reads {
		body, err := watched.Body()
		seen = fmt.Sprintf("%s %d bytes %v", seen, len(body), err)
	}
	watched.Pass(w, r)
	if s.again {
		second := httptest.NewRecorder()
		watched.Pass(second, r.Clone(r.Context()))
		seen += " again " + second.Body.String()
	}
	s.seen = append(s.seen, seen)
}

// TestShadowWatches shows it what goes to the old side of an endpoint, and nothing else; the old
// side gets each byte of that.
func TestShadowWatches(t *testing.T) {
	shadow := &watcher{wants: true}
	rules := front.NewRules([]front.Rule{{Path: "/a/", Token: front.Pass}})
	s := newSwitched(t, front.Options{Rules: rules, Shadow: shadow, MaxBody: 3 << 20}, "login", "/a/")
	large := strings.Repeat("x", 2<<20)
	for name, test := range map[string]struct {
		request      string
		share        cutover.Share
		reads, again bool
		want, seen   string
	}{
		"a login":                     {login("ann"), 0, false, false, "ol", "login"},
		"with its body":               {login("ann"), 0, true, false, "ol", "login 3 bytes <nil>"},
		"in chunks":                   {"POST /login/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nan\r\n1\r\nn\r\n0\r\n\r\n", 0, true, false, "ol", "login 3 bytes <nil>"},
		"with trailers":               {"POST /login/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: X-Forwarded-For\r\n\r\n3\r\nann\r\n0\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n", 0, true, false, "ol", "login 3 bytes <nil>"},
		"larger than the API reads":   {login(large), 0, true, false, "ol", "login 0 bytes request body is too large"},
		"asked a second time":         {"GET /login/ HTTP/1.1\r\n\r\n", 0, true, true, "ol", "login 0 bytes <nil> again ol"},
		"where it is redirected":      {"POST /login HTTP/1.1\r\nContent-Length: 3\r\n\r\nann", 0, true, false, "ol", "login 3 bytes <nil>"},
		"the new side":                {login("ann"), cutover.All, true, false, "api: ann, <nil>", ""},
		"a path of the application":   {"GET /a/ HTTP/1.1\r\n\r\n", 0, true, false, "ol", ""},
		"while the user decides":      {login("ann"), 1, true, false, "ol", "login 3 bytes <nil>"},
		"an application's odd path":   {"GET //login/ HTTP/1.1\r\n\r\n", 0, true, false, "ol", ""},
		"another method":              {"OPTIONS /login/ HTTP/1.1\r\n\r\n", 0, true, false, "ol", "login 0 bytes <nil>"},
		"a client that asks first":    {login("ann", "Expect: 100-continue\r\n"), 0, true, false, "HTTP/1.1 200", "login 3 bytes <nil>"},
		"what can't be passed at all": {"CONNECT /login/ HTTP/1.1\r\n\r\n", 0, true, false, "", ""},
	} {
		s.set(cutover.Rule{Endpoint: "login", Share: test.share}, cutover.Rule{Endpoint: "/a/"})
		shadow.mu.Lock()
		shadow.reads, shadow.again, shadow.seen = test.reads, test.again, nil
		shadow.mu.Unlock()
		s.old.mu.Lock()
		s.old.bodies = nil
		s.old.mu.Unlock()
		got := s.send(t, test.request)
		want := ""
		switch {
		case strings.HasSuffix(test.request, large):
			want = large
		case strings.HasSuffix(test.request, "\r\n\r\nann"), strings.Contains(test.request, "chunked"):
			want = "ann"
		}
		s.old.mu.Lock()
		if len(s.old.bodies) > 0 && s.old.bodies[0] != want || len(s.old.bodies) == 0 && test.want == "ol" {
			t.Errorf("%s: the old side got %.20q", name, s.old.bodies)
		}
		s.old.mu.Unlock()
		if head := s.old.last(); strings.Contains(strings.ToLower(head), "trailer") {
			t.Errorf("%s: the old side got trailers: %q", name, head)
		}
		shadow.mu.Lock()
		seen := strings.Join(shadow.seen, ", ")
		shadow.mu.Unlock()
		if seen != test.seen || test.want != "" && !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %q, seen %q, want %q, %q", name, got, seen, test.want, test.seen)
		}
	}
	shadow.mu.Lock()
	shadow.wants, shadow.seen = false, nil
	shadow.mu.Unlock()
	s.set(cutover.Rule{Endpoint: "login"})
	if got := s.send(t, login("ann")); got != "ol" || len(shadow.seen) != 0 {
		t.Errorf("unwanted: %q, %v", got, shadow.seen)
	}
}
