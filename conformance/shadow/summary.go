package shadow

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Row is what came of the requests to an endpoint.
type Row struct {
	Profile  string `json:"profile"`
	Endpoint string `json:"endpoint"`
	Asked    int64  `json:"asked"`    // requests that were drawn: Compared and Skipped
	Compared int64  `json:"compared"` // Same, Noise, Known and Differ
	Same     int64  `json:"same"`
	Noise    int64  `json:"noise"` // the same but for noise
	Known    int64  `json:"known"` // that differ in what the thresholds list as known
	Differ   int64  `json:"differ"`
	Users    int    `json:"users"` // who were told apart, of those compared
	Skipped  int64  `json:"skipped"`
	// UpperBound is that of the rate of Differ; see UpperBound.
	UpperBound float64          `json:"upper_bound"`
	Reasons    map[Reason]int64 `json:"reasons,omitempty"` // of Skipped

	users map[string]bool
}

// Found is a difference that was found, or a known one.
type Found struct {
	Profile  string `json:"profile"`
	Endpoint string `json:"endpoint"`
	Difference
	Known   string    `json:"known,omitempty"` // the reason that the thresholds give for it
	Count   int64     `json:"count"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Method  string    `json:"method,omitempty"`  // of the first
	Status  int       `json:"status,omitempty"`  // likewise: the old server's
	Request string    `json:"request,omitempty"` // likewise: in the server's log
}

// Summary is what journals say.
type Summary struct {
	Rows  []Row   `json:"endpoints"`   // by profile and endpoint
	Total Row     `json:"total"`       // of all of them; its Endpoint is empty
	Found []Found `json:"differences"` // the most frequent first
	// Days is on how many days, in UTC, something was compared, from First to Last.
	Days  int       `json:"days"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	Unmet []Known   `json:"-"` // known differences that none was
}

// summing makes a summary.
type summing struct {
	rows  map[string]*Row
	found map[string]*Found
	noise map[string]bool
	days  map[string]bool
	known []Known
	met   map[int]bool
	s     Summary
}

// Summarize sums records up. What was learned to be noise is noise in all of them, also in
// earlier ones.
func Summarize(records []Record, known []Known) Summary {
	m := &summing{rows: make(map[string]*Row), found: make(map[string]*Found), noise: make(map[string]bool), days: make(map[string]bool), known: known, met: make(map[int]bool)}
	for _, r := range records {
		if r.Verdict == Learned {
			for _, d := range r.Differences {
				m.noise[noiseKey(r.Profile, r.Endpoint, d.Place)] = true
			}
		}
	}
	for _, r := range records {
		m.add(r)
	}
	return m.end()
}

// row returns the row of an endpoint.
func (m *summing) row(profile, endpoint string) *Row {
	key := noiseKey(profile, endpoint, "")
	row := m.rows[key]
	if row == nil {
		row = &Row{Profile: profile, Endpoint: endpoint, users: make(map[string]bool), Reasons: make(map[Reason]int64)}
		m.rows[key] = row
	}
	return row
}

func (m *summing) add(r Record) {
	switch r.Verdict {
	case Learned:
		return
	case Started:
		for _, e := range r.Endpoints {
			m.row(r.Profile, e) // also one that nobody has asked for
		}
		return
	}
	row := m.row(r.Profile, r.Endpoint)
	row.Asked += r.Count
	for _, u := range r.Users {
		row.users[u] = true
	}
	if r.Verdict == Skipped {
		row.Skipped += r.Count
		row.Reasons[r.Reason] += r.Count
		return
	}
	row.Compared += r.Count
	m.days[r.At.UTC().Format(time.DateOnly)] = true
	if m.s.First.IsZero() || r.At.Before(m.s.First) {
		m.s.First = r.At
	}
	if r.At.After(m.s.Last) {
		m.s.Last = r.At
	}
	switch m.verdict(r) {
	case Same:
		row.Same += r.Count
	case Noise:
		row.Noise += r.Count
	case Differ:
		row.Differ += r.Count
	default:
		row.Known += r.Count
	}
}

// verdictKnown is that of requests that differ in what is known alone.
const verdictKnown Verdict = "known"

// worse returns the worse of two verdicts.
func worse(a, b Verdict) Verdict {
	order := []Verdict{Same, Noise, verdictKnown, Differ}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// verdict judges a record anew, and counts its differences.
func (m *summing) verdict(r Record) Verdict {
	verdict := Same
	for _, d := range r.Differences {
		this, reason := Differ, ""
		if r.Verdict == Noise || d.SameForm && m.noise[noiseKey(r.Profile, r.Endpoint, d.Place)] {
			this = Noise
		} else if i := slices.IndexFunc(m.known, func(k Known) bool { return k.matches(r, d) }); i >= 0 {
			this, reason = verdictKnown, m.known[i].Reason
			m.met[i] = true
		}
		verdict = worse(verdict, this)
		if this != Noise {
			m.count(r, d, reason)
		}
	}
	return verdict
}

// count counts a difference.
func (m *summing) count(r Record, d Difference, reason string) {
	key := noiseKey(r.Profile, r.Endpoint, d.Place) + "\x00" + string(d.Kind)
	f := m.found[key]
	if f == nil {
		f = &Found{Profile: r.Profile, Endpoint: r.Endpoint, Difference: d, Known: reason, First: r.At, Method: r.Method, Status: r.Status, Request: r.Request}
		m.found[key] = f
	}
	f.Count += r.Count
	f.Last = r.At
}

// end returns the summary.
func (m *summing) end() Summary {
	s := m.s
	s.Days = len(m.days)
	s.Total = Row{Reasons: make(map[Reason]int64)}
	everybody := make(map[string]bool)
	for _, row := range m.rows {
		row.Users, row.UpperBound = len(row.users), UpperBound(row.Differ, row.Compared)
		t := &s.Total
		t.Asked += row.Asked
		t.Compared += row.Compared
		t.Same += row.Same
		t.Noise += row.Noise
		t.Known += row.Known
		t.Differ += row.Differ
		t.Skipped += row.Skipped
		for reason, n := range row.Reasons {
			t.Reasons[reason] += n
		}
		maps.Copy(everybody, row.users)
		s.Rows = append(s.Rows, *row)
	}
	s.Total.Users, s.Total.UpperBound = len(everybody), UpperBound(s.Total.Differ, s.Total.Compared)
	slices.SortFunc(s.Rows, func(a, b Row) int {
		return cmp.Or(strings.Compare(a.Profile, b.Profile), strings.Compare(a.Endpoint, b.Endpoint))
	})
	for _, f := range m.found {
		s.Found = append(s.Found, *f)
	}
	slices.SortFunc(s.Found, func(a, b Found) int {
		return cmp.Or(strings.Compare(a.Known, b.Known), cmp.Compare(b.Count, a.Count), strings.Compare(a.Profile, b.Profile), strings.Compare(a.Endpoint, b.Endpoint),
			strings.Compare(a.Place, b.Place), strings.Compare(string(a.Kind), string(b.Kind)))
	})
	for i, k := range m.known {
		if !m.met[i] {
			s.Unmet = append(s.Unmet, k)
		}
	}
	return s
}
