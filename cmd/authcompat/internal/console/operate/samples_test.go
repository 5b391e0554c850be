package operate

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/core"
)

// TestSampler keeps the last samples alone, and tells who waits of each.
func TestSampler(t *testing.T) {
	m := metrics.New(func() float64 { return 0 })
	s := newSampler(m.Gatherer(), slog.New(slog.DiscardHandler))
	start := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	_, next := s.samples()
	for i := range samplesKept + 5 {
		if i%2 == 0 {
			m.CountEvent(core.ActionLogin, "snippit", core.OK)
		}
		s.take(start.Add(time.Duration(i) * sampleInterval))
	}
	select {
	case <-next:
	default:
		t.Error("who waits is not told")
	}
	all, _ := s.samples()
	if len(all) != samplesKept || !all[0].at.Equal(start.Add(5*sampleInterval)) {
		t.Fatalf("%d samples, the first of %v", len(all), all[0].at)
	}
	if first, last := all[0].logins["ok"], all[samplesKept-1].logins["ok"]; first != 3 || last != 93 {
		t.Errorf("logins from %v to %v", first, last)
	}
	drawn := plots(all)[0]
	// One login in 20 s is 6 a minute, then 0, in turns.
	if drawn.Top != "10" || drawn.Lines[0].Now != "0" || drawn.Rows[0].Cells[0].Text != "3" || len(drawn.Rows) != maxRows {
		t.Errorf("the plot has %+v", drawn)
	}
	if path := drawn.Lines[0].Path; !strings.HasPrefix(path, "M42.0 60.0L44.0 132.0L45.9 60.0") || !strings.HasSuffix(path, "L394.0 60.0L396.0 132.0") {
		t.Errorf("the line is %s", path)
	}
}

// TestPlots draws what there is: nothing, one sample, what stands still, and more outcomes than lines.
func TestPlots(t *testing.T) {
	at := func(i int, logins map[string]float64) sample {
		return sample{at: time.Unix(int64(i)*10, 0), logins: logins, waiting: float64(i)}
	}
	for i, all := range [][]sample{nil, {at(0, nil)}} {
		for _, p := range plots(all) {
			if p.Top != "1" || p.Lines[0].Path != "" || p.Lines[0].Now != "–" || p.Rows[0].Span() != "–" {
				t.Errorf("%d samples: %+v", i, p)
			}
		}
	}
	many := map[string]float64{"a": 7, "b": 6, "c": 5, "d": 4, "e": 3, "f": 2, "g": 1}
	all := plots([]sample{at(0, nil), at(1, many)})
	var lines []string
	for _, l := range all[0].Lines {
		lines = append(lines, l.Name+" "+l.Now+" "+l.Class)
	}
	if got, want := strings.Join(lines, ", "), "a 42 series-1, b 36 series-2, c 30 series-3, d 24 series-4, other outcomes 36 series-5"; got != want {
		t.Errorf("the lines are %s, want %s", got, want)
	}
	if got := all[0].Lines[0].Path; got != "M396.0 31.2h0.1" {
		t.Errorf("one value is drawn as %s", got)
	}
	same := plots([]sample{at(1, many), at(1, many)}) // the clock has not moved
	if got := same[1].Lines[0].Now; got != "0" {
		t.Errorf("a rate in no time is %s", got)
	}
	for value, want := range map[float64]float64{0: 1, 1: 1, 1.1: 2, 3: 5, 5: 5, 6: 10, 11: 20, 999: 1000, 1000: 1000, 2001: 5000} {
		if got := roundUp(value); got != want {
			t.Errorf("%v is rounded up to %v, want %v", value, got, want)
		}
	}
}

// TestUpdate has a text or a path for each element of a page that changes.
func TestUpdate(t *testing.T) {
	m := metrics.New(func() float64 { return 0 })
	s := newSampler(m.Gatherer(), slog.New(slog.DiscardHandler))
	for i := range 3 {
		m.CountEvent(core.ActionLogin, "snippit", core.OK)
		s.take(time.Unix(int64(i)*10, 0))
	}
	all, err := gather(m.Gatherer())
	if err != nil {
		t.Fatal(err)
	}
	samples, _ := s.samples()
	u := updateOf(all, samples)
	if u.Texts["t-ok"] != "3" || u.Texts["logins-0-now"] != "6" || u.Texts["logins-0-0"] != "6" || u.Texts["logins-row-0"] != "00:00 – 00:00" || u.Texts["queue-top"] != "1" {
		t.Errorf("the texts are %v", u.Texts)
	}
	if len(u.Paths) != 4 || u.Paths["logins-0"] == "" {
		t.Errorf("the paths are %v", u.Paths)
	}
	if u.Shape != shape(plots(samples[:1])) {
		t.Errorf("without another outcome, the page is of another shape: %s", u.Shape)
	}
	m.CountEvent(core.ActionLogin, "snippit", "throttled")
	s.take(time.Unix(30, 0))
	samples, _ = s.samples()
	if again := updateOf(all, samples); again.Shape == u.Shape {
		t.Error("with another outcome, the page is of the same shape")
	}
}

// TestGatherFails has a metric that can't be read.
func TestGatherFails(t *testing.T) {
	r := prometheus.NewRegistry()
	r.MustRegister(broken{})
	s := newSampler(r, slog.New(slog.DiscardHandler))
	s.take(time.Unix(0, 0))
	if all, _ := s.samples(); len(all) != 0 {
		t.Errorf("there are samples of it: %v", all)
	}
}

type broken struct{}

func (broken) Describe(c chan<- *prometheus.Desc) { c <- prometheus.NewDesc("broken", "", nil, nil) }

func (broken) Collect(c chan<- prometheus.Metric) {
	c <- prometheus.NewInvalidMetric(prometheus.NewDesc("broken", "", nil, nil), errBroken{})
}

type errBroken struct{}

func (errBroken) Error() string { return "broken" }
