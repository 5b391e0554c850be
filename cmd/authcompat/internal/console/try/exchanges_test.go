package try

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/relay"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance"
)

// TestEveryExample sends every step of every documented exchange as the page fills it in, with what comes before it,
// all of a profile at one server.
func TestEveryExample(t *testing.T) {
	for _, name := range conformance.Profiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there := targettest.Served(t, name, inprocess.Options{})
			server := serve(t, relay.Options{}, there)
			sent, largest := 0, 0
			for _, x := range examplesOf(there) {
				filled := open(t, server, url.Values{"target": {name}, "exchange": {x.Exchange}, "step": {strconv.Itoa(x.Step)}})
				answered := filled.press(t, server, "send")
				if answered.status != 200 || !strings.Contains(answered.text, "As documented. Status, headers and the whole body") {
					_, found, _ := strings.Cut(answered.text, "looked up at the start")
					t.Errorf("%s: status %d: %.2000s", x.Value(), answered.status, found)
				}
				sent, largest = sent+1, max(largest, filled.size, answered.size)
			}
			t.Logf("%d requests, the largest page has %d bytes", sent, largest)
			if sent < 20 || largest > 100<<10 {
				t.Errorf("%d requests, the largest page has %d bytes", sent, largest)
			}
		})
	}
}
