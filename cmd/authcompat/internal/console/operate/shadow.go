package operate

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"

	"github.com/authcompat/authcompat/conformance/shadow"
)

// comparedRow is what this process has compared at an endpoint since its start.
type comparedRow struct {
	Profile, Endpoint                   string
	Drawn, Same, Noise, Differ, Skipped int64
}

// shadowRequests is the metric of what was drawn to be compared.
const shadowRequests = "authcompat_shadow_requests_total"

// compared returns what the metrics say of the shadow; missing: they can't be read.
func (v *View) compared() (rows []comparedRow, missing bool) {
	families, err := gather(v.Options.Metrics)
	if err != nil {
		v.Log.Warn("the metrics can't be read", "error", err)
		return nil, true
	}
	byEndpoint := make(map[[2]string]*comparedRow)
	families.each(shadowRequests, func(labels map[string]string, n float64) {
		key := [2]string{labels["profile"], labels["endpoint"]}
		row := byEndpoint[key]
		if row == nil {
			row = &comparedRow{Profile: key[0], Endpoint: key[1]}
			byEndpoint[key] = row
		}
		row.Drawn += int64(n)
		switch shadow.Verdict(labels["result"]) {
		case shadow.Same:
			row.Same += int64(n)
		case shadow.Noise:
			row.Noise += int64(n)
		case shadow.Differ:
			row.Differ += int64(n)
		default:
			row.Skipped += int64(n)
		}
	})
	for _, row := range byEndpoint {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b comparedRow) int {
		return cmp.Or(cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	return rows, false
}

// journals returns the files of the process's shadows.
func (v *View) journals() []string {
	if v.Journals == nil {
		return nil
	}
	return v.Journals()
}

// shadowPage is what the journals of this process say.
type shadowPage struct {
	Missing  string
	Summary  shadow.Summary
	Rows     []shadow.Row // with the total last
	Found    []shadow.Found
	More     int // how many differences are not in Found
	Verdict  shadow.Readiness
	Criteria []shadow.Criterion
	AtMost   string
}

// shadow reads the journals, and says what they come to. A journal has 64 MiB at most (shadow.MaxJournal and its older part);
// one page at a time reads them.
func (v *View) shadow(ctx context.Context, _ *http.Request) (view, error) {
	p := shadowPage{}
	shown := view{"shadow", "Shadow", "cutover", &p}
	paths := v.journals()
	if len(paths) == 0 {
		p.Missing = "This process compares nothing: no listener’s front has a shadow (docs/shadow.md)."
		return shown, nil
	}
	if !v.reading.TryLock() {
		return view{}, &refusal{http.StatusConflict, "The journals are being read for another page. Try again in some seconds."}
	}
	defer v.reading.Unlock()
	records, err := shadow.ReadAll(ctx, paths)
	if errors.Is(err, fs.ErrNotExist) {
		p.Missing = "A journal has been removed since the start: there is nothing to be read."
		return shown, nil
	}
	if err != nil {
		return view{}, err
	}
	p.Summary = shadow.Summarize(records, nil)
	p.Rows = append(slices.Clone(p.Summary.Rows), p.Summary.Total)
	p.Found = p.Summary.Found[:min(pageRows, len(p.Summary.Found))]
	p.More = len(p.Summary.Found) - len(p.Found)
	p.Verdict, p.Criteria = shadow.DefaultThresholds().Gate(p.Summary)
	p.AtMost = shadow.Percent(p.Summary.Total.UpperBound)
	return shown, nil
}
