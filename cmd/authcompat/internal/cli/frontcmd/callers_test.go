package frontcmd

import (
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/callers"
)

// TestHarmless makes no formula of what clients choose, nor a text that reads from right to left.
func TestHarmless(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "app/1": "app/1", "Zo\u00eb (a; b=c)": "Zo\u00eb (a; b=c)",
		"=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\t=1": `'\t=1`, "\r=1": `'\r=1`, "\n=1": `'\n=1`,
		"\uff1d1": "'\uff1d1", "\uff0b1": "'\uff0b1", "\uff0d1": "'\uff0d1", "\uff20x": "'\uff20x", "a;=1": "'a;=1",
		"a\u202eb\u202a\u2066\u2069\u200f": `a\u202eb\u202a\u2066\u2069\u200f`,
	} {
		if got := harmless(cell); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}

// TestCallersCSVIsQuoted writes each cell in quotes.
func TestCallersCSVIsQuoted(t *testing.T) {
	at := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	var out strings.Builder
	if err := writeCallersCSV(&out, []callers.Calls{{Caller: callers.Caller{Profile: "p", Agent: `a "b";c`}, Requests: 2, Refused: 1, First: at, Last: at}}, callers.ByAgent); err != nil {
		t.Fatal(err)
	}
	const want = `"profile","agent","requests","refused","first","last"
"p","a ""b"";c","2","1","2027-01-02T03:04:05Z","2027-01-02T03:04:05Z"
`
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
}
