package browse

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// An API is a profile as a reader of its document looks at it: all that a client meets, with the texts as they are sent.
type API struct {
	Name, Title, Document string
	Family, Stack         string
	OneAtATime            bool // an answer has the first thing that is wrong alone
	Tokens                Tokens
	Rules                 []Fact // further rules of the whole API, in words
	Headers               []profiles.Header
	Preflight             []profiles.Header // of the answer to OPTIONS, besides Headers
	Endpoints             []Endpoint        // in the order of the profile
	Other                 []Answer          // what paths answer that no endpoint has
	// Unused are the profile's sentences that no request gets.
	Unused []Sentence
	// Exchanges are those of the exchange file that are about no endpoint.
	Exchanges []Exchange
}

// A Fact is something in words.
type Fact struct{ Label, Text string }

// A Sentence is a message of a profile.
type Sentence struct{ Key, Text string }

// An Endpoint is what a client can ask for.
type Endpoint struct {
	Name    string
	Methods []string
	Path    string
	Does    string // in words
	Open    bool   // no token is wanted
	Facts   []Fact
	Reads   []string // media types
	Fields  []Field
	Success Answer
	Refused []Answer // in the order in which a request meets them
	// Sections are where the document speaks of the endpoint.
	Sections  []string
	Exchanges []Exchange
}

// A Field is what an endpoint reads.
type Field struct {
	Name     string
	Kind     string // in words
	Required bool
	Limits   []string // in words
	Refused  []Answer // those of the endpoint's that are about the field alone
}

// An Answer is one that an endpoint gives.
type Answer struct {
	dialects.Answer
	ID string // an anchor on the endpoint's page
	// Own are the headers that the endpoint's success does not have, or has otherwise.
	Own []profiles.Header
	// Lacks are the names of headers that the endpoint's success has and the answer does not.
	Lacks []string
	// Exchanges are those that have the answer.
	Exchanges []Exchange
}

// An Exchange is one of the exchange file.
type Exchange struct {
	Name   string
	Source string // document and section, without the word silent
	Silent bool   // the document says nothing of it
}

// Describe describes the API of a profile. f is its exchange file; nil: there is none. It fails for an unknown
// family.
func Describe(p *profiles.Profile, f *conformance.File) (API, error) {
	answers, err := dialects.Describe(p)
	if err != nil {
		return API{}, err
	}
	a := API{
		Name: p.Name, Title: cmp.Or(p.Title, p.Name), Document: p.Document, Family: string(p.Family), Stack: p.Stack,
		OneAtATime: p.Family == profiles.PlainJSON, Tokens: tokens(p), Rules: rules(p), Headers: p.Headers, Preflight: p.PreflightHeaders,
	}
	for _, e := range p.Endpoints {
		a.Endpoints = append(a.Endpoints, endpoint(p, e, answers.Endpoints[e.Name]))
	}
	for i, r := range answers.Other {
		a.Other = append(a.Other, Answer{Answer: r, ID: "other-" + strconv.Itoa(i+1), Own: r.Headers})
	}
	if f != nil {
		a.addExchanges(p, f)
	}
	for i := range a.Endpoints {
		a.Endpoints[i].shareAnswers()
	}
	a.Unused = unused(p, answers)
	return a, nil
}

func endpoint(p *profiles.Profile, e profiles.Endpoint, of dialects.EndpointAnswers) Endpoint {
	d := Endpoint{
		Name: e.Name, Methods: e.Methods, Path: e.Path, Does: does(e), Open: e.Access == profiles.AccessOpen,
		Facts: facts(e), Success: Answer{Answer: of.Success, ID: "success"},
	}
	if len(e.Fields) > 0 {
		d.Reads = reads(p.Family, e)
	}
	for _, f := range e.Fields {
		d.Fields = append(d.Fields, field(f))
	}
	for i, r := range of.Refusals {
		d.Refused = append(d.Refused, Answer{Answer: r, ID: "error-" + strconv.Itoa(i+1), Own: others(r.Headers, of.Success.Headers), Lacks: lacks(r.Headers, of.Success.Headers)})
	}
	return d
}

// others returns the headers that are not among those that are known.
func others(headers, known []profiles.Header) []profiles.Header {
	return slices.DeleteFunc(slices.Clone(headers), func(h profiles.Header) bool { return slices.Contains(known, h) })
}

