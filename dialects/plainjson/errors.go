package plainjson

import (
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// failure is the answer to one kind of the engine's failures.
type failure struct {
	status  int
	message string // its key in the profile
	retry   bool   // the answer has a Retry-After
	outcome string // "": the name of the kind
	login   string // the message at login where that is another one
}

// failures has the answer to each kind of failure. Where its message names a
// field, that is the username.
func failures() map[core.Kind]failure {
	return map[core.Kind]failure{
		core.KindInternal:           {status: http.StatusInternalServerError, message: "unavailable"},
		core.KindInvalidCredentials: {status: http.StatusUnauthorized, message: "credentials"},
		core.KindUserInactive:       {status: http.StatusUnauthorized, message: "token_inactive", login: "inactive"},
		core.KindEmailUnverified:    {status: http.StatusUnauthorized, message: "credentials"}, // no profile of the family asks for it
		core.KindTokenUnknown:       {status: http.StatusUnauthorized, message: "token_invalid"},
		core.KindTokenExpired:       {status: http.StatusUnauthorized, message: "token_expired"},
		core.KindUsernameTaken:      {status: http.StatusBadRequest, message: "username_taken"},
		core.KindEmailTaken:         {status: http.StatusBadRequest, message: "email_invalid"},
		core.KindUnsupported:        {status: http.StatusServiceUnavailable, message: "unavailable"},
		core.KindTokenLimit:         {status: http.StatusForbidden, message: "token_limit"},
		core.KindUserUnknown:        {status: http.StatusNotFound, message: "not_found", outcome: "not_found"},
		// A name without room, where its field has no limit, or with half a character, which no field
		// refuses here.
		core.KindInvalidUser: {status: http.StatusBadRequest, message: "username_characters"},
		core.KindUnavailable: {status: http.StatusServiceUnavailable, message: "unavailable", retry: true},
		core.KindOverloaded:  {status: http.StatusServiceUnavailable, message: "unavailable", retry: true},
		core.KindThrottled:   {status: http.StatusTooManyRequests, message: "throttled", retry: true},
		core.KindCanceled:    {status: http.StatusServiceUnavailable, message: "unavailable", retry: true},
	}
}

// engineError answers a failure of the engine.
func (v *view) engineError(err error) *wire.Reply {
	kind := core.KindOf(err)
	return v.failure(v.failures[kind], kind, err)
}

// loginError answers a failure of the engine's Login.
func (v *view) loginError(err error) *wire.Reply {
	kind := core.KindOf(err)
	f := v.failures[kind]
	if f.login != "" {
		f.message = f.login
	}
	return v.failure(f, kind, err)
}

// accountError answers a failure of what changes the caller's account.
func (v *view) accountError(err error) *wire.Reply {
	switch core.KindOf(err) {
	case core.KindInvalidCredentials: // or the password has been changed since it was confirmed
		if f, ok := v.endpoint.Field(profiles.RoleCurrentPassword); ok {
			return v.fieldError(f, "current_password")
		}
	case core.KindUserUnknown: // since the token was looked up
		return v.unauthorized("token_unknown", "token_invalid")
	}
	return v.engineError(err)
}

func (v *view) failure(f failure, kind core.Kind, err error) *wire.Reply {
	wait := reply.RetryAfter(err)
	username, _ := v.endpoint.Field(profiles.RoleUsername)
	outcome := f.outcome
	if outcome == "" {
		outcome = kind.String()
	}
	r := v.errorReply(f.status, outcome, f.message, "seconds", wait.Value, "field", username.Name)
	if f.retry {
		r.Headers = with(r.Headers, wait)
	}
	if f.retry || kind == core.KindInternal {
		r.Err = err
	}
	return r
}

// errorReply is an error with one of the profile's sentences.
func (a *API) errorReply(status int, outcome, key string, pairs ...string) *wire.Reply {
	return a.sentence(status, outcome, a.profile.Messages.Format(key, pairs...))
}

// sentence is an error with a sentence.
func (a *API) sentence(status int, outcome, sentence string) *wire.Reply {
	r := a.answer(status, a.errors.Append(nil, &reply.Data{Message: sentence, Status: status}), outcome)
	return &r
}

// unauthorized is a 401 for a request without a token.
func (a *API) unauthorized(outcome, key string) *wire.Reply {
	return a.errorReply(http.StatusUnauthorized, outcome, key)
}

// badRequest is a 400 about the body.
func (a *API) badRequest(outcome, key string, pairs ...string) *wire.Reply {
	return a.errorReply(http.StatusBadRequest, outcome, key, pairs...)
}

// fieldError is a 400 about a field.
func (a *API) fieldError(f profiles.Field, key string, pairs ...string) *wire.Reply {
	return a.badRequest("invalid", key, append(pairs, "field", f.Name)...)
}
