package suite

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/conformance"
)

// TestLargeAnswers keeps pages short, and what is kept of a run, whatever a server sends.
func TestLargeAnswers(t *testing.T) {
	large := strings.Repeat(`"<&>'`+"\x00\n", 20_000)
	around := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for i := range 50 {
				w.Header().Set("X-Header-"+strings.Repeat("a", i), strings.Repeat("'", 500))
			}
			w.Header().Set("Content-Type", strings.Repeat(`"`, 500))
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write([]byte(large))
		})
	}
	there := targettest.Launched(t, profile, around)
	c := serve(t, Options{Targets: []target.Target{there}})
	c.finish(profile, c.run(profile, url.Values{"only": {"^login: the documented"}})).has(t, "Not as documented: 0 of 2 exchanges passed, 2 failed.")
	one := c.exchange(profile, "login: the documented example")
	one.has(t, "status is 418, want 200", "418 I'm a teapot", "It is longer; the rest is not shown.")
	one.lacks(t, "\x00")
}

// TestManyExchanges shows the rows of a long file in pages, each of which is short.
func TestManyExchanges(t *testing.T) {
	there := targettest.Launched(t, profile, nil)
	long := *there.Exchanges
	long.Exchanges = nil
	for i := range 250 {
		long.Exchanges = append(long.Exchanges, conformance.Exchange{Name: strings.Repeat(`"`, 1000) + strconv.Itoa(i)})
	}
	there.Exchanges = &long
	s := state{Ended: time.Now(), Began: time.Now(), Exchanges: long.Exchanges}
	for _, e := range long.Exchanges {
		s.Results = append(s.Results, conformance.Result{Exchange: e.Name, Outcome: conformance.CouldNotRun, Reason: strings.Repeat("<", 1000)})
	}
	v, err := New(t.Context(), Options{Targets: []target.Target{there}})
	if err != nil {
		t.Fatal(err)
	}
	for page, want := range map[string]struct{ first, rows, page int }{"1": {1, 100, 1}, "3": {201, 50, 3}, "9": {201, 50, 3}, "-1": {1, 100, 1}, "x": {1, 100, 1}} {
		got := runSightOf(there, s, showFailed, page)
		if got.Page != want.page || len(got.Rows) != want.rows || got.Rows[0].Number != want.first || got.Pages != 3 || (got.After == "") != (want.page == 3) || (got.Before == "") != (want.page == 1) {
			t.Errorf("page %s: %d of %d, %d rows from %d", page, got.Page, got.Pages, len(got.Rows), got.Rows[0].Number)
		}
		var text strings.Builder
		if err := v.page.ExecuteTemplate(&text, "target", &sight{Target: there, Targets: v.options.Targets, Run: got}); err != nil || text.Len() > 98_000 || !strings.Contains(text.String(), `data-row="`+strconv.Itoa(want.first)) {
			t.Errorf("page %s has %d bytes: %v", page, text.Len(), err)
		}
	}
	if s := serve(t, Options{Targets: []target.Target{there}}).of(profile); !strings.Contains(s.text, "And 150 more.") {
		t.Errorf("%.2000s", s.text)
	}
}
