package suite

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/conformance"
)

// A verdict is the outcome of an exchange in a word, and the class of its badge.
type verdict struct {
	Word  string `json:"word"`
	Class string `json:"class"`
}

func verdictOf(o conformance.Outcome) verdict {
	switch o {
	case conformance.Passed:
		return verdict{"passed", "ok"}
	case conformance.Mismatch:
		return verdict{"failed", "bad"}
	case conformance.CouldNotRun:
		return verdict{"could not run", "bad"}
	case conformance.NotReplayable:
		return verdict{"skipped", "warn"}
	}
	return verdict{"not tried", ""}
}

// A row is an exchange in the table of a run.
type row struct {
	Number  int // in the run, from 1
	Name    page.Text
	Link    string
	Verdict verdict
	Why     page.Text // empty: there is nothing to say
	Took    string    // empty: it has not ended
}

// How many bytes of HTML these have at most.
const (
	maxName = 200
	maxWhy  = 300
	maxOnly = 6 * maxPattern // all of it
)

// rowOf returns the row of an exchange, by its index.
func rowOf(t target.Target, s state, i int) row {
	name := s.Exchanges[i].Name
	one := row{Number: i + 1, Name: page.Cut(name, maxName), Link: linkOf(t, name)}
	switch {
	case i < len(s.Results):
		result := s.Results[i]
		one.Verdict, one.Took = verdictOf(result.Outcome), took(result.Duration)
		one.Why = page.Cut(why(result), maxWhy)
	case s.Ended.IsZero():
		one.Verdict = verdict{"waiting", ""}
	default:
		one.Verdict = verdictOf(conformance.NotTried)
	}
	return one
}

// linkOf returns the address of the page of an exchange: by its number in the file, since a name has no end.
func linkOf(t target.Target, name string) string {
	i := slices.IndexFunc(t.Exchanges.Exchanges, func(e conformance.Exchange) bool { return e.Name == name })
	return path + "exchange?" + url.Values{"target": {t.Name}, "number": {strconv.Itoa(i + 1)}}.Encode()
}

// why says in a line why an exchange did not pass.
func why(r conformance.Result) string {
	switch {
	case r.Reason != "":
		return r.Reason
	case len(r.Differences) > 1:
		return fmt.Sprintf("%s, and %d more", r.Differences[0].Problem, len(r.Differences)-1)
	case len(r.Differences) == 1:
		return r.Differences[0].Problem
	}
	return ""
}

// took writes how long something took.
func took(d time.Duration) string {
	if d >= time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
}

