package adopt

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
)

// How long holds what was found of the probe.
const (
	trustFor    = time.Hour
	distrustFor = time.Minute
	unknownFor  = time.Second
)

// trust is whether the probe tells good tokens from others, and not each request that it is good.
type trust struct {
	mu     sync.Mutex
	known  bool // an answer was found: good
	good   bool
	err    error // of the last look, if nothing is known; with KindUnavailable
	until  time.Time
	look   chan struct{} // closed at the end of the look that is under way; nil: none is
	warned bool
}

// CheckProbe looks whether the old server refuses, at the probe, a request without a token and one
// with a token that nobody has, unless it did so lately. An old server that doesn't vouches for
// nobody: its good says nothing. It fails with KindUnavailable, while that is not known, or
// with KindCanceled.
func (o *Old) CheckProbe(ctx context.Context) (good bool, err error) {
	if o.probe == nil || !o.Active() {
		return false, nil
	}
	t := &o.trust
	t.mu.Lock()
	if o.Now().Before(t.until) {
		defer t.mu.Unlock()
		return t.good, t.err
	}
	if t.look == nil {
		t.look = make(chan struct{})
		go o.lookAtProbe() // also for others, if this client leaves
	}
	look := t.look
	t.mu.Unlock()
	select {
	case <-look:
	case <-ctx.Done():
		return false, &core.Error{Kind: core.KindCanceled, Err: ctx.Err()}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.good, t.err
}

// lookAtProbe asks, and notes what that says.
func (o *Old) lookAtProbe() {
	what, err := o.tryProbe()
	t := &o.trust
	t.mu.Lock()
	defer t.mu.Unlock()
	defer func() {
		close(t.look)
		t.look = nil
	}()
	switch now := o.Now(); {
	case err != nil && t.known: // what was found before still holds
		t.until = now.Add(distrustFor)
	case err != nil:
		t.err, t.until = err, now.Add(unknownFor)
	case what == "":
		t.known, t.good, t.err, t.until, t.warned = true, true, nil, now.Add(trustFor), false
	default:
		t.known, t.good, t.err, t.until = true, false, nil, now.Add(distrustFor)
		if !t.warned {
			t.warned = true
			o.Log.Error("tokens of the old server are all refused: the probe does not tell good ones from others, since it has to answer with 401 or 403 to a request without a good token",
				"profile", o.Profile.Name, "setting", o.ProbeAt, "found", what)
		}
	}
}

// tryProbe returns which answer shows that the probe says nothing of tokens; empty: none does.
func (o *Old) tryProbe() (what string, err error) {
	invented := make([]byte, (o.Profile.Tokens.Hex+1)/2)
	_, _ = rand.Read(invented) // it never fails
	for _, try := range []struct{ of, authorization string }{
		{"without a token", ""},
		{"with a random token", o.Profile.Scheme + " " + hex.EncodeToString(invented)[:o.Profile.Tokens.Hex]},
	} {
		q := question(http.MethodGet, &http.Request{})
		if try.authorization != "" {
			q.Header["Authorization"] = []string{try.authorization}
		}
		got, err := o.probe.ask(q)
		switch {
		case err != nil:
			return "", err
		case got.status == http.StatusUnauthorized, got.status == http.StatusForbidden:
		case got.status >= http.StatusInternalServerError, got.status == http.StatusTooManyRequests: // it may pass
			return "", unavailable(&invalidError{fmt.Sprintf("the old server's answer to a probe %s has status %d", try.of, got.status)})
		default:
			return fmt.Sprintf("status %d %s", got.status, try.of), nil
		}
	}
	return "", nil
}
