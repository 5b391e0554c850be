package try

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/report"
	"github.com/authcompat/authcompat/conformance/wire"
)

// A comparison sets a response beside the documented one, part by part.
type comparison struct {
	Parts   []part // the status and the headers
	Body    body
	Differs int // how many parts differ
}

// A part is the status or a header.
type part struct {
	Name     string
	Want     string // empty: there is none
	WantNote string // in words, instead of Want
	Got      string // empty: there is none
	Problem  string // empty: it is as documented
}

// A body is the body of a response, beside the documented one.
type body struct {
	Want     page.Text
	WantNote string
	Got      page.Text
	Problem  string
	Diff     []report.MarkedLine
}

// How many bytes of HTML the parts of a page have at most.
const (
	maxPart = 600
	maxBody = 6 << 10
)

// Outcome says in a few words how a response compares.
func (c comparison) Outcome() string {
	switch c.Differs {
	case 0:
		return "as documented"
	case 1:
		return "1 difference"
	}
	return fmt.Sprintf("%d differences", c.Differs)
}

// compare sets a response beside the documented one. If it was cut, its end is no end.
func compare(d conformance.Documented, got *wire.Response, differences []conformance.Difference, cut bool) comparison {
	problems := map[string]conformance.Difference{}
	for _, one := range differences {
		problems[one.Part] = one
	}
	c := comparison{Differs: len(problems)}
	c.Parts = append(c.Parts, part{Name: "Status", Want: strconv.Itoa(d.Status), Got: strconv.Itoa(got.Status), Problem: problems["status"].Problem})
	for _, h := range d.Headers {
		one := part{Name: h.Name, Want: page.Cut(strings.Join(h.Values, "\n"), maxPart).Text, Problem: problems["header "+h.Name].Problem}
		one.Got = page.Cut(strings.Join(got.Values(h.Name), "\n"), maxPart).Text
		switch {
		case h.Any:
			one.WantNote = "any value, or none"
		case len(h.Values) == 0:
			one.WantNote = "no such header"
		}
		c.Parts = append(c.Parts, one)
	}
	problem := problems["body"]
	c.Body = body{Want: page.Cut(d.Body, maxBody), Got: page.Cut(string(got.Body), maxBody), Problem: problem.Problem}
	switch {
	case d.HTML:
		c.Body.WantNote = "an HTML page, whatever it says"
	case d.Body == "":
		c.Body.WantNote = "no body"
	}
	if problem.Problem != "" {
		c.Body.Diff = report.Marked(problem.Want, problem.Got)
		if cut {
			c.Body.Problem += "; it is longer than is read here"
		}
	}
	return c
}
