package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// session is one run of the command.
type session struct {
	runner
	w    io.Writer
	dir  string // for files of the session, gone after it
	jobs int
	list bool

	mu    sync.Mutex // of w and what follows
	made  int        // folders in dir
	clean []tests    // that pass without a mutation
	// steady are single tests that passed as often as they have to without one.
	steady []tests
}

// printf writes to the report.
func (s *session) printf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.w, format, args...)
}

// newDir makes a folder.
func (s *session) newDir() (string, error) {
	s.mu.Lock()
	s.made++
	dir := filepath.Join(s.dir, strconv.Itoa(s.made))
	s.mu.Unlock()
	return dir, os.Mkdir(dir, 0o700)
}

// baseline fails unless the tests pass without a bug: otherwise they would catch any.
func (s *session) baseline(ctx context.Context, all []tests) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.jobs)
	for _, t := range all {
		group.Go(func() error {
			o, err := s.runOnce(ctx, t, "", 1)
			if err != nil {
				return err
			}
			if o.verdict != survived {
				return fmt.Errorf("%s %s fails without any bug: %s", t.pkg, t.run, cmp.Or(o.detail, o.verdict.String()))
			}
			s.printf("%-14s %-32s %s %s\n", "passes", t.pkg, t.run, o.took.Round(100*time.Millisecond))
			return nil
		})
	}
	return group.Wait()
}

