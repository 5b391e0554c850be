package operate

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
)

const noCutover = "This database has no table for a cutover, and the role may not make it: run authcompat cutover status once as the owner of the tables authcompat_… (docs/moving-in.md)."

// maxListed is how many users of a rule are named.
const maxListed = 20

// ruleRow is who is sent to the new side at an endpoint.
type ruleRow struct {
	cutover.Rule
	Listed []string // the first of Users
	More   int      // how many others there are
}

// cutoverPage is the state of the cutover and of the shadow.
type cutoverPage struct {
	Missing   string
	Done      string
	Version   int64
	State     cutover.State
	Rules     []ruleRow
	Empty     string // why there are no rules
	Write     bool
	Compared  []comparedRow
	Journals  bool
	All       string // engine.AllEndpoints
	NoMetrics bool
}

// cutover shows the state of the cutover, and what this process has compared.
func (v *View) cutover(ctx context.Context, r *http.Request) (view, error) {
	p := cutoverPage{Done: done(r), Write: v.Write, All: engine.AllEndpoints, Journals: len(v.journals()) > 0}
	shown := view{"cutover", "Cutover", "cutover", &p}
	p.Compared, p.NoMetrics = v.compared()
	if v.Engine.Backend.Cutover == nil {
		p.Missing = noCutover
		return shown, nil
	}
	state, err := v.Engine.Backend.Cutover.CutoverState(ctx)
	if err != nil {
		return view{}, err
	}
	if p.State = state; len(state.Rules) == 0 {
		p.Empty = engine.ErrUndeclared.Error()
	}
	for _, r := range state.Rules {
		row := ruleRow{Rule: r, Listed: r.Users[:min(maxListed, len(r.Users))]}
		row.More = len(r.Users) - len(row.Listed)
		p.Rules = append(p.Rules, row)
	}
	return shown, nil
}

// wanted is a change of the cutover as the form has it. Version is that of the state that the operator has seen.
type wanted struct {
	engine.Switching
	version int64
}

// errStale is a cutover that somebody else has changed since the operator saw it.
var errStale = errors.New("changed meanwhile")

// readWanted reads the form.
func readWanted(form url.Values) (w wanted, err error) {
	e := engine.EndpointShare{Name: form.Get("endpoint")}
	if e.Name == "" || len(e.Name) > cutover.MaxText {
		return w, badRequest("Which endpoint? One has to be chosen.")
	}
	if text := strings.TrimSpace(form.Get("share")); text != "" {
		share, err := cutover.ParseShare(text)
		if err != nil {
			return w, badRequest("This can’t be set: " + err.Error() + ".")
		}
		e.Share = &share
	}
	w.Endpoints, w.Clear = []engine.EndpointShare{e}, form.Get("clear") != ""
	if name := form.Get("user"); name != "" {
		if !core.Storable(name) || len(name) > cutover.MaxText {
			return w, badRequest("Nobody can have this name.")
		}
		w.Users = []string{name}
	}
	if text := strings.TrimSpace(form.Get("header")); text != "" {
		h, err := cutover.ParseHeader(text)
		if err != nil {
			return w, badRequest("This header can’t be set: " + err.Error() + ".")
		}
		w.Headers = []cutover.Header{h}
	}
	if e.Share == nil && !w.Clear && len(w.Users) == 0 && len(w.Headers) == 0 {
		return w, badRequest("What is to change? Give a share, a user or a header, or empty the lists.")
	}
	w.version, err = number(form.Get("version"))
	return w, err
}

// fields returns the form of the change to a state of a version.
func (w wanted) fields(form url.Values, version int64) url.Values {
	fields := url.Values{"version": {strconv.FormatInt(version, 10)}}
	for _, name := range []string{"endpoint", "share", "user", "header", "clear"} {
		if form.Get(name) != "" {
			fields.Set(name, form.Get(name))
		}
	}
	return fields
}

