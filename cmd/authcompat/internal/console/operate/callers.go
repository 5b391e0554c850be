package operate

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/core/callers"
)

// maxCallers is how many callers are shown, those with the most requests: the command has all.
const maxCallers = 20 * pageRows

// callersPage is who called.
type callersPage struct {
	Missing string
	By      callers.Dimension
	Profile string
	Days    int
	Spans   []int // of Days
	Choices []callers.Dimension
	Rows    []callers.Calls
	Nobody  string // why there may be none
	From    int    // how many have more requests than those of Rows
	Next    string
	Cut     bool // there are more than maxCallers
}

// Shows reports whether a dimension has a column.
func (p callersPage) Shows(d string) bool {
	return p.By == callers.ByAll || string(p.By) == d
}

// callers shows who called, ?by=DIMENSION, ?profile=NAME, ?days=N, those after ?from=N others.
func (v *View) callers(ctx context.Context, r *http.Request) (view, error) {
	query := r.URL.Query()
	p := callersPage{By: callers.ByEndpoint, Profile: query.Get("profile"), Days: 7, Spans: []int{1, 7, 30, 90}, Choices: callers.Dimensions()}
	if by := callers.Dimension(query.Get("by")); by != "" {
		if p.By = by; !slices.Contains(p.Choices, by) {
			return view{}, badRequest("Callers can’t be counted by that.")
		}
	}
	if days := query.Get("days"); days != "" {
		n, err := strconv.Atoi(days)
		if err != nil || !slices.Contains(p.Spans, n) {
			return view{}, badRequest("That many days are none of those that can be chosen.")
		}
		p.Days = n
	}
	from, err := number(query.Get("from"))
	if err != nil || from >= maxCallers || from%pageRows != 0 {
		return view{}, badRequest("There is no such page of this table.")
	}
	p.From, p.Nobody = int(from), v.Engine.NobodyCalled()
	shown := view{"callers", "Callers", "callers", &p}
	now, err := v.Engine.Now(ctx)
	if err != nil {
		return view{}, err
	}
	all, err := v.Engine.ListCallers(ctx, now.AddDate(0, 0, -p.Days), p.Profile, p.By, p.From+pageRows+1)
	if errors.Is(err, engine.ErrNoCallers) {
		p.Missing, err = "This store does not keep who calls.", nil
	}
	if err != nil {
		return view{}, err
	}
	p.Rows = all[min(p.From, len(all)):]
	if len(p.Rows) > pageRows {
		p.Rows = p.Rows[:pageRows]
		next := p.From + pageRows
		if p.Cut = next >= maxCallers; !p.Cut {
			p.Next = "?" + url.Values{"by": {string(p.By)}, "days": {strconv.Itoa(p.Days)}, "profile": {p.Profile}, "from": {strconv.Itoa(next)}}.Encode()
		}
	}
	return shown, nil
}
