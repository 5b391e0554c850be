package drf

import (
	"errors"
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// Admitted is a request that a view has admitted.
type Admitted struct {
	W       http.ResponseWriter
	Request *http.Request
	Session core.Session   // of whoever asks; an endpoint that is open to all has none
	Headers *wire.Prepared // of every reply of the view
	// Still is for what the engine does for who asks; what fails as it does is for the view to answer.
	Still core.Still
}

// Form answers requests in a view of the framework with responses of Django itself, such as
// JsonResponse, which are sent as they are. err is a failure that is no matter of the form, and that
// the view answers.
type Form func(Admitted) (answer wire.Reply, err error)

// Refused reports whether an error is that of [Admitted.Still].
func Refused(err error) bool { return errors.As(err, new(*refused)) }

// Serve has views leave what an action does to forms: form makes that of an endpoint. It is called
// before any view is made.
func (a *API) Serve(action profiles.Action, form func(profiles.Endpoint) Form) {
	if a.served == nil {
		a.served = make(map[profiles.Action]func(profiles.Endpoint) Form)
	}
	a.served[action] = form
}

// formAction leaves a request to a form.
type formAction struct{ form Form }

func (do formAction) do(v *view, c call) result {
	admitted := Admitted{W: c.w, Request: c.request, Headers: v.headers}
	if c.session != nil {
		admitted.Session, admitted.Still = *c.session, v.still(c, nil)
	}
	answer, err := do.form(admitted)
	if err != nil {
		return *v.accountError(err)
	}
	return result{own: &answer}
}
