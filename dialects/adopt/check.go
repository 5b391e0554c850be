package adopt

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
)

// namesUser reports whether a path is that of an account whose user it names.
func namesUser(pattern, path string) bool {
	before, after, found := strings.Cut(pattern, "{username}")
	path = strings.TrimSuffix(path, "/") + "/"
	return found && strings.HasPrefix(path, before) && strings.HasSuffix(path, strings.TrimSuffix(after, "/")+"/")
}

// unknown returns the text of a request's token, if it has one that can be looked up, and
// that is not known here.
func (o *Old) unknown(r *http.Request) (text string, unknown bool) {
	header, _ := wire.Header(r, "Authorization")
	parsed, text := token.Parse(header, o.Profile.Scheme)
	if parsed != token.Found {
		return "", false
	}
	_, err := o.Engine.Authenticate(r.Context(), token.Policy(o.Profile), token.Presented(text, o.Profile.Tokens.Match))
	return text, err != nil && core.KindOf(err) == core.KindTokenUnknown
}

// maxToken is how many bytes a token has at most that is asked about.
const maxToken = 1024

// check returns what the old server says of a token, now or at most a minute ago. It fails
// with KindUnavailable or KindCanceled.
func (o *Old) check(r *http.Request, text string) (verdict, error) {
	// What can't be a token is not asked about: the old server could refuse the whole request.
	if o.probe == nil || len(text) > maxToken || !isToken(text) {
		return verdict{}, nil
	}
	if good, err := o.CheckProbe(r.Context()); err != nil || !good {
		return verdict{}, err
	}
	d := o.digest(text)
	v, asking, mine := o.tokens.recall(d)
	switch {
	case asking == nil:
		return v, v.err
	case mine:
		o.ask(r, text, d, asking)
	default:
		select {
		case <-asking.done:
		case <-r.Context().Done():
			return verdict{}, &core.Error{Kind: core.KindCanceled, Err: r.Context().Err()}
		}
	}
	return asking.v, asking.err
}

// ask asks the old server about a token, for all who wait for the answer.
func (o *Old) ask(r *http.Request, text string, d digest, c *call) {
	var v verdict
	err, asked := error(unavailable(errNoAnswer)), o.Now()
	defer func() { o.tokens.settle(d, c, asked, v, err) }() // also if this panics
	// Others wait, who are still there when this client has left.
	release, err := o.checks.take(context.WithoutCancel(r.Context()))
	if err != nil {
		o.Count(AboutToken, resultOf(err))
		return
	}
	defer release()
	asked = o.Now()
	q := question(http.MethodGet, r)
	q.Header["Authorization"] = []string{o.Profile.Scheme + " " + text}
	got, err := o.probe.ask(q)
	result := resultOf(err)
	if err == nil {
		if v, err = o.judge(got); err != nil {
			result = resultOf(err)
		} else if !v.good {
			result = ResultBad
		}
	}
	o.Count(AboutToken, result)
}

// judge reads the answer to a probe.
func (o *Old) judge(a *answer) (v verdict, err error) {
	switch {
	case a.status >= http.StatusOK && a.status < http.StatusMultipleChoices:
		v.good, v.username = true, usernameAt(o.usernames, a.body)
	case a.status != http.StatusUnauthorized && a.status != http.StatusForbidden:
		err = unavailable(&invalidError{fmt.Sprintf("the old server's answer to a probe has status %d", a.status)})
	}
	return v, err
}

// session returns the session of a token that is unknown here; nil: it is bad. Its user is
// the zero one unless it is known whose the token is, and who that is here: a user who was
// adopted, since others have the names of nobody at the old server.
func (o *Old) session(r *http.Request, text string) (*core.Session, error) {
	v, err := o.check(r, text)
	if err != nil || !v.good {
		return nil, err
	}
	presented := token.Presented(text, o.Profile.Tokens.Match)
	s := &core.Session{Token: core.Token{Digest: presented.SHA256(), Realm: o.Profile.Tokens.Realm, Issuer: o.Profile.Name}}
	username := o.tokens.owner(o.digest(text))
	if username == "" {
		username = v.username
	}
	if username == "" {
		return s, nil
	}
	if disabled, err := o.Engine.Disabled(r.Context(), username); err != nil || disabled { // by an operator
		return nil, err
	}
	user, err := o.Engine.User(r.Context(), o.spell(username))
	switch {
	case err == nil && user.Attributes[core.AdoptedFrom] != o.Profile.Name:
	case err == nil && !user.Active: // since then
		return nil, nil
	case err == nil:
		s.User, s.Token.UserID = user, user.ID
	case core.KindOf(err) != core.KindUserUnknown:
		return nil, err
	}
	return s, nil
}
