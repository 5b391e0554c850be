//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// report collects the rows of the table.
type report struct{ rows []row }

// row is a line of the table.
type row struct{ what, value, bound, verdict string }

// note adds a figure without a bound.
func (r *report) note(what, value string) { r.rows = append(r.rows, row{what: what, value: value}) }

// require adds a figure with a bound.
func (r *report) require(what, value, bound string, holds bool) {
	verdict := "holds"
	if !holds {
		verdict = "FAILS"
	}
	r.rows = append(r.rows, row{what, value, bound, verdict})
}

// atLeast adds the median of ratios with a lower bound.
func (r *report) atLeast(what string, ratios []float64, bound float64) {
	r.require(what, spread(ratios, "%.3f"), fmt.Sprintf("at least %g", bound), median(ratios) >= bound)
}

// atMost adds the median of ratios with an upper bound.
func (r *report) atMost(what string, ratios []float64, bound float64) {
	r.require(what, spread(ratios, "%.3f"), fmt.Sprintf("at most %g", bound), median(ratios) <= bound)
}

// print writes the table, and fails if a bound does not hold.
func (r *report) print(w io.Writer) error {
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\tmeasured\tbound\t")
	held := true
	for _, row := range r.rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", row.what, row.value, row.bound, row.verdict)
		held = held && row.verdict != "FAILS"
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if !held {
		return errors.New("a bound does not hold")
	}
	return nil
}

// unit is a measured value with its unit, as benchstat reads it.
type unit struct {
	value float64
	name  string
}

// line writes one measurement in the format of Go's benchmarks.
func line(name string, n int, units ...unit) {
	var out strings.Builder
	fmt.Fprintf(&out, "Benchmark%s\t%d", name, n)
	for _, u := range units {
		fmt.Fprintf(&out, "\t%.6g %s", u.value, u.name)
	}
	fmt.Println(out.String())
}

// median of values that are there.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// spread shows the median with the least and the greatest.
func spread(values []float64, format string) string {
	if len(values) == 1 {
		return fmt.Sprintf(format, values[0])
	}
	return fmt.Sprintf(format+"  ("+format+" to "+format+")", median(values), slices.Min(values), slices.Max(values))
}
