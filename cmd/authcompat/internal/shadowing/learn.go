package shadowing

import (
	"context"
	"net/http"
	"time"

	"github.com/authcompat/authcompat/conformance/shadow"
)

// budget is how often the old server was asked in an hour.
type budget struct {
	hour time.Time
	used int
}

// mayAsk takes one of the questions that the old server may be asked about an endpoint.
func (s *Shadow) mayAsk(endpoint string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.asked[endpoint]
	if hour := at.Truncate(time.Hour); !b.hour.Equal(hour) {
		b = budget{hour: hour}
	}
	if b.used >= s.Learn {
		return false
	}
	b.used++
	s.asked[endpoint] = b
	return true
}

// learn asks the old server again, if it may, and reports whether it has learned of noise.
func (x *exchange) learn(ctx context.Context, r *shadow.Record, old shadow.Answer) bool {
	if x.Learn == 0 || x.request.Method != http.MethodGet && x.request.Method != http.MethodHead || len(x.body) > 0 || !x.mayAsk(x.endpoint, x.at) {
		return false
	}
	second := &capture{ResponseWriter: &recorder{header: make(http.Header), most: maxBody}}
	if !x.askAgain(ctx, second) || second.failed || second.body.Len() > maxBody {
		return false
	}
	again := second.answer()
	if again.TooLarge() {
		return false
	}
	x.group.comparing.Lock()
	noise := shadow.NoiseOf(old, again)
	x.group.comparing.Unlock()
	x.Journal.Learn(x.at, r.Profile, r.Endpoint, noise)
	return len(noise) > 0
}

// askAgain sends the request to the old server once more, and reports whether the answer is
// whole.
func (x *exchange) askAgain(ctx context.Context, w http.ResponseWriter) (whole bool) {
	defer func() {
		if cause := recover(); cause != nil { // an answer that breaks off, or has no end
			whole = false
		}
	}()
	x.pass(w, x.request.WithContext(ctx))
	return ctx.Err() == nil
}
