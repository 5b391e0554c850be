// Package differential sends the same random requests to two servers, a reference and one that
// claims to behave like it, and reports every difference between their responses. It knows HTTP only.
//
// Both servers start with the same two users and nothing else, and get the same requests in the
// same order, so that the effects of a request on later ones are compared too.
package differential

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/authcompat/authcompat/conformance/deviations"
	"github.com/authcompat/authcompat/conformance/wire"
)

// Options are the options of a run.
type Options struct {
	Seed     uint64
	Requests int
	Known    deviations.List
	// Hostile also sends what reference servers need not stand: see Generator.
	Hostile bool
	// Exact compares whole responses, Date aside, for servers whose clocks and random
	// sources are the same.
	Exact bool
	// Before, if set, is called before a request is sent, with its number.
	Before func(number int)
	// Mails, if set, waits until both servers have sent what they were asked for, and returns the mails since
	// the last call, in the order in which they came. They are compared, and their links followed.
	Mails func(ctx context.Context) (reference, subject []Mail, err error)
}

// A Target is a server that answers requests: a *wire.Client, or one in the same process.
type Target interface {
	Do(ctx context.Context, r wire.Request) (*wire.Response, error)
}

// A Report is the result of a run.
type Report struct {
	API         string
	Seed        uint64
	Requests    int
	Statuses    map[int]int // of the reference server
	Differences []Difference
	// Explained counts the known deviations that occurred, by name.
	Explained map[string]int
	Took      time.Duration
}

// Unexplained returns the differences without a reason.
func (r *Report) Unexplained() []Difference {
	var left []Difference
	for _, d := range r.Differences {
		if d.Reason == "" {
			left = append(left, d)
		}
	}
	return left
}

// A Difference is a request that two servers answer differently.
type Difference struct {
	Number             int    // of the request in the run, from 1
	Sent               []byte // to the reference server
	Reference, Subject *wire.Response
	Parts              []Part
	Reason             string // of the known deviation that explains it
}

// condition returns what a known deviation has to match.
func (d *Difference) condition() deviations.Difference {
	c := deviations.Difference{Reference: d.Reference.Status, Subject: d.Subject.Status, Request: d.Sent}
	for _, p := range d.Parts {
		c.Parts = append(c.Parts, p.Name)
	}
	return c
}

// String returns the request as a shell command, and the parts of both responses that differ. Tokens in
// it are those of the reference server's test database.
func (d Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "request %d: printf '%s' | nc HOST PORT\n", d.Number, octal(d.Sent))
	for _, p := range d.Parts {
		fmt.Fprintf(&b, "  %s\n    reference %s\n    subject   %s\n", p.Name, shown(p.Reference), shown(p.Subject))
	}
	return b.String()
}

// maxShown is how much of a request or a part of a response a report shows.
const maxShown = 1500

func shown(text string) string {
	text = fmt.Sprintf("%q", text)
	if len(text) > maxShown {
		return text[:maxShown] + "…"
	}
	return text
}

