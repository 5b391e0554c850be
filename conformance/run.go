package conformance

import (
	"context"
	"crypto/tls"
	"net/url"
	"time"
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
	// Timeout is that of each request with its response; 0 means DefaultTimeout.
	Timeout time.Duration
	// TLS is the configuration for https; nil means the default one.
	TLS *tls.Config
	// Each, if set, is called with every result when it is known.
	Each func(profile string, r Result)
}

// maxTimeouts is how many exchanges in a row may time out before the rest of the profile's are not
// tried.
const maxTimeouts = 2

// Run replays the exchanges of the files, one after the other, and reports on every one. It ends
// early, with the rest reported as CouldNotRun, when the context ends.
func Run(ctx context.Context, files []*File, launcher Launcher, options Options) *Report {
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	report := &Report{}
	names := &naming{run: runName()}
	for _, f := range files {
		p := &profileRun{file: f, launcher: launcher, options: options, names: names}
		report.Profiles = append(report.Profiles, p.all(ctx))
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
	case ctx.Err() != nil:
		r.Outcome, r.Reason = CouldNotRun, "the run was ended"
	case p.aborted != "":
		r.Outcome, r.Reason = CouldNotRun, "not tried: "+p.aborted
	default:
		p.open(ctx, e, &r)
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
