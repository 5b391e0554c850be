package drf

import (
	"net/http"
	"strconv"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/profiles"
)

// failure is the answer to one kind of the engine's failures.
type failure struct {
	status  int
	message string // its key in the profile
	shape   shape
	retry   bool   // the answer has a Retry-After
	outcome string // "": the name of the kind
	// login is the answer at login where that is another one.
	login *failure
}

// shape is the JSON around the message of a failure.
type shape int

const (
	asDetail   shape = iota // as the framework's exception handler writes it
	asNonField              // an error of the serializer as a whole
	asUsername              // an error of the username's field, or of none where there is none
	asEmail                 // likewise of the address's
)

// failures has the answer to each kind of failure.
func failures(rules profiles.Rules) map[core.Kind]failure {
	inactive := "credentials"
	if rules.InactiveLogin == profiles.Revealed {
		inactive = "inactive"
	}
	return map[core.Kind]failure{
		core.KindInternal:           {status: http.StatusInternalServerError, message: "unavailable"},
		core.KindInvalidCredentials: {status: http.StatusBadRequest, message: "credentials", shape: asNonField},
		core.KindUserInactive: {
			status: http.StatusUnauthorized, message: "token_inactive",
			login: &failure{status: http.StatusBadRequest, message: inactive, shape: asNonField},
		},
		core.KindEmailUnverified: {status: http.StatusBadRequest, message: "email_unverified", shape: asNonField},
		core.KindTokenUnknown:    {status: http.StatusUnauthorized, message: "token_invalid"},
		core.KindTokenExpired:    {status: http.StatusUnauthorized, message: "token_expired"},
		// The genuine server finds a name that differs only before normalisation, or
		// that another request has just taken, in the database alone, and fails.
		core.KindUsernameTaken: {status: http.StatusBadRequest, message: "username_taken", shape: asUsername},
		core.KindEmailTaken:    {status: http.StatusBadRequest, message: "email_taken", shape: asEmail},
		// The genuine server deletes what refers to a user with the user.
		core.KindUnsupported: {status: http.StatusConflict, message: "unsupported"},
		core.KindTokenLimit:  {status: http.StatusForbidden, message: "token_limit"},
		core.KindUserUnknown: {status: http.StatusNotFound, message: "not_found", outcome: "not_found"},
		core.KindInvalidUser: {status: http.StatusBadRequest, message: "max_length", shape: asUsername},
		core.KindUnavailable: {status: http.StatusServiceUnavailable, message: "unavailable", retry: true},
		core.KindOverloaded:  {status: http.StatusTooManyRequests, message: "throttled", retry: true},
		core.KindThrottled:   {status: http.StatusTooManyRequests, message: "throttled", retry: true},
		core.KindCanceled:    {status: http.StatusServiceUnavailable, message: "unavailable", retry: true},
	}
}

// engineError answers a failure of the engine.
func (v *view) engineError(err error) *result {
	kind := core.KindOf(err)
	return v.failure(v.failures[kind], kind, err)
}

// loginError answers a failure of the engine's Login.
func (v *view) loginError(err error) *result {
	kind := core.KindOf(err)
	f := v.failures[kind]
	if f.login != nil {
		f = *f.login
	}
	return v.failure(f, kind, err)
}

// registerError answers a failure of the engine's Register. What only the database finds taken, as another
// request has just taken it or only its normalised form is, is no field's at djoser
// (djoser/serializers.py 2.1, UserCreateSerializer.create).
func (v *view) registerError(err error) *result {
	kind := core.KindOf(err)
	sentence := v.message("not_created")
	if sentence == "" || kind != core.KindUsernameTaken && kind != core.KindEmailTaken {
		return v.engineError(err)
	}
	r := badRequest([]any{sentence})
	r.outcome = kind.String()
	return r
}

func (v *view) failure(f failure, kind core.Kind, err error) *result {
	wait := reply.RetryAfter(err)
	field, named := v.endpoint.Field(profiles.RoleUsername)
	if kind == core.KindInvalidUser && v.endpoint.Action != profiles.Register && !named {
		f.message = "invalid_user"
	}
	address, addressed := v.endpoint.Field(profiles.RoleEmail)
	sentence := v.message(f.message, "seconds", wait.Value, "max", strconv.Itoa(v.policy.MaxUsername))
	outcome := f.outcome
	if outcome == "" {
		outcome = kind.String()
	}
	var r *result
	switch {
	case kind == core.KindTokenLimit:
		return v.tokenLimit()
	case f.shape == asNonField:
		r = fieldError(v.profile.Errors.NonField, sentence)
	case f.shape == asUsername && named:
		r = fieldError(field.Name, sentence)
	case f.shape == asEmail && addressed:
		r = fieldError(address.Name, sentence)
	case f.shape == asUsername, f.shape == asEmail:
		r = fieldError(v.profile.Errors.NonField, sentence)
	case f.status == http.StatusUnauthorized:
		r = v.unauthorized(outcome, sentence)
	default:
		r = v.detail(f.status, outcome, sentence)
	}
	r.outcome = outcome
	if f.retry {
		r.headers = []profiles.Header{wait}
	}
	if f.retry || kind == core.KindInternal {
		r.err = err
	}
	return r
}

// detail is an error as the framework's exception handler shapes it.
func (a *API) detail(status int, outcome, sentence string) *result {
	body := a.detailBody.Append(nil, &reply.Data{Message: sentence, Status: status})
	return &result{status: status, body: body, outcome: outcome}
}

// tokenLimit is the answer to a login beyond the limit of live tokens (knox/views.py, LoginView).
func (v *view) tokenLimit() *result {
	return &result{
		status: http.StatusForbidden, outcome: core.KindTokenLimit.String(),
		data: new(pyjson.Object).Set("error", v.message("token_limit")),
	}
}

// badRequest is a 400 with the errors of a serializer, by field.
func badRequest(errors any) *result {
	return &result{status: http.StatusBadRequest, data: errors, outcome: "invalid"}
}

// fieldError is a 400 with one error of one field.
func fieldError(name, message string) *result {
	return badRequest(new(pyjson.Object).Set(name, []any{message}))
}
