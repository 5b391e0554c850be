package try

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/relay"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/wire"
)

// A result is what became of a form that was sent.
type result struct {
	Status  int    // of the page
	Refused string // why nothing was sent, in a sentence
	Busy    bool   // for want of a place

	Before  []conformance.Sent       // what was sent before the request
	Stopped string                   // why it went no further, in a sentence
	Why     []conformance.Difference // how the last of Before was answered otherwise than documented

	Request  *wire.Request // as it was written; nil if it was not sent
	Answer   *relay.Answer
	Example  bool // there is a documented response
	Compared comparison
}

// send sends a form, or only what comes before it. The form then has what has become known.
func (v *View) send(ctx context.Context, f *form, onlyBefore bool) *result {
	leave, err := v.relay.Enter()
	if err != nil {
		return &result{Status: http.StatusTooManyRequests, Busy: true,
			Refused: fmt.Sprintf("%d requests are under way already. Wait for one of them, and send this one again.", relay.MaxParallel)}
	}
	defer leave()
	s := v.stepper(f)
	if err := v.check(f, s); err != nil {
		return refused(err)
	}
	r := &result{Status: http.StatusOK}
	if s != nil && (f.Before || onlyBefore) && !v.before(ctx, f, s, r) || onlyBefore {
		return r
	}
	request, err := f.request(bodyOf(s, f))
	if err != nil {
		return refused(err)
	}
	var at time.Time
	if s != nil {
		at = s.Now()
	}
	answer, err := v.relay.Send(ctx, f.Target, request)
	if err != nil {
		refusal := refused(err)
		refusal.Before = r.Before
		return refusal
	}
	r.Request, r.Answer = &request, answer
	f.Answer = ""
	if answer.Response == nil {
		f.remember(0, "no response")
		return r
	}
	if token, ok := conformance.TokenIn(answer.Response); ok {
		f.Answer = token
	}
	outcome := ""
	if s != nil {
		step := s.Step(f.Step)
		differences := s.Match(f.Step, answer.Response, at)
		r.Example, r.Compared = true, compare(step.Documented, answer.Response, differences, answer.Recording.Cut)
		f.Known, f.Before = s.Memory(), false
		outcome = r.Compared.Outcome()
	}
	f.remember(answer.Response.Status, outcome)
	return r
}

// check returns an error if a form would not be sent, before anything else is.
func (v *View) check(f *form, s *conformance.Stepper) error {
	if _, err := v.relay.Client(f.Target); err != nil {
		return err
	}
	request, err := f.request(bodyOf(s, f))
	if err != nil {
		return err
	}
	if !f.Whole && len(request.Body) > relay.MaxRequest {
		return errTooLong
	}
	return relay.Check(request)
}

var errTooLong = fmt.Errorf("the body has more than %d bytes", relay.MaxRequest)

// bodyOf returns the body of the form's example, as it is now.
func bodyOf(s *conformance.Stepper, f *form) []byte {
	if s == nil || !f.Whole {
		return nil
	}
	return s.Step(f.Step).Request.Body
}

// before does what comes before the request, and reports whether that is to be sent.
func (v *View) before(ctx context.Context, f *form, s *conformance.Stepper, r *result) bool {
	was := s.Step(f.Step)
	var err error
	r.Before, r.Why, err = s.Before(ctx, f.Step)
	f.Known = s.Memory()
	switch {
	case err != nil:
		r.Stopped = "It went no further: " + err.Error()
	case len(r.Why) > 0:
		r.Stopped = "It went no further: the last of these was not answered as documented."
	default:
		f.update(was, s.Step(f.Step), f.Known.Captures)
		f.Before = false
		return true
	}
	return false
}

func refused(err error) *result {
	status := http.StatusBadRequest
	switch {
	case errors.As(err, new(*relay.Refusal)):
		status = http.StatusForbidden
	case errors.Is(err, errTooLong):
		status = http.StatusRequestEntityTooLarge
	}
	return &result{Status: status, Refused: "Nothing was sent: " + err.Error() + "."}
}
