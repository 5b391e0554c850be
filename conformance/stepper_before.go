package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Sent is a request that Before has sent.
type Sent struct {
	Step    int    // from 1; 0 for the creation of a user
	Request string // method and path
	Status  int    // 0 if there was no response
}

// Preparation says in words, one sentence each, what Before will do before the request of a step.
func (s *Stepper) Preparation(number int) []string {
	var all []string
	if s.memory.Ready == 0 {
		for _, u := range s.missing {
			all = append(all, "make the user "+u.Username)
		}
	}
	s.toDo(number, func(k int, one step, ready bool) bool {
		if !ready && one.advance > 0 {
			all = append(all, "move the clock on by "+inWords(one.advance))
		}
		if !ready && (one.link != nil || one.emailKey != nil) {
			all = append(all, "read the mail of "+s.replay.scope.Users[one.mailTo()].Username)
		}
		if k < number {
			all = append(all, fmt.Sprintf("send step %d (%s)", k, one.endpoint()))
		}
		return true
	})
	return all
}

// inWords returns a span as people say it: "14 days, 23 hours". Less than a second counts as one.
func inWords(d time.Duration) string {
	d = max(d, time.Second)
	var all []string
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		switch n := d / unit.length; n {
		case 0:
		case 1:
			all = append(all, "1 "+unit.name)
		default:
			all = append(all, fmt.Sprintf("%d %ss", n, unit.name))
		}
		d %= unit.length
	}
	return strings.Join(all, ", ")
}

// toDo calls f with each step that is to be sent before the request of another one, and with that one; ready says
// that all before the request has been done. It ends when f returns false.
func (s *Stepper) toDo(number int, f func(k int, one step, ready bool) bool) {
	for k := s.memory.Done + 1; k <= number; k++ {
		if !f(k, s.exchange.steps[k-1], s.memory.Ready >= k) {
			return
		}
	}
}

// mailTo returns the user in whose mail the step needs something.
func (s step) mailTo() string {
	if s.link != nil {
		return s.link.user
	}
	return s.emailKey.user
}

// Before does what comes before the request of a step and has not been done: it creates users, sends the earlier
// steps, moves the clock and reads mails. It returns what it has sent. Differences are those of the last
// of these, which then is the reason why it did not go on; the error says in one line why it could not, without secrets. Nothing
// is done of an exchange that the server cannot give what it needs (Unmet).
func (s *Stepper) Before(ctx context.Context, number int) (sent []Sent, differences []Difference, err error) {
	if s.unmet != "" {
		return nil, nil, errors.New(s.unmet)
	}
	x := s.replay
	x.calls, *x.result = nil, Result{}
	defer func() {
		for _, c := range x.calls {
			one := Sent{Step: c.number, Request: c.request.Method + " " + c.request.Path}
			if c.response != nil {
				one.Status = c.response.Status
			}
			sent = append(sent, one)
		}
		differences = x.result.Differences
		if x.result.Outcome == CouldNotRun {
			err = errors.New(x.result.Reason)
		}
	}()
	if s.memory.Ready == 0 {
		for _, u := range s.missing {
			if !x.create(ctx, u) {
				return
			}
		}
	}
	s.toDo(number, func(k int, one step, ready bool) bool {
		if !ready && !x.before(ctx, one) {
			return false
		}
		s.memory.Ready = k
		if k < number {
			if !x.step(ctx, k, one, x.scope) {
				return false
			}
			s.memory.Done = k
		}
		return true
	})
	return
}
