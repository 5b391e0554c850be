package adopt

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// outcomeAdopted is the outcome of a login that the old server has answered.
const outcomeAdopted = "adopted"

// requestKey is the key of the login of an [Old] in the context of its request.
type requestKey struct{}

// login is a request for the login endpoint while users are adopted.
type login struct {
	old     *Old
	request *http.Request
}

// Login logs in as engine.Login does. Where users are adopted, the old server is asked about
// what is not good here; reply is its answer to one whom it knows, for the client, and nil
// otherwise. The credentials are those that the family has read in the request of ctx, of the endpoint e.
//
// The old server is not sent the client's body, which it might read in another way: with
// repeated keys, in another charset, with a field that the profile doesn't have. It is sent the
// credentials that were read, in a body of ours. Whoever could make the two read different
// names would get a password of his own kept for the name of another.
func Login(ctx context.Context, engine *core.Service, p core.Policy, e profiles.Endpoint, username, password string) (session core.Session, reply *wire.Reply, err error) {
	l, ok := ctx.Value(requestKey{}).(login)
	if !ok {
		session, err = engine.Login(ctx, p, username, password)
		return session, nil, err
	}
	q := &referee{login: l, endpoint: e}
	session, adopted, err := engine.LoginOrAdopt(ctx, p, username, password, q)
	if err != nil || !adopted {
		return session, nil, err
	}
	if q.shown.token != "" {
		l.old.tokens.learn(l.old.digest(q.shown.token), session.User.Username)
	}
	return session, q.answer.reply(), nil
}

// referee asks the old server about a login: a core.Referee.
type referee struct {
	login
	endpoint profiles.Endpoint
	answer   *answer
	shown    shown
}

// Ask implements core.Referee.
func (q *referee) Ask(ctx context.Context, username, password string) (v core.Vouched, took time.Duration, err error) {
	release, err := q.old.logins.take(ctx)
	if err != nil {
		q.old.Count(AboutLogin, resultOf(err))
		return v, 0, err
	}
	defer release()
	began := time.Now()
	if q.answer, err = q.old.login.ask(q.write(username, password)); err == nil {
		err = q.judge()
	}
	took = time.Since(began)
	q.old.Count(AboutLogin, resultOf(err))
	if err != nil {
		return v, took, err
	}
	v = core.Vouched{Username: username, Email: q.shown.email, Attributes: q.shown.attributes}
	if q.shown.username != "" {
		v.Username = q.old.spell(q.shown.username)
	}
	return v, took, nil
}

// write makes the request.
func (q *referee) write(username, password string) *http.Request {
	text := map[profiles.Role]string{profiles.RoleUsername: username, profiles.RolePassword: password}
	var body, contentType string
	if q.readsJSON() {
		object := new(pyjson.Object)
		for _, f := range q.endpoint.Fields {
			object.Set(f.Name, text[f.Role])
		}
		body, contentType = string(pyjson.Append(nil, object, pyjson.Spaced())), "application/json"
	} else {
		var pairs []string
		for _, f := range q.endpoint.Fields {
			pairs = append(pairs, url.QueryEscape(f.Name)+"="+url.QueryEscape(text[f.Role]))
		}
		body, contentType = strings.Join(pairs, "&"), "application/x-www-form-urlencoded"
	}
	// None of the client's headers goes on by which the old server could find another user than
	// the one in the body, take the body for another, or answer in a form that can't be read.
	// Where a client could choose that there is no answer, it would learn who is asked about.
	r := question(q.endpoint.Methods[0], q.request, "Accept-Language", "User-Agent", "Origin", "Referer", "X-Requested-With")
	r.Header["Accept"] = []string{"application/json"}
	r.Header["Content-Type"] = []string{contentType}
	r.Header["Content-Length"] = []string{fmt.Sprint(len(body))}
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	return r
}

// readsJSON reports whether the endpoint of the old server reads JSON.
func (q *referee) readsJSON() bool {
	switch q.old.Profile.Family {
	case profiles.FormJSON:
		return false
	case profiles.DRF:
		for _, p := range q.endpoint.Parsers {
			if p == profiles.ParseJSON {
				return true
			}
		}
		return false
	}
	return true
}

// judge reads the answer. It fails with KindInvalidCredentials if that refuses, and with
// KindUnavailable if it says nothing of the password.
func (q *referee) judge() error {
	reply, a := q.endpoint.Reply, q.answer
	if a.status == reply.Status {
		var ok bool
		if q.shown, ok = readReply(reply.Body, a.body); ok {
			return nil
		}
		// Forms answer errors with the status of success.
		errors := q.old.Profile.Errors
		if _, refused := readReply(errors.Body, a.body); !refused || errors.Status != a.status {
			return unavailable(errShape)
		}
		return &core.Error{Kind: core.KindInvalidCredentials}
	}
	switch a.status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity:
		// Django itself answers with a page, to a Host that is not allowed for instance.
		if _, err := pyjson.DecodeBytes(a.body, pyjson.Options{}); err == nil || len(a.body) == 0 {
			return &core.Error{Kind: core.KindInvalidCredentials}
		}
	}
	return unavailable(&invalidError{fmt.Sprintf("the old server's answer to a login has status %d, and is no reply of the API", a.status)})
}
