package overlay

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/authcompat/authcompat/core"
)

// Request is what is known of a request that is answered without being done. It may be answered
// several times, one after the other.
type Request struct {
	mu     sync.Mutex
	reads  map[string]any // results of the store's reads, by call
	checks []check        // passwords that were asked about, in the order of the questions
	state  state
}

// state is what the current answer would have written.
type state struct {
	users   map[int64]*core.Account // as changed; nil: removed
	created []core.Account
	ended   []func(core.Token) bool // tokens that are gone
	issued  []core.Token
	effects Effects
}

// Effects are what an answer would have changed, of what it may show.
type Effects struct {
	Token  bool // a token is new
	Expiry bool // the expiry of a token has moved
	User   bool // a user is new
	// Reusable are the texts of the tokens that were there, where the tables have them, of a user
	// who would get a new one all the same.
	Reusable []string
}

// NewRequest returns a request of which nothing is known.
func NewRequest() *Request { return &Request{reads: make(map[string]any)} }

type requestKey struct{}

// With returns a context in which the engine answers the request, anew: what the last answer
// would have written is forgotten, and what it has read is remembered.
func With(ctx context.Context, r *Request) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = state{users: make(map[int64]*core.Account)}
	return context.WithValue(ctx, requestKey{}, r)
}

// of returns the request of a context. Without one, nothing is remembered from call to call.
func of(ctx context.Context) *Request {
	if r, ok := ctx.Value(requestKey{}).(*Request); ok {
		return r
	}
	r := NewRequest()
	r.state.users = make(map[int64]*core.Account)
	return r
}

// Effects returns what the last answer would have changed.
func (r *Request) Effects() Effects {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.effects
}

// HasRead reports whether an answer depends on what the store has.
func (r *Request) HasRead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.reads) > 0
}

// result is what a read has returned.
type result[T any] struct {
	value T
	err   error
}

// remember returns what a call has returned before in this request, or else does it. What failed
// otherwise than by the contract of the store is done again.
func remember[T any](r *Request, call string, read func() (T, error)) (T, error) {
	r.mu.Lock()
	known, ok := r.reads[call].(result[T])
	r.mu.Unlock()
	if ok {
		return known.value, known.err
	}
	value, err := read()
	if err == nil || errors.Is(err, core.ErrNotFound) || errors.Is(err, core.ErrUnsupported) {
		r.mu.Lock()
		r.reads[call] = result[T]{value, err}
		r.mu.Unlock()
	}
	return value, err
}

// call names a read by its arguments.
func call(name string, arguments ...any) string { return name + fmt.Sprintf("%#v", arguments) }

// current returns an account as the answer would have changed it; ok is false if it would be
// gone.
func (r *Request) current(a core.Account) (_ core.Account, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed, is := r.state.users[a.ID]
	switch {
	case !is:
		return a, true
	case changed == nil:
		return a, false
	}
	return *changed, true
}

// left returns the accounts, as the answer would have changed them, that would not be gone.
func (r *Request) left(found []core.Account) (left []core.Account) {
	for _, a := range found {
		if now, ok := r.current(a); ok {
			left = append(left, now)
		}
	}
	return left
}

// findCreated returns the account that the answer would have created and that fits.
func (r *Request) findCreated(fits func(core.Account) bool) (core.Account, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.state.created {
		if fits(a) {
			return a, true
		}
	}
	return core.Account{}, false
}

// put keeps an account as changed; nil: it is removed.
func (r *Request) put(id int64, a *core.Account) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.users[id] = a
}

// end ends the tokens that fit.
func (r *Request) end(fits func(core.Token) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.ended = append(r.state.ended, fits)
}

// isEnded reports whether the answer would have ended a token.
func (r *Request) isEnded(t core.Token) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, fits := range r.state.ended {
		if fits(t) {
			return true
		}
	}
	return false
}

// note changes the effects.
func (r *Request) note(change func(*Effects)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.state.effects)
}
