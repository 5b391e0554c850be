package operate

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
)

// timeout is how long a page may take, the store's own time included.
const timeout = 10 * time.Second

// A view is a page: a template with its data.
type view struct {
	template, title, part string
	data                  any
}

// showing makes a page of a request.
type showing func(ctx context.Context, r *http.Request) (view, error)

// changing is something that is asked twice: ask says what will happen, with a form, and do does it and returns the path of a
// page that shows what came of it.
type changing struct {
	ask showing
	do  func(ctx context.Context, r *http.Request) (path string, err error)
}

// refusal is an error whose message is for the operator.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

func notFound(message string) error { return &refusal{http.StatusNotFound, message} }

func badRequest(message string) error { return &refusal{http.StatusBadRequest, message} }

func conflict(message string) error { return &refusal{http.StatusConflict, message} }

// unconfirmed is a change that the operator has not confirmed: it is asked again, with the reason.
type unconfirmed struct{ message string }

func (u *unconfirmed) Error() string { return u.message }

// shows returns the handler of a page.
func (v *View) shows(show showing) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		shown, err := show(ctx, r)
		if err != nil {
			v.fail(w, r, err)
			return
		}
		v.show(w, r, http.StatusOK, shown)
	})
}

// show answers with a page.
func (v *View) show(w http.ResponseWriter, r *http.Request, status int, shown view) {
	page.Show(w, r, status, page.Page{Title: shown.title, View: shown.part}, v.page, shown.template, shown.data)
}

// fail answers with an error. Its cause is logged, unless it is the operator's.
func (v *View) fail(w http.ResponseWriter, r *http.Request, err error) {
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		page.Error(w, r, refused.status, refused.message)
	case r.Context().Err() != nil: // the browser is gone
	case errors.Is(err, context.DeadlineExceeded):
		v.Log.Warn("a page of the console took too long", "path", r.URL.Path, "limit", timeout)
		page.Error(w, r, http.StatusServiceUnavailable, "The database has not answered in time. "+afterwards(r))
	default:
		v.Log.Warn("a page of the console could not be made", "path", r.URL.Path, "error", err)
		page.Error(w, r, http.StatusServiceUnavailable, "The database can’t answer now; the server’s log says why. "+afterwards(r))
	}
}

// afterwards says what an operator can do when the store has not answered.
func afterwards(r *http.Request) string {
	if r.Method == http.MethodPost {
		return "Whether it was done is not known: the audit record says so."
	}
	return "Try again later."
}

// writes lets requests through if the console may change something.
func (v *View) writes(next http.Handler) http.Handler {
	if v.Write {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.Error(w, r, http.StatusForbidden, "This console is read only. It changes something if authcompat is started with --console-write.")
	})
}

// does returns the handler of a change.
func (v *View) does(c changing) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			page.Error(w, r, page.FormStatus(err), "This form can’t be read.")
			return
		}
		ctx, cancel := context.WithTimeout(byOperator(r), timeout)
		defer cancel()
		next, err := c.do(ctx, r)
		var not *unconfirmed
		switch {
		case errors.As(err, &not):
			v.askAgain(ctx, w, r, c.ask, not.message)
		case err != nil:
			v.fail(w, r, err)
		default:
			http.Redirect(w, r, next, http.StatusSeeOther)
		}
	})
}

// byOperator returns the context of what an operator does in a request, for the audit record.
func byOperator(r *http.Request) context.Context {
	return clients.With(core.WithActor(r.Context(), core.Console), func() clients.Client {
		at, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return clients.Client{}
		}
		return clients.Client{Address: at.Addr()}
	})
}

// askAgain shows what a change asks, and why it was not done.
func (v *View) askAgain(ctx context.Context, w http.ResponseWriter, r *http.Request, ask showing, why string) {
	asked, err := ask(ctx, r)
	if err != nil {
		v.fail(w, r, err)
		return
	}
	if q, ok := asked.data.(*question); ok {
		q.Problem = why
	}
	v.show(w, r, http.StatusUnprocessableEntity, asked)
}