// octal writes bytes as a format string of printf.
func octal(raw []byte) string {
	var b strings.Builder
	for _, c := range raw {
		switch {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\'' || c == '\\' || c == '%' || c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
		if b.Len() > maxShown {
			return b.String() + "…"
		}
	}
	return b.String()
}

// timeout is that of a request with its response.
const timeout = 30 * time.Second

// Run sends random requests for an API to a reference server and to the subject, given by their
// URLs. Both must have the users ActiveUser and InactiveUser and no others. The error is about a server
// that does not answer, or the context.
func Run(ctx context.Context, api API, reference, subject string, options Options) (*Report, error) {
	r, err := wire.NewClient(reference, timeout, nil)
	if err != nil {
		return nil, fmt.Errorf("the reference server's URL: %w", err)
	}
	s, err := wire.NewClient(subject, timeout, nil)
	if err != nil {
		return nil, fmt.Errorf("the subject's URL: %w", err)
	}
	return Compare(ctx, api, r, s, options)
}

// Compare is Run for servers that need not have URLs. Without a subject, nothing is compared.
func Compare(ctx context.Context, api API, reference, subject Target, options Options) (*Report, error) {
	start := time.Now()
	run := run{
		report:    &Report{API: api.Name, Seed: options.Seed, Statuses: map[int]int{}, Explained: map[string]int{}},
		options:   options,
		reference: reference, subject: subject,
		cookies: api.Cookies,
	}
	g := NewGenerator(api, options.Seed)
	g.Hostile = options.Hostile
	for number := 1; number <= options.Requests; number++ {
		if options.Before != nil {
			options.Before(number)
		}
		if err := run.one(ctx, g, number); err != nil {
			return run.report, fmt.Errorf("request %d of seed %d: %w", number, options.Seed, err)
		}
	}
	run.report.Took = time.Since(start)
	return run.report, nil
}

type run struct {
	report             *Report
	options            Options
	reference, subject Target
	cookies            bool // see API
	tokens             tokens
	links              links
}

// one sends one request to both servers.
func (r *run) one(ctx context.Context, g *Generator, number int) error {
	request := g.Next()
	toReference, toSubject := request, request
	toReference.Headers, toSubject.Headers = nil, nil
	for _, h := range request.Headers {
		reference, subject := r.tokens.fill(h.Value)
		toReference.Headers = append(toReference.Headers, wire.Header{Name: h.Name, Value: reference})
		toSubject.Headers = append(toSubject.Headers, wire.Header{Name: h.Name, Value: subject})
	}
	link, activation := g.UsesLink()
	if r.options.Mails != nil {
		toReference.Body, toSubject.Body = r.links.fill(request.Body)
		awaitSecond(ctx, link >= 0 && !r.links.at[link].Before(time.Now().Truncate(time.Second)))
	}
	began := time.Now().Truncate(time.Second)
	var reference, subject *wire.Response
	var referenceErr, subjectErr error
	if r.subject == nil {
		reference, referenceErr = r.reference.Do(ctx, toReference)
		subject = reference
	} else {
		var both sync.WaitGroup
		both.Go(func() { reference, referenceErr = r.reference.Do(ctx, toReference) })
		subject, subjectErr = r.subject.Do(ctx, toSubject)
		both.Wait()
	}
	d := Difference{Number: number, Sent: toReference.Encode("127.0.0.1"), Reference: reference, Subject: subject}
	switch {
	case referenceErr != nil:
		return fmt.Errorf("the reference server: %w\n%s", referenceErr, d)
	case subjectErr != nil:
		return fmt.Errorf("the subject: %w\n%s", subjectErr, d)
	}
	r.report.Requests++
	r.report.Statuses[reference.Status]++
	if r.options.Exact {
		d.Parts = compareExactly(reference, subject)
	} else {
		d.Parts = compare(request.Method, r.cookies && !sendsCookie(request), reference, subject)
	}
	g.Answered(reference.Status)
	if r.options.Mails != nil {
		fromReference, fromSubject, err := r.options.Mails(ctx)
		if err != nil {
			return err
		}
		if part := compareMails(fromReference, fromSubject); part != nil {
			d.Parts = append(d.Parts, *part)
		}
		for _, m := range r.links.add(fromReference, fromSubject) {
			g.Linked(m.Kind, m.To)
		}
		done := reference.Status/100 == 2
		torn := done && !time.Now().Truncate(time.Second).Equal(began)
		if torn {
			g.ForgetLinks()
		}
		if torn || activation && done {
			awaitSecond(ctx, true)
		}
	}
	if len(d.Parts) > 0 {
		if k := r.options.Known.InRandom(r.report.API, d.condition()); k != nil {
			d.Reason = k.Reason
			r.report.Explained[k.Name]++
		}
		r.report.Differences = append(r.report.Differences, d)
	}
	if a, b := issued(reference.Body), issued(subject.Body); a != "" && b != "" {
		r.tokens.reference = append(r.tokens.reference, a)
		r.tokens.subject = append(r.tokens.subject, b)
		g.Issued()
	}
	return nil
}

// sendsCookie tells whether a request has a cookie: Django answers to a broken one of its forms with
// a new one.
func sendsCookie(r wire.Request) bool {
	return slices.ContainsFunc(r.Headers, func(h wire.Header) bool { return strings.EqualFold(h.Name, "Cookie") })
}