// lacks returns the names of known headers that are not there in any form.
func lacks(headers, known []profiles.Header) []string {
	var names []string
	for _, k := range known {
		if !slices.ContainsFunc(headers, func(h profiles.Header) bool { return h.Name == k.Name }) {
			names = append(names, k.Name)
		}
	}
	return names
}

// shareAnswers gives fields the answers that are about them.
func (e *Endpoint) shareAnswers() {
	for i := range e.Fields {
		f := &e.Fields[i]
		for _, r := range e.Refused {
			if r.Field == f.Name {
				f.Refused = append(f.Refused, r)
			}
		}
	}
}

// addExchanges puts each exchange of the file where it belongs: to the endpoint of its last request, and to the answers
// that its requests get.
func (a *API) addExchanges(p *profiles.Profile, f *conformance.File) {
	known := make(map[string]Exchange, len(f.Exchanges))
	for _, e := range f.Exchanges {
		known[e.Name] = exchangeOf(e)
	}
	find := dialects.NewSampleFinder(p)
	samples := f.Samples()
	for i, s := range samples {
		found := find(s.Method, s.Path)
		exchange, list := known[s.Exchange], &a.Exchanges
		k := slices.IndexFunc(a.Endpoints, func(e Endpoint) bool { return e.Name == found.Endpoint })
		if k >= 0 {
			list = &a.Endpoints[k].Exchanges
			if !found.Redirect {
				a.Endpoints[k].addSample(s, exchange)
			}
		} else {
			addSample(a.Other, s, exchange)
		}
		if last := i == len(samples)-1 || samples[i+1].Exchange != s.Exchange; !last {
			continue
		}
		*list = append(*list, exchange)
		if section := exchange.section(p.Document); k >= 0 && !exchange.Silent && !slices.Contains(a.Endpoints[k].Sections, section) {
			a.Endpoints[k].Sections = append(a.Endpoints[k].Sections, section)
		}
	}
}

// addSample notes which of the endpoint's answers an exchange has.
func (e *Endpoint) addSample(s conformance.Sample, exchange Exchange) {
	// A form answers with the status of its success where it refuses, too.
	if !addSample(e.Refused, s, exchange) && s.Status == e.Success.Status && slices.Contains(e.Methods, s.Method) {
		e.Success.Exchanges = addOnce(e.Success.Exchanges, exchange)
	}
}

// addSample notes which of some answers an exchange has, and tells whether there is one.
func addSample(all []Answer, s conformance.Sample, exchange Exchange) bool {
	body := string(s.Response)
	if body == "" && !s.Empty {
		return false // a page, of which the file does not say what is on it
	}
	given := make([]dialects.Answer, len(all))
	for i, r := range all {
		given[i] = r.Answer
	}
	found := dialects.AnswersBySentence(given, s.Status, body)
	if exactly, ok := dialects.ExactAnswer(given, s.Status, body); ok {
		found = []dialects.Answer{exactly}
	}
	for i := range all {
		has := func(r dialects.Answer) bool {
			return r.Stage == all[i].Stage && r.Field == all[i].Field && r.Status == all[i].Status && slices.Equal(r.When, all[i].When)
		}
		if slices.ContainsFunc(found, has) {
			all[i].Exchanges = addOnce(all[i].Exchanges, exchange)
		}
	}
	return len(found) > 0
}

func exchangeOf(e conformance.Exchange) Exchange {
	source, silent := strings.CutPrefix(e.Source, "silent: ")
	return Exchange{e.Name, source, silent}
}

// section is where in the document the exchange is, without what comes from elsewhere.
func (e Exchange) section(document string) string {
	section, _, _ := strings.Cut(strings.TrimPrefix(e.Source, document+", "), ";")
	return section
}

func addOnce(all []Exchange, e Exchange) []Exchange {
	if slices.Contains(all, e) {
		return all
	}
	return append(all, e)
}

// unused returns the messages of the profile that no described answer has, by their keys.
func unused(p *profiles.Profile, all dialects.Answers) []Sentence {
	used := map[string]bool{}
	note := func(answers []dialects.Answer) {
		for _, r := range answers {
			for _, key := range r.Body.Messages() {
				used[key] = true
			}
		}
	}
	note(all.Other)
	for _, e := range all.Endpoints {
		note(e.Refusals)
	}
	var left []Sentence
	for key, text := range p.Messages {
		if !used[key] {
			left = append(left, Sentence{key, text})
		}
	}
	slices.SortFunc(left, func(x, y Sentence) int { return cmp.Compare(x.Key, y.Key) })
	return left
}