// cutoverState returns the state, or why there is none.
func (v *View) cutoverState(ctx context.Context) (cutover.State, error) {
	if v.Engine.Backend.Cutover == nil {
		return cutover.State{}, conflict(noCutover)
	}
	return v.Engine.Backend.Cutover.CutoverState(ctx)
}

// askSet shows what a change of the cutover would be.
func (v *View) askSet(ctx context.Context, r *http.Request) (view, error) {
	form := r.URL.Query()
	w, err := readWanted(form)
	if err != nil {
		return view{}, err
	}
	was, err := v.cutoverState(ctx)
	if err != nil {
		return view{}, err
	}
	q := question{Title: "Set the cutover?", Do: "Set the cutover", Back: path("cutover"), Fields: w.fields(form, was.Version)}
	unknown, err := v.Engine.ResolveSwitched(ctx, w.Users)
	if err != nil {
		return view{}, err
	}
	is := was
	if err := w.Apply(&is); err != nil {
		return view{}, badRequest(err.Error())
	}
	if err := is.Check(); err != nil {
		return view{}, badRequest("This can’t be set: " + err.Error() + ".")
	}
	lines := engine.DescribeSwitched(was, is)
	if len(lines) == 0 {
		return view{}, conflict("Nothing would change: that is how it is.")
	}
	for _, line := range lines {
		q.Facts = append(q.Facts, [2]string{"Will change", line})
	}
	for _, name := range unknown {
		q.Facts = append(q.Facts, [2]string{"Not there yet", name})
	}
	q.Effects = []string{"Servers follow within a second. Users keep their side as long as the share does not go below their position."}
	return ask("cutover", q), nil
}

func (v *View) set(ctx context.Context, r *http.Request) (string, error) {
	w, err := readWanted(r.PostForm)
	if err != nil {
		return "", err
	}
	if _, err := v.Engine.ResolveSwitched(ctx, w.Users); err != nil {
		return "", err
	}
	return changed(path("cutover"), "set"), v.changeCutover(ctx, w.version, w.Apply)
}

// changeCutover changes the cutover, if it is still of the version that the operator has seen.
func (v *View) changeCutover(ctx context.Context, version int64, apply func(*cutover.State) error) error {
	if v.Engine.Backend.Cutover == nil {
		return conflict(noCutover)
	}
	var refused error
	_, _, err := v.Engine.ChangeCutover(ctx, func(state *cutover.State) error {
		if state.Version != version {
			return errStale
		}
		refused = apply(state)
		return refused
	})
	switch {
	case errors.Is(err, errStale):
		return conflict("Nothing is done: somebody else has changed the cutover since. See how it is now, and begin anew.")
	case refused != nil:
		return badRequest(refused.Error())
	}
	return err
}

func (v *View) askRollback(ctx context.Context, _ *http.Request) (view, error) {
	was, err := v.cutoverState(ctx)
	if err != nil {
		return view{}, err
	}
	is := was
	is.Rollback()
	q := question{
		Title: "Send everybody to the old side?", Do: "Send everybody to the old side", Back: path("cutover"),
		Effects: []string{"Everybody is sent to the old side, at all endpoints, and the lists of users and headers are emptied. Servers follow within a second."},
	}
	lines := engine.DescribeSwitched(was, is)
	if len(lines) == 0 {
		return view{}, conflict("Everybody is on the old side already.")
	}
	for _, line := range lines {
		q.Facts = append(q.Facts, [2]string{"Will change", line})
	}
	return ask("cutover", q), nil
}

// rollback goes back whatever others have set meanwhile: it is for emergencies.
func (v *View) rollback(ctx context.Context, _ *http.Request) (string, error) {
	if v.Engine.Backend.Cutover == nil {
		return "", conflict(noCutover)
	}
	_, _, err := v.Engine.RollBackCutover(ctx)
	return changed(path("cutover"), "rollback"), err
}
