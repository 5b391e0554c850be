package fairshare_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/fairshare"
)

// of returns the networks of an address.
func of(address string) []netip.Prefix {
	return clients.Client{Address: netip.MustParseAddr(address)}.Networks()
}

func most(held int) (int64, bool) { return int64(held), held > 0 }

func TestWhoMakesWay(t *testing.T) {
	for name, test := range map[string]struct {
		held     map[string]int
		newcomer string
		yielding string // empty: none
		from     string // of its networks
	}{
		"nobody is there":                {nil, "192.0.2.1", "", ""},
		"one of a single holder":         {map[string]int{"192.0.2.1": 9}, "192.0.2.1", "", ""},
		"equals stay":                    {map[string]int{"192.0.2.1": 3, "192.1.3.1": 2}, "192.1.3.1", "", ""},
		"who has one more than would be": {map[string]int{"192.0.2.1": 4, "192.1.3.1": 2}, "192.1.3.1", "192.0.0.0/16", "192.0.2.1/32"},
		"within its /16":                 {map[string]int{"192.0.2.1": 4, "192.0.3.1": 2}, "192.0.3.1", "192.0.2.0/24", "192.0.2.1/32"},
		"one each of a /32":              {map[string]int{"2001:db8::1": 1, "2001:db8:1::1": 1}, "2001:db9::1", "2001:db8::/32", ""},
		"one each of a /16":              {map[string]int{"192.0.2.1": 1, "192.0.3.1": 1}, "203.0.113.5", "192.0.0.0/16", ""},
		"one each of a /48": {map[string]int{"2001:db8:0:1::1": 1, "2001:db8:0:2::1": 1}, "2001:db8:1::1",
			"2001:db8::/48", ""},
		"one each, within the /48": {map[string]int{"2001:db8:0:1::1": 1, "2001:db8:0:2::1": 1}, "2001:db8:0:100::1",
			"2001:db8::/56", ""},
		"one each, within the /56": {map[string]int{"2001:db8:0:1::1": 1, "2001:db8:0:2::1": 1}, "2001:db8:0:3::1", "", ""},
		"its own /48 has less, its /64 most": {map[string]int{"2001:db8:0:1::1": 3, "2001:db8:1:1::1": 2, "2001:db8:1:2::1": 3},
			"2001:db8:0:1::1", "2001:db8:1::/48", "2001:db8:1:2::/64"},
		"its own /48 has most": {map[string]int{"2001:db8:0:1::1": 3, "2001:db8:0:2::1": 5, "2001:db8:1:1::1": 6},
			"2001:db8:0:1::1", "2001:db8:0:2::/64", "2001:db8:0:2::/64"},
	} {
		t.Run(name, func(t *testing.T) {
			var tree fairshare.Tree[int]
			for address, n := range test.held {
				tree.Update(of(address), func(held *int) { *held += n })
			}
			yielding := tree.Yielding(of(test.newcomer), 1, most)
			if yielding == nil || test.yielding == "" {
				if yielding != nil || test.yielding != "" {
					t.Fatalf("%v makes way, want %q", yielding, test.yielding)
				}
				return
			}
			if got := yielding.Prefix.String(); got != test.yielding {
				t.Errorf("%s makes way, want %s", got, test.yielding)
			}
			if got := yielding.Innermost(most).Prefix.String(); test.from != "" && got != test.from {
				t.Errorf("%s of it, want %s", got, test.from)
			}
		})
	}
}

func TestEmptyNetworksAreForgotten(t *testing.T) {
	var tree fairshare.Tree[int]
	for _, sign := range []int{1, -1} {
		for i := range 1000 {
			tree.Update(of(fmt.Sprintf("2001:db8:0:%x::1", i)), func(held *int) { *held += sign })
		}
		if want := 500 * (1 + sign); tree.All().Held != want || tree.Held(of("2001:db8::")[:2]...) != want {
			t.Errorf("%d are held, in the /48 %d, want %d", tree.All().Held, tree.Held(of("2001:db8::")[:2]...), want)
		}
	}
	if got := tree.All().Innermost(func(int) (int64, bool) { return 0, true }); got != tree.All() {
		t.Errorf("%v is still there", got.Prefix)
	}
}
