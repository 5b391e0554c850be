package formjson

import (
	"net/http"
	"strconv"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// nonField is where errors that belong to no field stand
// (django/core/exceptions.py, NON_FIELD_ERRORS).
const nonField = "__all__"

// failure is the answer of a form view to one kind of the engine's failures.
type failure struct {
	status   int    // 0: the profile's, as for any form with errors
	message  string // its key in the profile
	username bool   // the error is the username's, not the whole form's
	retry    bool   // the answer has a Retry-After
}

// failures has the answer to each kind of failure.
func failures() map[core.Kind]failure {
	internal := failure{status: http.StatusInternalServerError, message: "unavailable"}
	return map[core.Kind]failure{
		core.KindInternal:           internal,
		core.KindInvalidCredentials: {message: "credentials"},
		core.KindUserInactive:       {message: "credentials"},
		core.KindEmailUnverified:    {message: "credentials"}, // no profile of the family asks for it
		// The genuine server fails when another request has just taken the name.
		core.KindUsernameTaken: {message: "username_taken", username: true},
		core.KindEmailTaken:    {status: http.StatusBadRequest, message: "email_invalid"},
		core.KindUnsupported:   {status: http.StatusServiceUnavailable, message: "unavailable"},
		core.KindTokenLimit:    {status: http.StatusForbidden, message: "token_limit"},
		// A name without room, where its field has no limit: the sentence from before there was one.
		core.KindInvalidUser: {message: "username_characters", username: true},
		core.KindUnavailable: {status: http.StatusServiceUnavailable, message: "unavailable", retry: true},
		core.KindOverloaded:  {status: http.StatusServiceUnavailable, message: "unavailable", retry: true},
		core.KindThrottled:   {status: http.StatusTooManyRequests, message: "throttled", retry: true},
		core.KindCanceled:    {status: http.StatusServiceUnavailable, message: "unavailable", retry: true},
		// No form takes a token or asks for a user: these would be defects.
		core.KindTokenUnknown: internal,
		core.KindTokenExpired: internal,
		core.KindUserUnknown:  internal,
	}
}

// engineError answers a failure of the engine.
func (v *view) engineError(err error) wire.Reply {
	kind := core.KindOf(err)
	f := v.failures[kind]
	name := nonField
	if f.username {
		field, _ := v.endpoint.Field(profiles.RoleUsername)
		name = field.Name
	}
	wait := reply.RetryAfter(err)
	r := v.badRequest(fieldError(name, v.message(f.message, "seconds", wait.Value)), kind.String())
	if f.status != 0 {
		r.Status = f.status
		r.Err = err
	}
	if f.retry {
		r.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)], wait)
	}
	return r
}

// badRequest is the reply to a form with errors. Its status is the profile's, as a
// rule 200.
func (a *API) badRequest(errors *pyjson.Object, outcome string) wire.Reply {
	return a.answer(a.profile.Errors.Status, a.errorBody(errors), outcome)
}

// errorBody is the body of a failure.
func (a *API) errorBody(errors *pyjson.Object) []byte {
	return a.errors.Append(nil, &reply.Data{Errors: errors})
}

// fieldError is one error of one field.
func fieldError(name, message string) *pyjson.Object {
	return new(pyjson.Object).Set(name, []any{message})
}

// tooLong is the error of a text with more than limit of its length characters.
func (a *API) tooLong(limit, length int) string {
	return a.message("max_length", "max", strconv.Itoa(limit), "length", strconv.Itoa(length))
}
