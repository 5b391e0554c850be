package shadow

import "fmt"

// Criterion is one of the things that a gate asks for.
type Criterion struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Has  string `json:"has"`
	Want string `json:"want"`
}

// Readiness is the verdict of a gate.
type Readiness string

// The verdicts of a gate.
const (
	Ready       Readiness = "ready"
	Differences Readiness = "differences"         // more differ than may
	TooLittle   Readiness = "too little evidence" // none of what differs, but not enough was compared
)

// Gate says whether a summary is enough, and by what. Differences come first: evidence would
// not make up for them.
func (t Thresholds) Gate(s Summary) (Readiness, []Criterion) {
	differ := Criterion{"differences", s.Total.Differ <= t.Differences, number(s.Total.Differ), "at most " + number(t.Differences)}
	all := []Criterion{
		differ,
		atLeast("requests", s.Total.Compared, t.Requests),
		atLeast("users", int64(s.Total.Users), t.Users),
		atLeast("days", int64(s.Days), t.Days),
	}
	for _, row := range s.Rows {
		if t.Each > 0 {
			all = append(all, atLeast("requests to "+row.Endpoint+" of "+row.Profile, row.Compared, t.Each))
		}
	}
	share := int64(0)
	if s.Total.Asked > 0 {
		share = (100*s.Total.Skipped + s.Total.Asked - 1) / s.Total.Asked // rounded up
	}
	all = append(all, Criterion{"skipped", share <= t.Skipped, fmt.Sprintf("%d%%", share), fmt.Sprintf("at most %d%%", t.Skipped)})
	verdict := Ready
	for _, c := range all {
		if !c.OK {
			verdict = TooLittle
		}
	}
	if !differ.OK {
		verdict = Differences
	}
	return verdict, all
}

func atLeast(name string, has, want int64) Criterion {
	return Criterion{name, has >= want, number(has), "at least " + number(want)}
}

func number(n int64) string { return fmt.Sprint(n) }
