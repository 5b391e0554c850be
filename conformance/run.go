package conformance

import (
	"context"
	"crypto/tls"
	"net/url"
	"time"

	"github.com/authcompat/authcompat/conformance/wire"
)

// DefaultTimeout is how long a request may take, from connecting to the end of the response.
const DefaultTimeout = 20 * time.Second

// Options say how exchanges are replayed. The zero Options are right for servers whose State can be
// set.
type Options struct {
	// User and Password are of an existing, active user of the server. Exchanges share it where
	// users cannot be created.
	User     string
	Password string
	// Users are existing users of the server, by the names that exchanges give to them. They are used
	// where the server's state cannot be set.
	Users map[string]User
	// Variables are the values of the variables of exchanges, by name.
	Variables map[string]string
	// Timeout is that of each request with its response; 0 means DefaultTimeout.
	Timeout time.Duration
	// TLS is the configuration for https; nil means the default one.
	TLS *tls.Config
	// Connect, if set, returns what sends the requests to a server, by its URL, and Timeout and TLS are not used. It is
	// for callers who let nothing be reached but the addresses that they know.
	Connect func(url string) (Client, error)
	// FailFast ends the run at the first exchange that does not pass but could have.
	FailFast bool
	// Transcripts makes results have what was sent and received.
	Transcripts bool
	// Begin, if set, is called before the first result of a file. The URL is that of the server; empty
	// if each exchange has an isolated one.
	Begin func(profile, url string)
	// Each, if set, is called with every result when it is known.
	Each func(profile string, r Result)
	// Observe, if set, is called with the response to each step, by the exchange's name and the step's
	// number from 1; 0 is the creation of a user.
	Observe func(exchange string, step int, got *wire.Response)
}

// connect returns what sends the requests to a server.
func (o Options) connect(url string) (Client, error) {
	if o.Connect != nil {
		return o.Connect(url)
	}
	return wire.NewClient(url, o.Timeout, o.TLS)
}

// maxTimeouts is how many exchanges in a row may time out before the rest of the profile's are not
// tried.
const maxTimeouts = 2

// Why a run ends before its last exchange.
const (
	endedByCaller  = "the run was ended"
	endedByFailure = "an earlier exchange failed"
)

// Run replays the exchanges of the files, one after the other, and reports on every one. When the
// context ends, the exchange that is next is reported as CouldNotRun, and the rest as NotTried.
func Run(ctx context.Context, files []*File, launcher Launcher, options Options) *Report {
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	report := &Report{Started: time.Now()}
	names := &naming{run: runName()}
	ended := ""
	for _, f := range files {
		p := &profileRun{file: f, launcher: launcher, options: options, names: names, aborted: ended}
		report.Profiles = append(report.Profiles, p.all(ctx))
		if p.aborted == endedByCaller || p.aborted == endedByFailure {
			ended = p.aborted
		}
	}
	return report
}

// A profileRun replays the exchanges of one file.
type profileRun struct {
	file     *File
	launcher Launcher
	options  Options
	names    *naming // for servers that are not isolated
	url      string
	timeouts int    // exchanges in a row without a response in time
	aborted  string // why no more exchanges are tried
}

func (p *profileRun) all(ctx context.Context) ProfileReport {
	report := ProfileReport{Profile: p.file.Profile}
	for i := range p.file.Exchanges {
		result := p.exchange(ctx, &p.file.Exchanges[i])
		report.Results = append(report.Results, result)
		if i == 0 && p.options.Begin != nil {
			p.options.Begin(p.file.Profile, p.url)
		}
		if p.options.Each != nil {
			p.options.Each(p.file.Profile, result)
		}
	}
	report.URL = p.url
	return report
}

func (p *profileRun) exchange(ctx context.Context, e *Exchange) Result {
	start := time.Now()
	r := Result{Exchange: e.Name, Source: e.Source, Position: e.Position}
	switch {
	case p.aborted != "":
		r.Outcome, r.Reason = NotTried, p.aborted
	case ctx.Err() != nil:
		r.Outcome, r.Reason, p.aborted = CouldNotRun, endedByCaller, endedByCaller
	default:
		p.open(ctx, e, &r)
	}
	if p.options.FailFast && p.aborted == "" && (r.Outcome == Mismatch || r.Outcome == CouldNotRun) {
		p.aborted = endedByFailure
	}
	r.Duration = time.Since(start)
	return r
}

func (p *profileRun) open(ctx context.Context, e *Exchange, r *Result) {
	server, err := p.launcher.Launch(ctx, p.file.Profile)
	if err != nil {
		r.Outcome, r.Reason = CouldNotRun, err.Error()
		p.aborted = "the server could not be opened"
		return
	}
	if p.url == "" && !server.Isolated {
		if u, err := url.Parse(server.URL); err == nil && u.User == nil && u.RawQuery == "" { // else it is refused, and may have a password
			p.url = server.URL
		}
	}
	if reason := p.unmetRequirement(e, server); reason != "" {
		r.Outcome, r.Reason = NotReplayable, reason
	} else {
		p.replay(ctx, e, server, r)
	}
	if server.Close == nil {
		return
	}
	if err := server.Close(); err != nil && r.Outcome == Passed {
		r.Outcome, r.Reason = CouldNotRun, "closing the server: "+err.Error()
	}
}

// NotRun returns the report of a file that was not replayed at a server, since that is unfit or, if why
// is nil, since another one is.
func NotRun(f *File, url string, why error) ProfileReport {
	report := ProfileReport{Profile: f.Profile, URL: url}
	reason := "another target is unfit"
	if why != nil {
		reason = "the target is unfit"
	}
	for i, e := range f.Exchanges {
		r := Result{Exchange: e.Name, Source: e.Source, Position: e.Position, Outcome: NotTried, Reason: reason}
		if i == 0 && why != nil {
			r.Outcome, r.Reason = CouldNotRun, why.Error()
		}
		report.Results = append(report.Results, r)
	}
	return report
}
