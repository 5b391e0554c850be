package adopt_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/adopt"
)

// TestProbeThatTellsNothing believes no token while the probe answers with success whoever asks,
// and says so once.
func TestProbeThatTellsNothing(t *testing.T) {
	w, s := newTokenWorld(t, "ocd-users", map[string]string{"good": ""})
	if got := w.get(t, "/private/", "good"); got != nobodys {
		t.Fatalf("before: %s", got)
	}
	all := func(http.ResponseWriter, *http.Request) {}
	onlyNone := func(out http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			s.answer(out, r)
		}
	}
	onlyAny := func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == probe && r.Header.Get("Authorization") == "" {
			out.WriteHeader(http.StatusUnauthorized)
		}
	}
	moved := func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(http.StatusFound) }
	w.pass(time.Hour)
	for _, answer := range []func(http.ResponseWriter, *http.Request){all, onlyNone, onlyAny, moved} {
		w.answers(answer)
		w.took()
		for range 3 {
			if got := w.get(t, "/private/", "good"); !strings.HasPrefix(got, "401 ") {
				t.Errorf("believed: %s", got)
			}
			if got := w.get(t, "/pages/", "bad"); !strings.HasPrefix(got, "401 ") {
				t.Errorf("believed: %s", got)
			}
		}
		if got := w.took(); len(got) > 2 || !slices.Contains(got, "GET "+probe) {
			t.Errorf("asked %q", got)
		}
		w.pass(time.Minute)
	}
	if got := w.log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `setting="c.yaml:1:2: probe"`) || !strings.Contains(got, `found="status 200 without a token"`) {
		t.Errorf("%s", got)
	}
	w.answers(s.answer)
	if got := w.get(t, "/private/", "good"); got != nobodys {
		t.Errorf("afterwards: %s", got)
	}
}

// TestProbeIsLookedAtAgain looks at the probe before the first token is believed, after a reload,
// and once an hour. What it found holds while the old server is away.
func TestProbeIsLookedAtAgain(t *testing.T) {
	w, s := newTokenWorld(t, "ocd-users", map[string]string{"good": ""})
	looks := func() int {
		n := 0
		for _, asked := range w.took() {
			if asked == "GET "+probe {
				n++
			}
		}
		return n
	}
	w.pass(time.Hour - time.Second)
	w.get(t, "/private/", "good")
	if got := looks(); got != 1 {
		t.Errorf("within the hour: asked %d times", got)
	}
	w.pass(time.Second)
	s.set(func() { s.status = http.StatusInternalServerError })
	if got := w.get(t, "/private/", "good"); got != nobodys || looks() != 1 {
		t.Errorf("while the old server is away: %s", got)
	}

	o := w.old.Options
	o.Former = w.old
	reloaded := adopt.New(o)
	if good, err := reloaded.CheckProbe(t.Context()); good || core.KindOf(err) != core.KindUnavailable || !adopt.Unanswered(err) {
		t.Errorf("a reload while the old server is away: %t, %v", good, err)
	}
	s.set(func() { s.status = 0 })
	looks()
	if good, err := reloaded.CheckProbe(t.Context()); good || err == nil || looks() != 0 {
		t.Errorf("within a second: %t, %v", good, err)
	}
	w.pass(time.Second)
	for range 2 {
		if good, err := reloaded.CheckProbe(t.Context()); !good || err != nil {
			t.Errorf("afterwards: %t, %v", good, err)
		}
	}
	if got := looks(); got != 2 {
		t.Errorf("afterwards: asked %d times", got)
	}
}

// TestTokenThatCanBeNone asks nobody about what the old server could take for an attack.
func TestTokenThatCanBeNone(t *testing.T) {
	w, _ := newTokenWorld(t, "ocd-users", nil)
	for _, text := range []string{strings.Repeat("x", 1025), "\xc3\xa4"} {
		if got := w.get(t, "/private/", text); !strings.HasPrefix(got, "401 ") || len(w.took()) > 0 {
			t.Errorf("%.10q: %s", text, got)
		}
	}
	if got := w.get(t, "/private/", strings.Repeat("x", 1024)); !strings.HasPrefix(got, "401 ") || len(w.took()) != 1 {
		t.Errorf("a long one: %s", got)
	}
}
