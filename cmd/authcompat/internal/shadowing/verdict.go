package shadowing

import (
	"context"
	"errors"
	"net/http"

	"github.com/authcompat/authcompat/conformance/shadow"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/overlay"
)

// unfit returns why what there is can't be compared.
func (x *exchange) unfit() shadow.Reason {
	old := x.old
	switch {
	case old.failed, old.status >= http.StatusInternalServerError, old.status == http.StatusTooManyRequests:
		return shadow.ReasonOldFailed
	case !old.whole, old.status < http.StatusOK:
		return shadow.ReasonInterrupted
	case old.body.Len() > maxBody:
		return shadow.ReasonLarge
	case x.late:
		return shadow.ReasonSlow
	}
	return ""
}

// compare sets the verdict, and returns whose request it was; or why there is no verdict.
func (x *exchange) compare(ctx context.Context, r *shadow.Record) (user string, reason shadow.Reason) {
	is, reason := x.checked(ctx, x.known, x.ours)
	if reason != "" {
		return "", reason
	}
	old := x.old.answer()
	if old.TooLarge() {
		return "", shadow.ReasonLarge
	}
	if r.Differences = x.differences(old, is); x.judge(r) == shadow.Differ && x.learn(ctx, r, old) {
		x.judge(r)
	}
	if r.Verdict != shadow.Differ {
		return is.user, ""
	}
	again := x.known.Again()
	after, reason := x.checked(ctx, again, x.answer(ctx, again))
	if reason == shadow.ReasonBusy || reason == shadow.ReasonInterrupted {
		return "", reason // whether another came between is not known
	}
	if reason == "" && len(x.differences(old, after)) == 0 {
		return "", shadow.ReasonRaced
	}
	return is.user, ""
}

// judge sets the verdict by the differences.
func (x *exchange) judge(r *shadow.Record) shadow.Verdict {
	x.Journal.Judge(r)
	return r.Verdict
}

// maxRounds is how often a request is answered until no new password is asked about.
const maxRounds = 4

// checked returns our answer once the passwords that it depends on are checked.
func (x *exchange) checked(ctx context.Context, known *overlay.Request, is ours) (ours, shadow.Reason) {
	for range maxRounds {
		switch {
		case x.group.ctx.Err() != nil:
			return is, shadow.ReasonInterrupted
		case is.err != nil:
			return is, shadow.ReasonOursFailed
		case known.Checked():
			return is, ""
		}
		if err := x.checkPasswords(ctx, known); err != nil {
			if x.group.ctx.Err() != nil {
				return is, shadow.ReasonInterrupted
			}
			if errors.Is(err, hashing.ErrBusy) || ctx.Err() != nil {
				return is, shadow.ReasonBusy
			}
			return is, shadow.ReasonOursFailed
		}
		is = x.answer(ctx, known)
	}
	return is, shadow.ReasonOursFailed
}

// checkPasswords checks passwords, in the lane.
func (x *exchange) checkPasswords(ctx context.Context, known *overlay.Request) error {
	return x.group.lane.do(ctx, func() (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				err = errPanic
			}
		}()
		return known.CheckPasswords(ctx, x.CheckPassword)
	})
}

// differences compares an answer of the old server with one of ours.
func (x *exchange) differences(old shadow.Answer, is ours) []shadow.Difference {
	options := shadow.Options{Existing: is.effects.Reusable, Words: x.words.has}
	if p := x.places[x.endpoint]; is.Status == p.status {
		options.Places = p.issued(is.effects)
	}
	x.group.comparing.Lock()
	defer x.group.comparing.Unlock()
	return shadow.Compare(old, is.Answer, options)
}
