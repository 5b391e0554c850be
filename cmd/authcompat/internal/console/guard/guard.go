// Package guard lets nobody into a console but those who have its key, from pages of its own.
//
// A request is checked in this order: the name in Host is one of the console's (403), it does not come from
// a page of another origin (403), it has the cookie of a session (401). The first keeps names out that
// somebody else lets point to this machine (DNS rebinding), the second keeps other pages from acting in the
// name of whoever has the console open.
package guard

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
)

const (
	root         = page.Root
	keyParameter = "key"
	// maxBody is how many bytes of a body are read: enough for a request of 1 MiB in a form, where each of
	// its bytes takes six if it is written as an escape, %5Cxff.
	maxBody = 8 << 20
	// maxForm is that of the form with the key.
	maxForm = 4 << 10
)

// policy is the Content-Security-Policy of every answer: whatever is not from this console is
// refused, and so is everything inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// Options are what a Guard goes by.
type Options struct {
	Key string // of NewKey
	// Hosts are the names under which the console may be asked for, without ports: host names and
	// IP addresses, as Hosts returns them.
	Hosts []string
	// Now is the clock by which sessions end; nil: this machine's.
	Now func() time.Time
}

// A Guard is what stands before the views of a console.
type Guard struct {
	key      [sha256.Size]byte
	hosts    []string
	cross    *http.CrossOriginProtection
	sessions *sessions
}

// New returns a guard.
func New(o Options) *Guard {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Guard{key: sha256.Sum256([]byte(o.Key)), hosts: o.Hosts, cross: http.NewCrossOriginProtection(), sessions: newSessions(o.Now)}
}

// Wrap returns a handler that lets those requests through to next that pass all checks. It answers
// itself where a session begins and ends: GET /console/?key=…, and POST to login and logout.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		switch {
		case !g.known(r.Host):
			refuse(w, "This console is not known under that name. Names are added with --console-host.")
		case !g.fromOwnPage(r):
			refuse(w, "A request that comes from a page of another origin is refused.")
		case (r.URL.Path == "/" || r.URL.Path+"/" == root) && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			http.Redirect(w, r, root, http.StatusSeeOther) // browsers send the cookie only below root
		case g.opens(w, r):
		case strings.HasPrefix(r.URL.Path, page.StaticPath): // public, and the locked page needs it
			page.Static().ServeHTTP(w, r)
		case !g.sessions.live(cookie(r, g.sessions.name)):
			page.Locked(w, "There is no session, or it has ended.")
		case !slices.Contains(methods(), r.Method):
			w.Header().Set("Allow", strings.Join(methods(), ", "))
			page.Error(w, r, http.StatusMethodNotAllowed, "Only GET, HEAD and POST are answered.")
		case r.Method == http.MethodPost && r.URL.Path == root+"logout":
			g.logout(w, r)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			next.ServeHTTP(w, r)
		}
	})
}

func methods() []string { return []string{http.MethodGet, http.MethodHead, http.MethodPost} }

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	// Not no-referrer: with that, forms of our own pages would be sent with Origin: null
	// (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// refuse answers those who may be no user of the console at all: in plain words, without a page.
func refuse(w http.ResponseWriter, why string) { http.Error(w, why, http.StatusForbidden) }

// known reports whether the console may be asked for under the name in a Host header, at whatever
// port: a tunnel may have another.
func (g *Guard) known(host string) bool {
	name, ok := hostName(host)
	return ok && slices.Contains(g.hosts, name)
}

// hostName returns the name in a Host header, in the form of Hosts.
func hostName(host string) (string, bool) {
	name := host
	if h, port, err := net.SplitHostPort(host); err == nil {
		if port == "" || strings.Trim(port, "0123456789") != "" {
			return "", false
		}
		name = h
	} else if inside, ok := strings.CutPrefix(host, "["); ok {
		if name, ok = strings.CutSuffix(inside, "]"); !ok {
			return "", false
		}
	} else if strings.Contains(host, ":") {
		return "", false
	}
	return canonical(name), name != ""
}

// canonical returns a host's name or IP address as it is compared.
func canonical(name string) string {
	if ip := net.ParseIP(name); ip != nil {
		return ip.String()
	}
	return strings.ToLower(name)
}

// Hosts returns the names under which a console at a listener's address may be asked for: that of the
// address, or those of this machine itself if it is at a loopback address or at all addresses, and more.
func Hosts(listener net.Addr, more []string) []string {
	var names []string
	host, _, err := net.SplitHostPort(listener.String())
	ip := net.ParseIP(host)
	switch {
	case err != nil:
	case ip == nil:
		names = append(names, canonical(host))
	case ip.IsLoopback() || ip.IsUnspecified():
		names = append(names, "localhost", "127.0.0.1", "::1")
	}
	if ip != nil && !ip.IsUnspecified() {
		names = append(names, ip.String())
	}
	for _, name := range more {
		names = append(names, canonical(strings.Trim(name, "[]")))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fromOwnPage reports whether a request is of a page of this console, or of no page. What a browser is
// told to open, as a link in a mail, comes from elsewhere too: that is let through, and finds no session,
// since browsers send no SameSite=Strict cookie with it.
func (g *Guard) fromOwnPage(r *http.Request) bool {
	if g.cross.Check(r) != nil {
		return false
	}
	if origins, ok := r.Header["Origin"]; ok {
		origin, err := url.Parse(strings.Join(origins, ","))
		if err != nil || origin.Host == "" || !strings.EqualFold(origin.Host, r.Host) {
			return false
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// fits compares a key in a time that does not depend on how much of it is right.
func (g *Guard) fits(key string) bool {
	given := sha256.Sum256([]byte(key))
	return subtle.ConstantTimeCompare(given[:], g.key[:]) == 1
}

// opens answers requests that bring the key, right or wrong.
func (g *Guard) opens(w http.ResponseWriter, r *http.Request) bool {
	key := ""
	switch {
	case r.Method == http.MethodGet && r.URL.Path == root && r.URL.Query().Has(keyParameter):
		key = r.URL.Query().Get(keyParameter)
	case r.Method == http.MethodPost && r.URL.Path == root+"login":
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		key = r.PostFormValue(keyParameter)
	default:
		return false
	}
	if !g.fits(strings.TrimSpace(key)) {
		page.Locked(w, "That is not the key of this console. Each start of authcompat makes another one.")
		return true
	}
	http.SetCookie(w, g.sessions.begin(r.TLS != nil))
	// To a path without the key, which would otherwise stay in the address bar, and be in the Referer of what the page
	// loads. Browsers keep the address with it in their history all the same: docs/console.md says so.
	http.Redirect(w, r, root, http.StatusSeeOther)
	return true
}

func (g *Guard) logout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, g.sessions.end(cookie(r, g.sessions.name)))
	http.Redirect(w, r, root, http.StatusSeeOther)
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
