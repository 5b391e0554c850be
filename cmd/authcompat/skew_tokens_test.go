package main

import (
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
)

// skewedToken is a sliding token that was issued by one of the nodes.
type skewedToken struct {
	key    string
	digest core.Digest
	userID int64
	ended  bool
}

// login issues a token that is used later.
func (s *skewed) login(n *skewedNode) {
	if token := s.wantLogin(n, "quiet"); token != nil {
		s.tokens = append(s.tokens, token)
	}
	if len(s.tokens) > 20 {
		s.tokens = s.tokens[1:]
	}
}

// stored returns a token as it is stored.
func (s *skewed) stored(token *skewedToken) (core.Token, bool) {
	s.t.Helper()
	var found []core.Token
	var err error
	if s.admin != nil {
		found, err = s.admin.Tokens(s.t.Context(), core.TokenFilter{Prefix: token.digest}, 1)
	} else {
		found, _, err = s.reader.UserTokens(s.t.Context(), token.userID)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	for _, t := range found {
		if string(t.Digest) == string(token.digest) {
			return t, true
		}
	}
	return core.Token{}, false
}

// use presents a token: a node goes by the token's expiry and its own clock, which never
// moves the expiry backwards.
func (s *skewed) use(n *skewedNode) {
	if len(s.tokens) == 0 {
		return
	}
	token := s.tokens[s.random.IntN(len(s.tokens))]
	before, there := s.stored(token)
	session, err := n.Authenticate(s.t.Context(), core.Policy{Realm: core.DefaultRealm}, core.Presented(token.key))
	after, still := s.stored(token)
	s.counts.uses++
	want := core.Kind(0)
	switch {
	case token.ended && there, there != still:
		s.t.Errorf("a token that is ended (%v) is stored: %v, then %v", token.ended, there, still)
	case !there:
		want = core.KindTokenUnknown
	case before.Expired(n.clock.now()):
		want = core.KindTokenExpired
	}
	if want == 0 && err != nil || want != 0 && core.KindOf(err) != want {
		s.t.Errorf("a token that expires at %v, at %v: %v, want kind %v", before.ExpiresAt, n.clock.now(), err, want)
		return
	}
	if after.ExpiresAt.Before(before.ExpiresAt) {
		s.t.Errorf("the expiry moved from %v back to %v", before.ExpiresAt, after.ExpiresAt)
	}
	if err == nil && (session.Token.ExpiresAt.After(after.ExpiresAt) || n.clock.now().Add(slidingFor.TTL).Sub(after.ExpiresAt) > core.DefaultRefreshInterval) {
		s.t.Errorf("used at %v, the token expires at %v", n.clock.now(), after.ExpiresAt)
	}
}

// useAtOnce presents a token to all nodes at the same time: of the expiries that they give
// it, the latest is kept.
func (s *skewed) useAtOnce() {
	if len(s.tokens) == 0 {
		return
	}
	token := s.tokens[s.random.IntN(len(s.tokens))]
	given := make([]time.Time, len(s.nodes))
	var all sync.WaitGroup
	for i, n := range s.nodes {
		all.Go(func() {
			if session, err := n.Authenticate(s.t.Context(), core.Policy{Realm: core.DefaultRealm}, core.Presented(token.key)); err == nil {
				given[i] = session.Token.ExpiresAt
			}
		})
	}
	all.Wait()
	s.counts.uses += len(s.nodes)
	kept, _ := s.stored(token)
	for _, to := range given {
		if to.After(kept.ExpiresAt) {
			s.t.Errorf("a node has extended a token until %v; it expires at %v", to, kept.ExpiresAt)
		}
	}
}

// logout ends a token that is alive, which no node accepts from then on.
func (s *skewed) logout(n *skewedNode) {
	if len(s.tokens) == 0 {
		return
	}
	token := s.tokens[s.random.IntN(len(s.tokens))]
	session, err := n.Authenticate(s.t.Context(), core.Policy{Realm: core.DefaultRealm}, core.Presented(token.key))
	if err != nil {
		return
	}
	if err := n.Logout(s.t.Context(), session); err != nil {
		s.t.Error(err)
	}
	token.ended = true
	for _, other := range s.nodes {
		if _, err := other.Authenticate(s.t.Context(), core.Policy{Realm: core.DefaultRealm}, core.Presented(token.key)); core.KindOf(err) != core.KindTokenUnknown {
			s.t.Errorf("a token that is ended: %v", err)
		}
	}
}

// collect deletes what has expired by the clock that counts, as a server does; one whose
// clock leaps keeps everything (TestCollectionWhileTheClockIsAhead). No token that is live
// by the real time goes.
func (s *skewed) collect(leaps bool) {
	if leaps {
		return
	}
	live := make(map[*skewedToken]bool)
	for _, token := range s.tokens {
		if stored, ok := s.stored(token); ok && !stored.Expired(s.real) {
			live[token] = true
		}
	}
	if s.admin != nil { // Django's tokens are its own to delete
		n, err := s.admin.PurgeTokens(s.t.Context(), s.counting.now(), nil, 1000)
		if err != nil {
			s.t.Error(err)
		}
		s.counts.purged += n
	}
	if _, err := s.limiter.PruneLimits(s.t.Context(), s.counting.now(), 1000); err != nil {
		s.t.Error(err)
	}
	for token := range live {
		if _, ok := s.stored(token); !ok {
			s.t.Error("a live token was deleted")
		}
	}
}
