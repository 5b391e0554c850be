package guard

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
)

// Lifetime is how long a session is good for, by the server's clock.
const Lifetime = 8 * time.Hour

// maxSessions is how many sessions there are at most; a further one ends the oldest.
const maxSessions = 64

// digest is that of a cookie's value. Sessions are looked up by it, so that how long that takes says
// nothing about values that are good.
type digest [sha256.Size]byte

// sessions are those who have shown the key.
type sessions struct {
	name string // of the cookie
	now  func() time.Time

	mu   sync.Mutex
	ends map[digest]time.Time
}

// newSessions returns no sessions. Their cookie has a name of its own: browsers keep the cookies of all
// ports of a host together, and another console on this machine must not replace it.
func newSessions(now func() time.Time) *sessions {
	return &sessions{name: "authcompat_console_" + strings.ToLower(rand.Text()[:8]), now: now, ends: make(map[digest]time.Time)}
}

// begin returns the cookie of a new session.
func (s *sessions) begin(secure bool) *http.Cookie {
	value := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var oldest digest
	for d, end := range s.ends {
		if !now.Before(end) {
			delete(s.ends, d)
		} else if first, ok := s.ends[oldest]; !ok || end.Before(first) {
			oldest = d
		}
	}
	if len(s.ends) >= maxSessions {
		delete(s.ends, oldest)
	}
	s.ends[sha256.Sum256([]byte(value))] = now.Add(Lifetime)
	return s.cookie(value, int(Lifetime/time.Second), secure)
}

// live reports whether a cookie's value is that of a session that has not ended.
func (s *sessions) live(value string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	end, ok := s.ends[sha256.Sum256([]byte(value))]
	return ok && s.now().Before(end)
}

// end ends a session, and returns the cookie that has a browser forget it.
func (s *sessions) end(value string) *http.Cookie {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ends, sha256.Sum256([]byte(value)))
	return s.cookie("", -1, false)
}

func (s *sessions) cookie(value string, maxAge int, secure bool) *http.Cookie {
	return &http.Cookie{Name: s.name, Value: value, Path: page.Root, MaxAge: maxAge, HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode}
}
