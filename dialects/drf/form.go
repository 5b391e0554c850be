package drf

import (
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
}

// Form answers requests in a view of the framework with responses of Django itself, such as
// JsonResponse, which are sent as they are. err is a failure that is no matter of the form, and that
// the view answers.
type Form func(Admitted) (answer wire.Reply, err error)

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
		admitted.Session = *c.session
	}
	answer, err := do.form(admitted)
	if err != nil {
		return *v.accountError(err)
	}
	return result{own: &answer}
}
