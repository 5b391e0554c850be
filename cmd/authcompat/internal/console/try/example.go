package try

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// An example is a step of a documented exchange.
type example struct {
	Exchange string
	Step     int // from 1
	Method   string
	Path     string // with samples for what only a run knows
	Status   int
	last     bool // it is the only or the last step of its exchange
}

// Value is the example as a form has it.
func (e example) Value() string { return strconv.Itoa(e.Step) + " " + e.Exchange }

// Label is the example as a list has it.
func (e example) Label() string {
	label := e.Exchange
	if e.Step > 1 || !e.last {
		label += fmt.Sprintf(" · step %d, %s %s", e.Step, e.Method, e.Path)
	}
	return fmt.Sprintf("%s → %d", label, e.Status)
}

// readExample reads what Value returns.
func readExample(value string) (exchange string, step int) {
	number, exchange, _ := strings.Cut(value, " ")
	step, err := strconv.Atoi(number)
	if err != nil {
		return "", 0
	}
	return exchange, step
}

// examplesOf returns the steps of all documented exchanges of a target, in the order of the file.
func examplesOf(t target.Target) []example {
	if t.Exchanges == nil {
		return nil
	}
	var all []example
	for _, s := range t.Exchanges.Samples() {
		e := example{Exchange: s.Exchange, Step: 1, Method: s.Method, Path: s.Path, Status: s.Status, last: true}
		if before := len(all) - 1; before >= 0 && all[before].Exchange == e.Exchange {
			e.Step = all[before].Step + 1
			all[before].last = false
		}
		all = append(all, e)
	}
	return all
}

// findEndpoint returns the endpoint of a profile by its name there.
func findEndpoint(t target.Target, name string) (profiles.Endpoint, bool) {
	if t.Profile == nil {
		return profiles.Endpoint{}, false
	}
	i := slices.IndexFunc(t.Profile.Endpoints, func(e profiles.Endpoint) bool { return e.Name == name })
	if i < 0 {
		return profiles.Endpoint{}, false
	}
	return t.Profile.Endpoints[i], true
}

// exampleOf returns the example that shows an endpoint best: of those that it answers well, or else of all, the one with the
// fewest steps before it.
func exampleOf(p *profiles.Profile, all []example, e profiles.Endpoint) (example, bool) {
	find := dialects.NewSampleFinder(p)
	best, found := example{}, false
	for _, x := range all {
		if find(x.Method, x.Path) != (dialects.Found{Endpoint: e.Name}) || !slices.Contains(e.Methods, x.Method) {
			continue
		}
		well, wellBefore := x.Status/100 == 2, best.Status/100 == 2
		if !found || well && !wellBefore || well == wellBefore && x.Step < best.Step {
			best, found = x, true
		}
	}
	return best, found
}
