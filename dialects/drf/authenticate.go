package drf

import (
	"context"
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// authenticate asks the view's classes in turn who the client is (rest_framework/request.py,
// Request._authenticate): the first that says who, or raises, ends it. It gives nil for an
// anonymous request. late is the failed negotiation of a stack that negotiates last.
func (v *view) authenticate(c *call, late *result) (*core.Session, *result) {
	header, _ := wire.Header(c.request, "Authorization")
	for _, a := range v.endpoint.Authentication {
		var session *core.Session
		var refusal *result
		switch a.Kind {
		case profiles.AuthenticateSession:
			// SessionAuthentication looks at request.user, which SessionMiddleware notices.
			c.scratch.cookie = true
		case profiles.AuthenticateBasic:
			session, refusal = v.basic(c, header, late)
		default:
			session, refusal = v.token(c, header, a.Word)
		}
		if session != nil || refusal != nil {
			return session, refusal
		}
	}
	return nil, nil
}

// token is TokenAuthentication, which is the same in knox.
func (v *view) token(c *call, header, keyword string) (*core.Session, *result) {
	parsed, text := token.Parse(header, keyword)
	if parsed == token.NotUTF8 && v.profile.Rules.TokenCharacters == profiles.TokenCharactersUnknown {
		parsed = token.Found
	}
	switch parsed {
	case token.Absent:
		return nil, nil
	case token.Empty:
		return nil, v.unauthorized("token_malformed", v.message("token_empty"))
	case token.HasSpaces:
		return nil, v.unauthorized("token_malformed", v.message("token_spaces"))
	case token.NotUTF8:
		return nil, v.unauthorized("token_malformed", v.message("token_characters"))
	}
	c.scratch.presented = token.Presented(text, v.profile.Tokens.Match)
	session, err := v.engine.Authenticate(c.context(), v.policy, c.scratch.presented)
	if err != nil {
		return nil, v.engineError(err)
	}
	return c.keep(session), nil
}

// still tells whether the client of a call is still who it was when the call was admitted, and may do to a user, unless that is nil, what it
// asks for. What it says does not go by what was read since then.
func (v *view) still(c call, to *core.User) core.Still {
	if c.session == nil {
		return nil
	}
	return func(ctx context.Context) error {
		var err error
		if hasToken(c.session) {
			c.session.User, err = v.engine.Owner(ctx, v.policy.Realm, c.scratch.presented)
		} else {
			c.session.User, err = v.engine.Reconfirm(ctx, c.scratch.confirmed)
		}
		var refusal *result
		switch {
		case err != nil && hasToken(c.session):
			refusal = v.engineError(err)
		case err != nil:
			refusal = v.basicError(err)
		case to != nil:
			refusal = v.others(c.session.User, *to)
		}
		if refusal != nil {
			return &refused{*refusal}
		}
		return nil
	}
}

// refused is the error of a client that may not do any more what it has asked for.
type refused struct{ answer result }

func (*refused) Error() string { return "the client may not do that any more" }

// basic is BasicAuthentication. The session has no token, unless the endpoint issues one to
// whoever gives a password: then that is checked once for both.
func (v *view) basic(c *call, header string, late *result) (*core.Session, *result) {
	parsed, name, password := token.ParseBasic(header, v.profile.Rules)
	switch parsed {
	case token.Absent:
		return nil, nil
	case token.Empty:
		return nil, v.unauthorized("basic_malformed", v.message("basic_empty"))
	case token.HasSpaces:
		return nil, v.unauthorized("basic_malformed", v.message("basic_spaces"))
	case token.NotBase64:
		return nil, v.unauthorized("basic_malformed", v.message("basic_encoding"))
	}
	var session core.Session
	var err error
	if _, issues := v.action.(issueAction); issues && c.served && late == nil {
		session, err = v.engine.Login(c.context(), v.policy, name, password)
	} else {
		// A token of this realm, if it had one.
		session.Token = core.Token{Realm: v.policy.Realm, Issuer: v.policy.Issuer}
		c.scratch.confirmed, err = v.engine.AuthenticatePassword(c.context(), v.policy, name, password)
		session.User = c.scratch.confirmed.User()
	}
	if err != nil {
		return nil, v.basicError(err)
	}
	return c.keep(session), nil
}

// basicError answers a failure of the engine about a password in HTTP Basic.
func (v *view) basicError(err error) *result {
	switch kind := core.KindOf(err); kind {
	case core.KindInvalidCredentials:
		return v.unauthorized(kind.String(), v.message("basic_invalid"))
	case core.KindUserInactive:
		return v.unauthorized(kind.String(), v.message("basic_inactive"))
	case core.KindTokenLimit:
		return v.tokenLimit()
	}
	return v.engineError(err)
}

// keep puts a session in the call's memory.
func (c *call) keep(session core.Session) *core.Session {
	c.scratch.session = session
	return &c.scratch.session
}

// hasToken tells whether a session has a token, and not a password alone.
func hasToken(s *core.Session) bool { return len(s.Token.Digest) > 0 }

// unauthorized is an answer to a client that is not recognised: 401 with the challenge of the
// first class, or 403 if that has none (rest_framework/views.py, APIView.handle_exception).
func (v *view) unauthorized(outcome, sentence string) *result {
	challenge := ""
	if len(v.endpoint.Authentication) > 0 {
		challenge = v.endpoint.Authentication[0].Challenge()
	}
	if challenge == "" {
		return v.detail(http.StatusForbidden, outcome, sentence)
	}
	r := v.detail(http.StatusUnauthorized, outcome, sentence)
	r.headers = []profiles.Header{{Name: "WWW-Authenticate", Value: challenge}}
	return r
}

// varyByCookie marks a reply for which a session was looked for.
func (v *view) varyByCookie(out *wire.Reply) {
	if out.Always == nil { // a page of Django's, which has no Vary of its own
		out.Headers = append(out.Headers[:len(out.Headers):len(out.Headers)], profiles.Header{Name: "Vary", Value: "Cookie"})
		return
	}
	out.Always = v.cookied
}
