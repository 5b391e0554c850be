package try

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/curl"
)

// A sight is what the template shows.
type sight struct {
	Targets  []target.Target
	Examples []example
	Chosen   string // the Value of the example in the form
	Form     *form
	State    string
	Gone     int  // bytes of a body that is too long to be shown again
	HeadGone bool // path and headers are
	Example  *exampleSight
	Result   *result
	Wire     *wireSight
}

// An exampleSight is what is said of the example in the form.
type exampleSight struct {
	Source      string
	Steps       int
	Begun       bool // something has been sent of it
	Unmet       string
	Unknown     []string // of the request as it is now
	Preparation []string
	BodySize    int // of a body that is too long to be shown
}

// A wireSight is what went over the connection.
type wireSight struct {
	Sent, Received message
	Cut            bool
	Took           time.Duration
	Location       string // of a redirect
	Curl           page.Text
	Token          bool // the response has one
}

// A message is what went one way.
type message struct {
	Start string // its first line
	Rest  page.Text
	Size  int
}

// How many bytes of HTML these have at most.
const (
	maxSent     = 8 << 10
	maxReceived = 16 << 10
	maxCurl     = 8 << 10
)

// show writes the page of a form, and of what became of it.
func (v *View) show(w http.ResponseWriter, r *http.Request, f *form, done *result) {
	s := &sight{Targets: v.targets, Examples: v.examples[f.Target], Form: f, Result: done}
	if page.HTMLSize(f.Body) > maxFormBody {
		s.Gone, f.Body = len(f.Body), ""
	}
	if page.HTMLSize(f.Method+f.Path+f.Headers) > maxFormBody {
		s.HeadGone, f.Method, f.Path, f.Headers = true, "GET", "/", ""
	}
	s.Example = v.exampleSight(f)
	if s.Example != nil {
		s.Chosen = example{Exchange: f.Exchange, Step: f.Step}.Value()
	}
	if done != nil && done.Answer != nil {
		s.Wire = v.wireSight(f, done)
	}
	var err error
	if s.State, err = f.State(); err != nil {
		panic(err) // texts and numbers alone
	}
	status := http.StatusOK
	if done != nil {
		status = done.Status
	}
	page.Show(w, r, status, page.Page{Title: "Try", View: "try"}, v.page, "index", s)
}

func (v *View) exampleSight(f *form) *exampleSight {
	s := v.stepper(f)
	if s == nil {
		return nil
	}
	t, _ := target.Find(v.targets, f.Target)
	i := slices.IndexFunc(t.Exchanges.Exchanges, func(e conformance.Exchange) bool { return e.Name == f.Exchange })
	step := s.Step(f.Step)
	e := &exampleSight{Source: t.Exchanges.Exchanges[i].Source, Steps: s.Len(), Begun: f.Known.Ready > 0, Unmet: s.Unmet(), Unknown: step.Unknown}
	if e.Unmet == "" {
		e.Preparation = s.Preparation(f.Step)
	}
	if f.Whole {
		e.BodySize = len(step.Request.Body)
	}
	return e
}

func (v *View) wireSight(f *form, done *result) *wireSight {
	a := done.Answer
	w := &wireSight{Sent: messageOf(a.Recording.Sent, maxSent), Received: messageOf(a.Recording.Received, maxReceived), Cut: a.Recording.Cut, Took: a.Took.Round(100 * time.Microsecond), Token: f.Answer != ""}
	if t, ok := target.Find(v.targets, f.Target); ok {
		w.Curl = page.Cut(curl.Command(t.URL, *done.Request), maxCurl)
	}
	if a.Response != nil && a.Response.Status/100 == 3 {
		location, _ := a.Response.Value("Location")
		w.Location = page.Cut(location, maxPart).Text
	}
	return w
}

// messageOf returns a message as it is shown: lines of its head end as HTTP's do, which is not told.
func messageOf(raw []byte, budget int) message {
	head, body, found := strings.Cut(string(raw), "\r\n\r\n")
	text := strings.ReplaceAll(head, "\r\n", "\n")
	if found {
		text += "\n\n" + body
	}
	start, rest, _ := strings.Cut(text, "\n")
	return message{Start: page.Cut(start, budget/2).Text, Rest: page.Cut(rest, budget/2), Size: len(raw)}
}
