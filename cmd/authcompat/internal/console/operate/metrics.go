package operate

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/core"
)

// tile is a number at a glance.
type tile struct{ ID, Name, Value, Hint string }

// metricsPage has the metrics at a glance.
type metricsPage struct {
	Tiles    []tile
	Started  time.Time
	Plots    []plot
	Shape    string
	Interval string
	Minutes  int
	Events   string
}

// metrics shows the metrics of this process.
func (v *View) metrics(context.Context, *http.Request) (view, error) {
	all, err := gather(v.Options.Metrics)
	if err != nil {
		return view{}, err
	}
	samples, _ := v.samples.samples()
	p := metricsPage{
		Tiles: tiles(all), Plots: plots(samples), Interval: page.Length(sampleInterval, 1), Minutes: int(period / time.Minute), Events: path("metrics") + "events",
	}
	if started := all.sum("process_start_time_seconds"); started > 0 {
		p.Started = time.Unix(int64(started), 0)
	}
	p.Shape = shape(p.Plots)
	return view{"metrics", "Metrics", "metrics", &p}, nil
}

// tiles returns the numbers at a glance.
func tiles(f families) []tile {
	checks, ok, failed := 0.0, 0.0, 0.0
	f.each(metricStore, func(labels map[string]string, n float64) {
		if labels["operation"] == findToken {
			checks += n
		}
	})
	f.each(metricLogins, func(labels map[string]string, n float64) {
		if labels["outcome"] == core.OK {
			ok += n
		} else {
			failed += n
		}
	})
	return []tile{
		{"t-requests", "Requests answered", figure(f.sum("authcompat_http_requests_total")), ""},
		{"t-ok", "Logins", figure(ok), ""},
		{"t-failed", "Logins refused", figure(failed), ""},
		{"t-checks", "Token checks", figure(checks), ""},
		{"t-active", "Live tokens", figure(f.sum("authcompat_active_tokens")), "counted once a minute at most"},
		{"t-hashed", "Passwords hashed", figure(f.sum("authcompat_password_hashes_total")), ""},
		{"t-full", "Passwords not hashed", figure(f.sum("authcompat_password_hashes_rejected_total")), "the queue was full"},
		{"t-rejected", "Requests rejected", figure(f.sum("authcompat_rejected_requests_total")), "before they reached an API"},
		{"t-errors", "Errors of the store", figure(f.sum("authcompat_store_operation_errors_total")), ""},
		{"t-panics", "Defects", figure(f.sum("authcompat_panics_total")), "requests that ended in one"},
	}
}

// shape is the same for plots that differ in numbers alone.
func shape(all []plot) string {
	var parts []string
	for _, p := range all {
		for _, l := range p.Lines {
			parts = append(parts, l.ID, l.Name)
		}
	}
	return strings.Join(parts, " ")
}

// An update is what a page of metrics is brought up to date by: texts and paths of SVG by the ids of their elements, for a page of
// this Shape.
type update struct {
	Shape string            `json:"shape"`
	Texts map[string]string `json:"texts"`
	Paths map[string]string `json:"paths"`
}

// updateOf returns what a page would show.
func updateOf(f families, samples []sample) update {
	all := plots(samples)
	u := update{Shape: shape(all), Texts: make(map[string]string), Paths: make(map[string]string)}
	for _, t := range tiles(f) {
		u.Texts[t.ID] = t.Value
	}
	for _, p := range all {
		u.Texts[p.ID+"-top"] = p.Top
		for _, l := range p.Lines {
			u.Texts[l.ID+"-now"], u.Paths[l.ID] = l.Now, l.Path
		}
		for i, r := range p.Rows {
			u.Texts[rowID(p.ID, i)] = r.Span()
			for _, c := range r.Cells {
				u.Texts[c.ID] = c.Text
			}
		}
	}
	return u
}

// follow sends what has changed at each sample, until the browser is gone.
func (v *View) follow(w http.ResponseWriter, r *http.Request) {
	_, next := v.samples.samples() // what comes after the page knows that it follows
	stream, err := page.NewStream(w)
	if err != nil {
		return // the browser is gone
	}
	for {
		select {
		case <-next:
		case <-r.Context().Done():
			return
		}
		var samples []sample
		samples, next = v.samples.samples()
		all, err := gather(v.Options.Metrics)
		if err != nil {
			v.Log.Warn("the metrics can't be read", "error", err)
			continue
		}
		if stream.Send("sample", updateOf(all, samples)) != nil {
			return
		}
	}
}
