package suite

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/report"
)

// An exchangeSight is what the page of an exchange shows.
type exchangeSight struct {
	Target   target.Target
	Back     string
	Try      string // where it is tried by hand
	Name     string
	Source   string
	Position string
	Verdict  verdict // empty: the last run has not replayed it
	Reason   string
	Took     string
	Step     string // at which it ended early; empty: at none
	Parts    []difference
	Calls    []call
	Cut      bool // not all of them are shown
}

// A difference is one part of a response that is not as documented.
type difference struct {
	Problem string
	Want    page.Text
	Got     page.Text
	Lines   []report.MarkedLine
	Cut     bool // not all lines are shown
}

// A call is a request with its response.
type call struct {
	Title    string
	Failed   bool
	Request  message
	Response message
	Problem  string // why there is no response
}

// A message is what went one way.
type message struct {
	Start string // its first line; empty: nothing came
	Rest  page.Text
}

// How many bytes of HTML the parts of a page have at most.
const (
	maxLines    = 16 << 10 // of all diffs
	maxTexts    = 8 << 10  // of all that was documented and received, outside diffs
	maxMessages = 56 << 10 // of all requests and responses
	maxMessage  = 8 << 10
	maxLine     = 1 << 10 // of what should be a line
)

// exchange shows what the last run has found about an exchange.
func (v *View) exchange(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	t, ok := v.target(w, r, query.Get("target"))
	if !ok {
		return
	}
	number, err := strconv.Atoi(query.Get("number"))
	if err != nil || t.Exchanges == nil || number < 1 || number > len(t.Exchanges.Exchanges) {
		page.Error(w, r, http.StatusNotFound, "The exchange file of this target has no such exchange.")
		return
	}
	e := t.Exchanges.Exchanges[number-1]
	s := &exchangeSight{
		Target: t, Back: of(t), Name: line(e.Name), Source: line(e.Source), Position: line(e.Position.String()),
		Try: page.Root + "try/?" + url.Values{"target": {t.Name}, "exchange": {e.Name}}.Encode(),
	}
	if last := v.lastRun(t.Name); last != nil {
		now := last.state()
		if i := slices.IndexFunc(now.Exchanges, func(o conformance.Exchange) bool { return o.Name == e.Name }); i >= 0 && i < len(now.Results) {
			s.add(now.Results[i])
		}
	}
	page.Show(w, r, http.StatusOK, page.Page{Title: "Suite: " + s.Name, View: "suite"}, v.page, "exchange", s)
}

func line(text string) string { return page.Cut(text, maxLine).Text }

// add adds what a run has found.
func (s *exchangeSight) add(r conformance.Result) {
	s.Verdict, s.Reason, s.Took = verdictOf(r.Outcome), line(r.Reason), took(r.Duration)
	if r.Step != nil {
		s.Step = stepName(r.Step.Number) + ", " + line(r.Step.Request)
		if r.Step.Number > 0 {
			s.Try += "&step=" + strconv.Itoa(r.Step.Number)
		}
	}
	lines, texts, messages := budget(maxLines), budget(maxTexts), budget(maxMessages)
	for _, d := range r.Differences {
		if lines == 0 || texts == 0 {
			s.Cut = true
			break
		}
		s.Parts = append(s.Parts, differenceOf(d, &lines, &texts))
	}
	for _, c := range r.Transcript {
		if messages == 0 {
			s.Cut = true
			break
		}
		s.Calls = append(s.Calls, callOf(c, r.Step != nil && r.Step.Number == c.Step, &messages))
	}
}

// stepName names a step; 0 is the creation of a user.
func stepName(number int) string {
	if number == 0 {
		return "Creation of a user"
	}
	return fmt.Sprintf("Step %d", number)
}

// A budget is how many bytes of HTML there is room for.
type budget int

// take reports whether there is room for so many bytes, which are gone then. If not, nothing is left.
func (b *budget) take(size int) bool {
	if size > int(*b) {
		*b = 0
		return false
	}
	*b -= budget(size)
	return true
}

// cut returns the beginning of a text for which there is room, at most so many bytes.
func (b *budget) cut(text string, most int) page.Text {
	shown := page.Cut(text, min(most, int(*b)))
	b.take(page.HTMLSize(shown.Text))
	return shown
}

func differenceOf(d conformance.Difference, lines, texts *budget) difference {
	one := difference{Problem: line(d.Problem)}
	if d.Part == "status" {
		return one // the problem has both
	}
	one.Want, one.Got = texts.cut(d.Want, maxLine), texts.cut(d.Got, maxLine)
	const markup = 100 // around a line
	for _, l := range report.Marked(d.Want, d.Got) {
		if !lines.take(page.HTMLSize(l.Before+l.Marked+l.After) + markup) {
			one.Cut = true
			break
		}
		one.Lines = append(one.Lines, l)
	}
	return one
}

func callOf(c conformance.Call, failed bool, left *budget) call {
	one := call{Title: stepName(c.Step), Failed: failed, Problem: left.cut(c.Problem, maxLine).Text}
	one.Request = messageOf(c.Request.Method+" "+c.Request.Path+" HTTP/1.1", c.Request.Headers, c.Request.Body, left)
	if c.Response != nil {
		one.Response = messageOf(strconv.Itoa(c.Response.Status)+" "+http.StatusText(c.Response.Status), c.Response.Headers, c.Response.Body, left)
	}
	return one
}

func messageOf(start string, headers []conformance.Header, body conformance.Content, left *budget) message {
	var rest strings.Builder
	for _, h := range headers {
		fmt.Fprintf(&rest, "%s: %s\n", h.Name, h.Value)
	}
	if body != "" {
		fmt.Fprintf(&rest, "\n%s", body)
	}
	return message{Start: left.cut(start, maxLine).Text, Rest: left.cut(rest.String(), maxMessage)}
}
