package template

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A timeForm is a format of a point in time.
type timeForm struct {
	name      string
	pattern   *regexp.Regexp
	layout    string
	precision time.Duration // at least the smallest unit that the form writes
}

// timeForms returns the forms that a placeholder can name, all in UTC. The fraction is optional
// because Python's isoformat leaves it out when it is zero.
func timeForms() []*timeForm {
	const iso = `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}`
	const layout = "2006-01-02T15:04:05Z07:00" // time.Parse accepts a fraction too
	return []*timeForm{
		{"microseconds-Z", regexp.MustCompile(iso + `(?:\.[0-9]{6})?Z`), layout, time.Microsecond},
		{"milliseconds-Z", regexp.MustCompile(iso + `(?:\.[0-9]{3})?Z`), layout, time.Millisecond},
		{"IMF-fixdate", regexp.MustCompile(`[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT`), "Mon, 02 Jan 2006 15:04:05 GMT", time.Second},
		{"DD-MM-YYYY HH:MM", regexp.MustCompile(`[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}`), "02-01-2006 15:04", time.Minute},
	}
}

// anyTime is the form of a <datetime> that names none: ISO 8601 with any fraction and zone.
func anyTime() *timeForm {
	return &timeForm{"", regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})`),
		time.RFC3339, time.Second}
}

func findTimeForm(name string) *timeForm {
	for _, form := range timeForms() {
		if form.name == name {
			return form
		}
	}
	return nil
}

func timeFormNames() string {
	var names []string
	for _, form := range timeForms() {
		names = append(names, form.name)
	}
	return strings.Join(names, ", ")
}

// A clockRelation requires a point in time to be at most within away from the time of the response
// plus offset.
type clockRelation struct {
	offset time.Duration
	within time.Duration
}

// parseClockRelation reads "now + 10h ± 90s" and "now ± 90s".
func parseClockRelation(text string) (*clockRelation, error) {
	wrong := errors.New("want: now ± 90s, now + 10h ± 90s, or with - for +")
	head, tolerance, ok := strings.Cut(strings.TrimPrefix(text, "now"), "±")
	if !ok {
		return nil, wrong
	}
	r := &clockRelation{}
	var err error
	if r.within, err = ParseDuration(strings.TrimSpace(tolerance)); err != nil {
		return nil, wrong
	}
	head = strings.TrimSpace(head)
	if head == "" {
		return r, nil
	}
	if head[0] != '+' && head[0] != '-' {
		return nil, wrong
	}
	if r.offset, err = ParseDuration(strings.TrimSpace(head[1:])); err != nil {
		return nil, wrong
	}
	if head[0] == '-' {
		r.offset = -r.offset
	}
	return r, nil
}

// ParseDuration reads a duration of more than 0: days, then what time.ParseDuration accepts, as in
// 15d, 24h and 14d23h59m.
func ParseDuration(text string) (time.Duration, error) {
	wrong := fmt.Errorf("%q is no length of time, want one as 24h or 14d23h59m", text)
	var span time.Duration
	if days, rest, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, wrong
		}
		span, text = time.Duration(n)*24*time.Hour, rest
	}
	if text != "" {
		n, err := time.ParseDuration(text)
		if err != nil || n < 0 || n > 1e6*time.Hour {
			return 0, wrong
		}
		span += n
	}
	if span <= 0 {
		return 0, wrong
	}
	return span, nil
}

func (f *timeForm) check(text string, relation *clockRelation, s *Scope) error {
	moment, err := time.Parse(f.layout, text)
	if err != nil {
		return errors.New("there is no such moment")
	}
	if relation == nil {
		return nil
	}
	first := s.Before.Add(relation.offset - relation.within)
	last := s.After.Add(relation.offset + relation.within)
	if moment.After(last) || moment.Add(f.precision).Before(first) {
		return fmt.Errorf("it is %s, and now is %s", moment.UTC().Format(time.RFC3339), s.After.UTC().Format(time.RFC3339))
	}
	return nil
}
