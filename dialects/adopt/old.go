package adopt

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/profiles"
)

// Options are what is needed to adopt the users of an old server.
type Options struct {
	Profile *profiles.Profile // with a login endpoint
	Engine  *core.Service
	// Login is the URL of the old server's login. Probe is one that it answers with 2xx for a
	// good token and with 401 or 403 for another; nil: unknown tokens are not asked about.
	Login, Probe *url.URL
	// ProbeAt is the position of the setting of Probe, for the log.
	ProbeAt string
	// Host is the Host of questions; empty: that of the URL. It is never the client's, who could
	// choose with it which of several applications behind one address vouches for him.
	Host string
	// Until is when all of this ends, but for registrations, which are passed on for ever.
	Until time.Time
	// Front is how the old server is connected to: TLS, Timeout, Trusted, Own and Scheme.
	Front front.Options
	// Former is the old server before a reload of the settings, whose memory goes on; nil: there
	// is none.
	Former *Old
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Log is told of a probe that says nothing; nil: nobody is.
	Log *slog.Logger
	// Count is told of each question and its result; nil: nobody is.
	Count func(About, Result)
}

// About is what a question is about, for metrics.
type About string

// What questions are about.
const (
	AboutLogin About = "login"
	AboutToken About = "token"
)

// Abouts returns all values.
func Abouts() []About { return []About{AboutLogin, AboutToken} }

// Result is what came of a question, for metrics.
type Result string

// The results of questions.
const (
	ResultGood        Result = "good"
	ResultBad         Result = "bad"
	ResultUnavailable Result = "unavailable" // no answer
	ResultInvalid     Result = "invalid"     // one that says nothing
	ResultCrowded     Result = "crowded"     // not asked: too many questions wait
	ResultCanceled    Result = "canceled"    // not asked: the client left
)

// Results returns all results.
func Results() []Result {
	return []Result{ResultGood, ResultBad, ResultUnavailable, ResultInvalid, ResultCrowded, ResultCanceled}
}

func resultOf(err error) Result {
	var invalid *invalidError
	switch {
	case err == nil:
		return ResultGood
	case core.KindOf(err) == core.KindInvalidCredentials:
		return ResultBad
	case core.KindOf(err) == core.KindCanceled:
		return ResultCanceled
	case errors.Is(err, errTooMany):
		return ResultCrowded
	case errors.As(err, &invalid):
		return ResultInvalid
	}
	return ResultUnavailable
}

// How many questions are asked at a time, and how many more wait: of logins, and of tokens.
const (
	maxAsked   = 16
	maxWaiting = 128
)

// Old is an old server whose users are adopted.
type Old struct {
	Options
	login, probe   *asker // probe is nil without one
	logins, checks *turns
	tokens         *tokens
	trust          trust
	usernames      [][]string // where the answer to a probe shows the username
}

// New makes an Old.
func New(o Options) *Old {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Count == nil {
		o.Count = func(About, Result) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	old := &Old{Options: o, logins: newTurns(maxAsked, maxWaiting), checks: newTurns(maxAsked, maxWaiting), tokens: newTokens(o.Now)}
	if o.Former != nil {
		old.tokens, old.Former = o.Former.tokens, nil
	}
	old.login = newAsker(o.Front, o.Login, o.Host)
	if o.Probe != nil {
		old.probe = newAsker(o.Front, o.Probe, o.Host)
		old.usernames = shownAt(o.Profile, o.Probe)
	}
	return old
}

func newAsker(o front.Options, u *url.URL, host string) *asker {
	if host == "" {
		host = u.Host
	}
	if o.Timeout == 0 {
		o.Timeout = front.DefaultTimeout
	}
	a := &asker{target: u.RequestURI(), host: host, timeout: min(o.Timeout, askTimeout)}
	a.front = front.New(failures{}, front.Options{
		Old:     front.Application{URL: &url.URL{Scheme: u.Scheme, Host: u.Host}, TLS: o.Old.TLS},
		Timeout: a.timeout, Trusted: o.Trusted, Own: o.Own, Scheme: o.Scheme,
	})
	return a
}

// shownAt returns where the answer to a probe shows the username: where the profile's account
// or login does. A path that names a user shows that one to everybody.
func shownAt(p *profiles.Profile, probe *url.URL) (paths [][]string) {
	for _, action := range []profiles.Action{profiles.Account, profiles.Login} {
		e, ok := p.Endpoint(action)
		if !ok {
			continue
		}
		if action == profiles.Account && namesUser(e.Path, probe.Path) {
			return nil
		}
		paths = append(paths, usernamePaths(e.Reply.Body)...)
	}
	return paths
}

// Active reports whether users are adopted now.
func (o *Old) Active() bool { return o.Now().Before(o.Until) }

// Retire closes connections that wait for questions.
func (o *Old) Retire() {
	o.login.front.Retire()
	if o.probe != nil {
		o.probe.front.Retire()
	}
}

// digest is that of what a text presents.
func (o *Old) digest(text string) digest {
	return sha256.Sum256([]byte(token.Presented(text, o.Profile.Tokens.Match)))
}

// question makes a request to the old server for a client, with those of its headers that go
// on: those that say where it came from, which a front drops unless the client is a trusted
// proxy, and the named ones. What is long or odd does not: an old server could refuse the
// request for it.
func question(method string, client *http.Request, more ...string) *http.Request {
	header := make(http.Header)
	for _, name := range append(more, "X-Forwarded-Proto") {
		if values := client.Header[name]; len(values) == 1 && isPlain(values[0]) {
			header[name] = slices.Clone(values)
		}
	}
	if nearest := nearest(client.Header["X-Forwarded-For"]); nearest != "" {
		header["X-Forwarded-For"] = []string{nearest}
	}
	return &http.Request{Method: method, URL: &url.URL{Path: "/"}, Header: header, RemoteAddr: client.RemoteAddr}
}

// maxHeader is how many bytes of a client's header go on.
const maxHeader = 256

// isPlain reports whether a header's value is short, and of printable ASCII.
func isPlain(value string) bool {
	return len(value) <= maxHeader && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
}

// nearest returns the end of an X-Forwarded-For, which proxies have written, without what a
// client may have begun it with.
func nearest(values []string) (end string) {
	all := strings.Split(strings.Join(values, ","), ",")
	for i := range slices.Backward(all) {
		longer := strings.TrimSpace(strings.Join(all[i:], ","))
		if !isPlain(longer) {
			break
		}
		end = longer
	}
	return end
}

// spell returns a username that the old server shows as the profile's login reads it: so it
// is looked up by the next login.
func (o *Old) spell(username string) string {
	e, _ := o.Profile.Endpoint(profiles.Login)
	field, _ := e.Field(profiles.RoleUsername)
	if field.Trim {
		username = spelling.Strip(username)
	}
	if field.Lower {
		username = strings.ToLower(username)
	}
	if o.Profile.Family == profiles.FormJSON && o.Profile.Rules.NormalizeUsername == profiles.NormalizeUsernameNFKC {
		username = spelling.Normalize(username)
	}
	return username
}
