// Package differential sends the same random requests to two servers, a genuine one and one that
// claims to behave like it, and reports every difference between their answers. It knows HTTP only.
//
// Both servers start with the same two users and nothing else, and get the same requests in the
// same order, so that everything that one request leaves behind for the next shows too.
package differential

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/authcompat/authcompat/conformance/wire"
)

// Options say how a run goes.
type Options struct {
	Seed     uint64
	Requests int
	Known    Known
}

// A Report is what a run has found.
type Report struct {
	API         string
	Seed        uint64
	Requests    int
	Statuses    map[int]int // of the genuine server
	Differences []Difference
	// Explained counts the known differences that were met, by name.
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
	Number        int    // of the request in the run, from 1
	Sent          []byte // to the genuine server
	Genuine, Ours *wire.Answer
	Parts         []Part
	Reason        string // of the known difference that explains it
}

// String returns the difference as a report has it: the request as a shell can send it, and what
// each server made of it. Tokens in it are those of the genuine server's test database.
func (d Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "request %d: printf '%s' | nc HOST PORT\n", d.Number, octal(d.Sent))
	for _, p := range d.Parts {
		fmt.Fprintf(&b, "  %s\n    genuine %s\n    ours    %s\n", p.Name, shown(p.Genuine), shown(p.Ours))
	}
	return b.String()
}

// maxShown is how much of a request or a part of an answer a report shows.
const maxShown = 1500

func shown(text string) string {
	text = fmt.Sprintf("%q", text)
	if len(text) > maxShown {
		return text[:maxShown] + "…"
	}
	return text
}

// octal writes bytes as the format of printf.
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

// timeout bounds a request together with its answer.
const timeout = 30 * time.Second

// Run sends random requests for an API to a genuine server and to another one, given by their
// URLs. Both must be fresh and have the users ActiveUser and InactiveUser. The error is about a
// server that does not answer, or the context.
func Run(ctx context.Context, api API, genuine, ours string, options Options) (*Report, error) {
	start := time.Now()
	run := run{report: &Report{API: api.Name, Seed: options.Seed, Statuses: map[int]int{}, Explained: map[string]int{}}, known: options.Known}
	var err error
	if run.genuine, err = wire.NewClient(genuine, timeout, nil); err != nil {
		return nil, fmt.Errorf("the genuine server's URL: %w", err)
	}
	if run.ours, err = wire.NewClient(ours, timeout, nil); err != nil {
		return nil, fmt.Errorf("our server's URL: %w", err)
	}
	g := NewGenerator(api, options.Seed)
	for number := 1; number <= options.Requests; number++ {
		if err := run.one(ctx, g, number); err != nil {
			return run.report, fmt.Errorf("request %d of seed %d: %w", number, options.Seed, err)
		}
	}
	run.report.Took = time.Since(start)
	return run.report, nil
}

type run struct {
	report        *Report
	known         Known
	genuine, ours *wire.Client
	tokens        tokens
}

// one sends one request to both servers.
func (r *run) one(ctx context.Context, g *Generator, number int) error {
	request := g.Next()
	toGenuine, toOurs := request, request
	toGenuine.Headers, toOurs.Headers = nil, nil
	for _, h := range request.Headers {
		genuine, ours := r.tokens.fill(h.Value)
		toGenuine.Headers = append(toGenuine.Headers, wire.Header{Name: h.Name, Value: genuine})
		toOurs.Headers = append(toOurs.Headers, wire.Header{Name: h.Name, Value: ours})
	}
	var genuine, ours *wire.Answer
	var genuineErr, oursErr error
	var both sync.WaitGroup
	both.Go(func() { genuine, genuineErr = r.genuine.Do(ctx, toGenuine) })
	both.Go(func() { ours, oursErr = r.ours.Do(ctx, toOurs) })
	both.Wait()
	d := Difference{Number: number, Sent: raw(toGenuine), Genuine: genuine, Ours: ours}
	switch {
	case genuineErr != nil:
		return fmt.Errorf("the genuine server: %w\n%s", genuineErr, d)
	case oursErr != nil:
		return fmt.Errorf("our server: %w\n%s", oursErr, d)
	}
	r.report.Requests++
	r.report.Statuses[genuine.Status]++
	if d.Parts = compare(request.Method, genuine, ours); len(d.Parts) > 0 {
		if k := r.known.find(r.report.API, &d); k != nil {
			d.Reason = k.Reason
			r.report.Explained[k.Name]++
		}
		r.report.Differences = append(r.report.Differences, d)
	}
	if a, b := issued(genuine.Body), issued(ours.Body); a != "" && b != "" {
		r.tokens.genuine = append(r.tokens.genuine, a)
		r.tokens.ours = append(r.tokens.ours, b)
		g.Issued()
	}
	return nil
}

// raw writes a request as it is sent, without the headers that the client adds but the length.
func raw(r wire.Request) []byte {
	var b strings.Builder
	b.WriteString(r.Method + " " + r.Path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n")
	for _, h := range r.Headers {
		b.WriteString(h.Name + ": " + h.Value + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(r.Body))
	b.Write(r.Body)
	return []byte(b.String())
}
