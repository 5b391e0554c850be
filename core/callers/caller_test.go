package callers_test

import (
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
)

// TestDayOf counts days in UTC, before 1970 too.
func TestDayOf(t *testing.T) {
	east := time.FixedZone("east", 5*60*60)
	for at, want := range map[time.Time]callers.Day{
		time.Unix(0, 0): 0, time.Unix(86_399, 0): 0, time.Unix(86_400, 0): 1, time.Unix(-1, 0): -1, time.Unix(-86_400, 0): -1, time.Unix(-86_401, 0): -2,
		time.Date(1970, 1, 2, 4, 59, 59, 0, east): 0, time.Date(1970, 1, 2, 5, 0, 0, 0, east): 1,
	} {
		if got := callers.DayOf(at); got != want {
			t.Errorf("%v: %d, want %d", at, got, want)
		}
	}
}

// TestCallerIDs has another ID for each caller.
func TestCallerIDs(t *testing.T) {
	seen := make(map[string]callers.Caller)
	for _, c := range []callers.Caller{
		{}, {Other: true}, {Profile: "a"}, {Endpoint: "a"}, {User: "a"}, {Client: "a"}, {Agent: "a"}, {Agent: "\x01"}, {Profile: "ab"}, {Profile: "a", Endpoint: "b"},
		{User: "a", Client: "b"}, {User: "ab"}, {User: "\x01a"}, {Client: "a", Other: true},
	} {
		if was, ok := seen[c.ID()]; ok {
			t.Errorf("%+v and %+v have one ID", was, c)
		}
		seen[c.ID()] = c
	}
}

// TestTokensAreRedacted holds that a text as long as the shortest token is none that is kept.
func TestTokensAreRedacted(t *testing.T) {
	for _, test := range []struct {
		run  int
		want string
	}{{core.MinTokenHex, "app …"}, {core.MinTokenHex - 1, "app " + strings.Repeat("a", core.MinTokenHex-1)}} {
		if got := callers.CleanAgent("app "+strings.Repeat("a", test.run), nil); got != test.want {
			t.Errorf("%d: %q", test.run, got)
		}
	}
}