// A progress is how far a run is, in numbers and in words.
type progress struct {
	Done    int `json:"done"`
	Total   int `json:"total"`
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`  // also those that could not run
	Skipped int `json:"skipped"` // those that can't be replayed there
	Left    int `json:"left"`    // those that failed or were not tried, of a run that has ended
	Waiting int `json:"waiting"` // those that have not ended
	// Text says it, and Class is that of the notice with it.
	Text  string `json:"text"`
	Class string `json:"class"`
	Word  string `json:"word"` // the outcome in short
	// Running says that the run is under way.
	Running bool `json:"running"`
	// Began is when it began, for people, and Took how long it took; empty until then.
	Began string `json:"began"`
	Took  string `json:"took"`
}

func progressOf(s state) progress {
	t := s.totals()
	p := progress{
		Done: len(s.Results), Total: len(s.Exchanges), Running: s.Ended.IsZero(),
		Passed: t.Passed, Failed: t.Mismatches + t.CouldNotRun, Skipped: t.NotReplayable,
	}
	if !p.Running {
		p.Left = p.Failed + t.NotTried
	}
	p.Waiting = p.Total - p.Done
	if !s.Began.IsZero() {
		p.Began = s.Began.UTC().Format(time.DateTime)
		if !p.Running {
			p.Took = took(s.Ended.Sub(s.Began))
		}
	}
	p.Word, p.Text, p.Class = p.inWords(s)
	return p
}

// inWords says how far a run is: in short, and in a sentence.
func (p progress) inWords(s state) (word, text, class string) {
	switch {
	case p.Running && s.Cancelled:
		return "running", "It is being cancelled.", ""
	case p.Running && s.Began.IsZero():
		return "waiting", "Other runs come first.", ""
	case p.Running && p.Done < p.Total:
		return "running", fmt.Sprintf("%d of %d: %s", p.Done, p.Total, page.Cut(s.Exchanges[p.Done].Name, maxName).Text), ""
	case p.Running:
		return "running", fmt.Sprintf("%d of %d", p.Done, p.Total), ""
	case s.Unfit != nil:
		return "could not run", "Nothing was replayed: " + page.Cut(s.Unfit.Problem, maxWhy).Text + ". What to do: " + s.Unfit.Advice() + ".", "bad"
	}
	text = fmt.Sprintf("%d of %d exchanges passed", p.Passed, p.Total)
	if p.Failed > 0 {
		text += fmt.Sprintf(", %d failed", p.Failed)
	}
	if p.Skipped > 0 {
		text += fmt.Sprintf(", %d can’t be replayed there", p.Skipped)
	}
	if missing := p.Left - p.Failed; missing > 0 {
		text += fmt.Sprintf(", %d not tried", missing)
	}
	text += "."
	switch {
	case p.Waiting > 0:
		return "cancelled", "Cancelled: " + text, "warn"
	case p.Left > 0:
		return "failed", "Not as documented: " + text, "bad"
	case p.Passed == 0:
		return "nothing replayed", "This proves nothing: " + text, "warn"
	}
	return "passed", "As documented: " + text, "ok"
}

// A sight is what the page of a target shows.
type sight struct {
	Target   target.Target
	Targets  []target.Target
	Form     form
	Refused  string // why nothing was started, in a sentence
	UnderWay bool   // nothing was started, since a run is under way
	// WantsUser says that users can't be made there through the API.
	WantsUser bool
	Run       *runSight // nil: there was none
	Names     []row     // of the exchanges, while there is no run
	MoreNames int       // that are not among them
	Line      *lineSight
}

// A runSight is what is shown of a run.
type runSight struct {
	Progress progress
	Number   int
	Only     page.Text
	Again    bool
	Show     string // failed, skipped or all
	Rows     []row
	Follow   string // where its events are; empty: it has ended
	Shows    []show
	Page     int // of the rows, from 1
	Pages    int
	Before   string // where the rows before these are; empty: there are none
	After    string
}

// A show is a choice of what is shown of a run.
type show struct {
	Label   string
	Link    string
	Current bool
}

// pageLength is how many rows a page has at most.
const pageLength = 100

// What a page shows of a run.
const (
	showAll     = "all"
	showFailed  = "failed"
	showSkipped = "skipped"
)

// open shows the page of a target, or the overview of all.
func (v *View) open(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !query.Has("target") {
		v.overview(w, r)
		return
	}
	if t, ok := v.target(w, r, query.Get("target")); ok {
		v.show(w, r, http.StatusOK, t, form{}, "")
	}
}

// show writes the page of a target.
func (v *View) show(w http.ResponseWriter, r *http.Request, status int, t target.Target, f form, refused string) {
	query := r.URL.Query()
	f.Only, f.User = page.Cut(f.Only, maxOnly).Text, page.Cut(f.User, maxName).Text
	s := &sight{
		Target: t, Targets: v.options.Targets, Form: f, Refused: refused, UnderWay: query.Has("under-way"),
		WantsUser: t.Launcher == nil && t.Exchanges != nil && !t.Exchanges.RegistersUsers(),
	}
	p := page.Page{Title: "Suite: " + t.Name, View: "suite"}
	if last := v.lastRun(t.Name); last != nil {
		s.Run = runSightOf(t, last.state(), query.Get("show"), query.Get("page"))
		if s.Run.Progress.Running {
			p.Refresh = refreshAfter
		}
		if refused == "" {
			s.Form.Only = s.Run.Only.Text
		}
	} else if t.Exchanges != nil {
		all := state{Exchanges: t.Exchanges.Exchanges}
		for i := range min(pageLength, len(all.Exchanges)) {
			s.Names = append(s.Names, rowOf(t, all, i))
		}
		s.MoreNames = len(all.Exchanges) - len(s.Names)
	}
	if v.options.Clock != nil && t.Own {
		s.Line = v.lineSight(t)
	}
	page.Show(w, r, status, p, v.page, "target", s)
}

// refreshAfter is after how many seconds a page without scripts is loaded again while a run is under way.
const refreshAfter = 2

func runSightOf(t target.Target, s state, shows, number string) *runSight {
	sight := &runSight{Progress: progressOf(s), Number: s.Number, Only: page.Cut(s.Only, maxOnly), Again: s.Again, Show: shows}
	if sight.Progress.Running {
		sight.Follow = path + "events?" + url.Values{"target": {t.Name}, "run": {strconv.Itoa(s.Number)}}.Encode()
	}
	if shows != showFailed && shows != showSkipped {
		sight.Show = showAll
	}
	var rows []int
	for i := range s.Exchanges {
		ended := i < len(s.Results)
		switch shows {
		case showFailed:
			if sight.Progress.Running && !ended || ended && passed(s.Results[i].Outcome) {
				continue
			}
		case showSkipped:
			if !ended || s.Results[i].Outcome != conformance.NotReplayable {
				continue
			}
		}
		rows = append(rows, i)
	}
	sight.Pages = max(1, (len(rows)+pageLength-1)/pageLength)
	sight.Page, _ = strconv.Atoi(number)
	sight.Page = min(max(1, sight.Page), sight.Pages)
	link := func(show string, number int) string {
		return of(t) + "&" + url.Values{"show": {show}, "page": {strconv.Itoa(number)}}.Encode() + "#result"
	}
	for _, one := range []struct{ name, label string }{{showAll, "All"}, {showFailed, "Not passed"}, {showSkipped, "Skipped"}} {
		sight.Shows = append(sight.Shows, show{one.label, link(one.name, 1), one.name == sight.Show})
	}
	if sight.Page > 1 {
		sight.Before = link(sight.Show, sight.Page-1)
	}
	if sight.Page < sight.Pages {
		sight.After = link(sight.Show, sight.Page+1)
	}
	first := (sight.Page - 1) * pageLength
	for _, i := range rows[first:min(len(rows), first+pageLength)] {
		sight.Rows = append(sight.Rows, rowOf(t, s, i))
	}
	return sight
}

// A card is a target in the overview.
type card struct {
	Target   target.Target
	Link     string
	Progress *progress // nil: there was no run
}

// overview writes the page of all targets.
func (v *View) overview(w http.ResponseWriter, r *http.Request) {
	var cards []card
	follow := "" // where the events of runs are
	p := page.Page{Title: "Suite", View: "suite"}
	for _, t := range v.options.Targets {
		one := card{Target: t, Link: of(t)}
		if last := v.lastRun(t.Name); last != nil {
			found := progressOf(last.state())
			one.Progress = &found
			if found.Running {
				p.Refresh, follow = refreshAfter, path+"events"
			}
		}
		cards = append(cards, one)
	}
	startsAny := slices.ContainsFunc(v.options.Targets, func(t target.Target) bool { return t.Launcher != nil && t.Exchanges != nil })
	page.Show(w, r, http.StatusOK, p, v.page, "index", map[string]any{"Cards": cards, "All": startsAny, "Follow": follow})
}