// planted plants the bugs whose name matches, and reports whether all were caught.
func (s *session) planted(ctx context.Context, only *regexp.Regexp) (ok bool, err error) {
	all, err := plantedPatches(only)
	if err != nil {
		return false, err
	}
	if len(all) == 0 {
		return false, fmt.Errorf("-only %s: no planted bug has such a name (-list names them)", only)
	}
	if s.list {
		for _, p := range all {
			s.printf("%s (%s)\n\t%s\n", p.name, p.pkg, p.breaks)
		}
		return true, nil
	}
	var needed []tests
	for _, p := range all {
		if t := (tests{pkg: p.pkg, run: p.run}); !slices.Contains(needed, t) {
			needed = append(needed, t)
		}
	}
	if err := s.baseline(ctx, needed); err != nil {
		return false, err
	}
	outcomes := make([]outcome, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.jobs)
	for i, p := range all {
		group.Go(func() error {
			o, err := s.plant(ctx, p)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			outcomes[i] = o
			s.printf("%-14s %-32s %s %s\n", o.verdict, p.name, o.detail, o.took.Round(100*time.Millisecond))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return false, err
	}
	n := 0
	for i, o := range outcomes {
		if o.verdict == caught {
			n++
			continue
		}
		s.printf("\n%s: %s\n\t%s\n", o.verdict, all[i].name, all[i].breaks)
	}
	s.printf("%d of %d planted bugs caught\n", n, len(all))
	return n == len(all), nil
}

// plant runs the tests of a planted bug.
func (s *session) plant(ctx context.Context, p patch) (outcome, error) {
	dir, err := s.newDir()
	if err != nil {
		return outcome{}, err
	}
	replaced, err := p.apply(ctx, s.module, dir)
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	if err != nil {
		return outcome{verdict: unapplied, detail: err.Error()}, nil
	}
	file, err := replaced.write(dir)
	if err != nil {
		return outcome{}, err
	}
	return s.run(ctx, tests{pkg: p.pkg, run: p.run}, file)
}

// draw says which mutations are drawn: from skip to number, in the order that the seed
// gives to those of the packages; and of these, the ones whose name matches.
type draw struct {
	number, skip int
	seed         uint64
	packages     []string
	only         *regexp.Regexp
}

// drawn draws mutations and reports whether all were caught or are explained. Those that
// do not compile are no mutations.
func (s *session) drawn(ctx context.Context, d draw) (ok bool, err error) {
	explained, err := explanations(explainedList)
	if err != nil {
		return false, err
	}
	all, err := everyMutation(ctx, s.module, d.packages)
	if err != nil {
		return false, err
	}
	shuffle(all, d.seed)
	s.printf("seed %d: %d of %d mutations of %s\n", d.seed, d.number, len(all), strings.Join(d.packages, " "))
	t := tally{explained: explained, counts: make(map[verdict]int)}
	for place, m := range all[:min(d.number, len(all))] {
		if place >= d.skip && d.only.MatchString(m.String()) {
			t.left = append(t.left, placed{place, m})
		}
	}
	if s.list {
		for _, m := range t.left {
			s.printf("%4d %s (line %d)\n", m.place, m, m.line)
		}
		return true, nil
	}
	group, ctx := errgroup.WithContext(ctx)
	for range s.jobs {
		group.Go(func() error {
			for m, ok := t.take(); ok; m, ok = t.take() {
				o, err := s.mutate(ctx, m.mutation)
				if err != nil {
					return fmt.Errorf("%s: %w", m, err)
				}
				if word, detail := t.record(m.mutation, o); o.verdict != unbuilt {
					s.printf("%4d %-10s %s (line %d) %s %s\n", m.place, word, m, m.line, detail, o.took.Round(100*time.Millisecond))
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return false, err
	}
	s.printf("seed %d: %d caught, %d explained, %d survived (%d did not compile)\n",
		d.seed, t.counts[caught], t.reasons, t.survivors, t.counts[unbuilt])
	return t.survivors == 0, nil
}

// placed is a mutation with its place in the draw.
type placed struct {
	place int
	mutation
}

// tally counts what becomes of drawn mutations.
type tally struct {
	mu        sync.Mutex
	left      []placed // to be tried
	explained map[string]string
	counts    map[verdict]int
	reasons   int // survivors that are explained
	survivors int // the others
}

// take returns the next mutation to be tried.
func (t *tally) take() (m placed, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.left) == 0 {
		return m, false
	}
	m, t.left = t.left[0], t.left[1:]
	return m, true
}

// record counts the outcome of a mutation, and returns its word and detail in the report.
func (t *tally) record(m mutation, o outcome) (word, detail string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[o.verdict]++
	if o.verdict == caught || o.verdict == unbuilt {
		return o.verdict.String(), o.detail
	}
	if reason := t.explained[m.String()]; reason != "" {
		t.reasons++
		return "explained", reason
	}
	t.survivors++
	return o.verdict.String(), o.detail
}

// mutate runs the tests that hold the package of a mutation until some notice it.
func (s *session) mutate(ctx context.Context, m mutation) (o outcome, err error) {
	dir, err := s.newDir()
	if err != nil {
		return o, err
	}
	original := filepath.Join(s.module, filepath.FromSlash(m.file))
	text, err := os.ReadFile(original)
	if err != nil {
		return o, err
	}
	changed := filepath.Join(dir, filepath.Base(m.file))
	if err := os.WriteFile(changed, m.apply(text), 0o600); err != nil {
		return o, err
	}
	file, err := overlay{original: changed}.write(dir)
	if err != nil {
		return o, err
	}
	var took time.Duration
	var accident outcome
	for _, t := range testsOf(m.pkg) {
		o, err = s.run(ctx, t, file)
		if err != nil {
			return o, err
		}
		took += o.took
		if o.crashed() {
			if err := s.passes(ctx, t); err != nil {
				return o, err
			}
		}
		if o.verdict == caught || o.verdict == unsteady {
			o.detail = strings.TrimPrefix(t.pkg, "./") + " " + o.detail
		}
		if o.verdict == unsteady {
			accident = o // wider tests may bite
			continue
		}
		if o.verdict != survived {
			break
		}
	}
	if o.verdict == survived && accident.verdict == unsteady {
		o = accident
	}
	o.took = took
	return o, nil
}

// passes fails unless tests pass without a mutation. It runs them once.
func (s *session) passes(ctx context.Context, t tests) error {
	s.mu.Lock()
	known := slices.Contains(s.clean, t)
	s.mu.Unlock()
	if known {
		return nil
	}
	if err := s.baseline(ctx, []tests{t}); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clean = append(s.clean, t)
	return nil
}
