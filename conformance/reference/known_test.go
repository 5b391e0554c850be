package reference_test

import (
	"testing"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/reference"
)

// TestKnownExchangesExist sees to it that the list of known differences names exchanges that there
// are.
func TestKnownExchangesExist(t *testing.T) {
	known, err := reference.ReadKnown()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range known.Exchanges {
		file, err := conformance.Builtin(k.Profile)
		if err != nil {
			t.Error(err)
			continue
		}
		found := false
		for _, e := range file.Exchanges {
			found = found || e.Name == k.Exchange
		}
		if !found || k.Reason == "" || known.Reason(k.Profile, k.Exchange) != k.Reason {
			t.Errorf("%s, %s: no such exchange, or no reason", k.Profile, k.Exchange)
		}
	}
	if known.Reason("ocd-users", "none") != "" || len(known.Random) == 0 {
		t.Error("the list is not read as it stands")
	}
}
