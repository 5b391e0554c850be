package operate

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
)

// The drawing's place in the plot, in units of its view box, which the template has.
const (
	plotLeft, plotRight = 40.0, 396.0
	plotTop, plotBottom = 12.0, 132.0
)

const (
	// period is what a plot shows.
	period = (samplesKept - 1) * sampleInterval
	// maxLines is how many lines a plot has: style sheets have that many colours.
	maxLines = 5
	// perRow is how many samples a row of a plot's table sums up, three minutes, and maxRows how many rows it has.
	perRow  = 18
	maxRows = (samplesKept - 1) / perRow
)

// A series is a line before it is drawn: a value for each sample but the first, and how some of them are one in the table.
type series struct {
	name   string
	values []float64
	sum    func([]float64) float64
}

// A line is a series that is drawn.
type line struct {
	Class, Name, ID string
	Path            string // of SVG
	Now             string
}

// A plotRow is a row of a plot's table.
type plotRow struct {
	ID       string
	From, To time.Time
	Cells    []plotCell
}

// Span is the time of a row.
func (r plotRow) Span() string {
	if r.To.IsZero() {
		return "–"
	}
	const layout = "15:04"
	return r.From.UTC().Format(layout) + " – " + r.To.UTC().Format(layout)
}

// rowID is the id of a row's head.
func rowID(plot string, row int) string { return fmt.Sprintf("%s-row-%d", plot, row) }

type plotCell struct{ ID, Text string }

// A plot is a drawing with a table of the same numbers.
type plot struct {
	ID, Title, Unit string
	Each            string // what a cell of the table is
	Top             string // what the upper end of the axis is
	Lines           []line
	Rows            []plotRow
}

// plots returns the plots of samples, the oldest first.
func plots(all []sample) []plot {
	names := loginOutcomes(all)
	var logins []series
	for _, name := range names {
		logins = append(logins, rate(name, all, time.Minute, func(s sample) float64 { return outcome(s, name, names) }))
	}
	drawn := []plot{
		draw("logins", "Logins by outcome", "a minute", all, logins),
		draw("checks", "Token checks", "a second", all, []series{rate("checks", all, time.Second, func(s sample) float64 { return s.checks })}),
		draw("queue", "Hashing queue", "passwords", all, []series{
			gauge("waiting in the queue", all, func(s sample) float64 { return s.waiting }),
			gauge("being hashed", all, func(s sample) float64 { return s.hashing }),
		}),
	}
	drawn[0].Each, drawn[1].Each, drawn[2].Each = "Mean", "Mean", "Most"
	return drawn
}

// otherOutcomes is the name of the outcomes that have no line of their own.
const otherOutcomes = "other outcomes"

// loginOutcomes returns the names of the lines of logins: those with the most logins, and all others together.
func loginOutcomes(all []sample) []string {
	if len(all) == 0 {
		return []string{core.OK}
	}
	last := all[len(all)-1].logins
	names := slices.SortedFunc(maps.Keys(last), func(a, b string) int { return cmp.Or(cmp.Compare(last[b], last[a]), cmp.Compare(a, b)) })
	if len(names) > maxLines {
		names = append(names[:maxLines-1], otherOutcomes)
	}
	if len(names) == 0 {
		names = []string{core.OK}
	}
	// In an order in which a line keeps its colour when another has more logins.
	place := map[string]int{core.OK: -1, otherOutcomes: 1}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(place[a], place[b]), cmp.Compare(a, b)) })
	return names
}

// outcome returns how many logins had an outcome.
func outcome(s sample, name string, names []string) (n float64) {
	if name != otherOutcomes {
		return s.logins[name]
	}
	for other, count := range s.logins {
		if !slices.Contains(names, other) {
			n += count
		}
	}
	return n
}

// rate is the series of how much a counter rises in a time.
func rate(name string, all []sample, per time.Duration, value func(sample) float64) series {
	s := series{name: name, sum: mean}
	for i := 1; i < len(all); i++ {
		took := all[i].at.Sub(all[i-1].at)
		if took <= 0 {
			s.values = append(s.values, 0)
			continue
		}
		s.values = append(s.values, (value(all[i])-value(all[i-1]))*float64(per)/float64(took))
	}
	return s
}

// gauge is the series of what something is.
func gauge(name string, all []sample, value func(sample) float64) series {
	s := series{name: name, sum: slices.Max[[]float64]}
	for i := 1; i < len(all); i++ {
		s.values = append(s.values, value(all[i]))
	}
	return s
}

func mean(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// draw makes a plot of series of the samples.
func draw(id, title, unit string, all []sample, some []series) plot {
	most := 0.0
	for _, s := range some {
		for _, value := range s.values {
			most = max(most, value)
		}
	}
	top := roundUp(most)
	p := plot{ID: id, Title: title, Unit: unit, Top: figure(top)}
	for i, s := range some {
		l := line{Class: fmt.Sprintf("series-%d", i+1), Name: s.name, ID: fmt.Sprintf("%s-%d", id, i), Now: "–"}
		if n := len(s.values); n > 0 {
			l.Path, l.Now = trace(all[1:], s.values, top), figure(s.values[n-1])
		}
		p.Lines = append(p.Lines, l)
	}
	// The newest row first. It is whole from the second on, counted from the end.
	for end := len(all) - 1; end > 0; end -= perRow {
		begin := max(0, end-perRow)
		row := plotRow{ID: rowID(id, len(p.Rows)), From: all[begin].at, To: all[end].at}
		for i, s := range some {
			row.Cells = append(row.Cells, plotCell{fmt.Sprintf("%s-%d-%d", id, len(p.Rows), i), figure(s.sum(s.values[begin:end]))})
		}
		p.Rows = append(p.Rows, row)
	}
	for len(p.Rows) < maxRows { // there are no samples of that time: a row is there all the same, to be brought up to date
		row := plotRow{ID: rowID(id, len(p.Rows))}
		for i := range some {
			row.Cells = append(row.Cells, plotCell{fmt.Sprintf("%s-%d-%d", id, len(p.Rows), i), "–"})
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

// trace returns the path of a line. The last sample is at the right end.
func trace(all []sample, values []float64, top float64) string {
	var d strings.Builder
	last := all[len(all)-1].at
	for i, value := range values {
		x := plotRight - (plotRight-plotLeft)*float64(last.Sub(all[i].at))/float64(period)
		y := plotBottom - (plotBottom-plotTop)*value/top
		step := "L"
		if i == 0 {
			step = "M"
		}
		d.WriteString(step + strconv.FormatFloat(max(plotLeft, x), 'f', 1, 64) + " " + strconv.FormatFloat(y, 'f', 1, 64))
	}
	if len(values) == 1 {
		d.WriteString("h0.1") // a line without a length is not drawn
	}
	return d.String()
}

// roundUp returns the next 1, 2 or 5 times a power of ten, and at least 1.
func roundUp(value float64) float64 {
	if value <= 1 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(value)))
	for _, step := range []float64{1, 2, 5} {
		if value <= step*power {
			return step * power
		}
	}
	return 10 * power
}

// figure writes a number for people: with three digits, or whole.
func figure(value float64) string {
	switch {
	case value >= 100 || value == math.Trunc(value):
		return strconv.FormatFloat(value, 'f', 0, 64)
	case value >= 10:
		return strconv.FormatFloat(value, 'f', 1, 64)
	}
	return strconv.FormatFloat(value, 'f', 2, 64)
}
