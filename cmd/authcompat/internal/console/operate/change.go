package operate

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
)

// A question is what a change asks before it is done.
type question struct {
	Title   string
	Effects []string    // what will happen
	Facts   [][2]string // what it is about
	Type    string      // the name that has to be typed; empty: a click is enough
	Fields  url.Values  // hidden ones of the form
	Do      string      // what the button says
	Back    string      // where it leads not to be done
	Problem string      // why it was not done
}

func ask(part string, q question) view { return view{"confirm", q.Title, part, &q} }

// typed reports whether the form has the name that was asked for, as it is or as it is shown.
func typed(r *http.Request, name string) error {
	if got := strings.TrimSpace(r.PostForm.Get("name")); got != strings.TrimSpace(name) && got != strings.TrimSpace(term.Printable(name)) {
		return &unconfirmed{"Nothing is done: what you have typed is not the name of the user."}
	}
	return nil
}

// changed returns the path of a page that says what was done.
func changed(path, what string) string { return path + "?done=" + what }

// userToChange returns the user of the path, if the store lets operators change users.
func (v *View) userToChange(ctx context.Context, r *http.Request) (core.User, error) {
	if _, why := v.changesUsers(); why != "" {
		return core.User{}, conflict(why)
	}
	row, err := v.ofPath(ctx, r)
	return row.User, err
}

func aboutUser(u core.User) [][2]string {
	state := "active"
	if !u.Active {
		state = "disabled"
	}
	return [][2]string{{"Username", u.Username}, {"Id", strconv.FormatInt(u.ID, 10)}, {"Address", u.Email}, {"State", state}}
}

// toBeActive returns the user of the path if the state is not the wanted one yet.
func (v *View) toBeActive(ctx context.Context, r *http.Request, active bool) (core.User, error) {
	u, err := v.userToChange(ctx, r)
	if err == nil && u.Active == active {
		err = conflict("The user is so already: there is nothing to change.")
	}
	return u, err
}

func (v *View) askDisable(ctx context.Context, r *http.Request) (view, error) {
	u, err := v.toBeActive(ctx, r, false)
	return ask("users", question{
		Title: "Disable a user?", Facts: aboutUser(u), Type: u.Username, Do: "Disable the user", Back: userPath(u.ID),
		Effects: []string{"The user can’t log in any more, through any API, and all tokens are refused from the next request on.", "Tokens stay as they are: they are good again when the user is enabled."},
	}), err
}

func (v *View) askEnable(ctx context.Context, r *http.Request) (view, error) {
	u, err := v.toBeActive(ctx, r, true)
	return ask("users", question{
		Title: "Enable a user?", Facts: aboutUser(u), Type: u.Username, Do: "Enable the user", Back: userPath(u.ID),
		Effects: []string{"The user can log in again.", "Tokens that have not ended meanwhile are good again, on whatever devices they are. Revoke them before, if they may be in wrong hands."},
	}), err
}

func (v *View) askRevokeAll(ctx context.Context, r *http.Request) (view, error) {
	u, err := v.userToChange(ctx, r)
	return ask("users", question{
		Title: "Revoke all tokens of a user?", Facts: aboutUser(u), Type: u.Username, Do: "Revoke all tokens", Back: userPath(u.ID),
		Effects: []string{"All tokens of the user end, of all APIs, and are refused from the next request on. That can’t be undone.", "The user can log in again, unless disabled."},
	}), err
}

func (v *View) disable(ctx context.Context, r *http.Request) (string, error) {
	return v.setActive(ctx, r, false, "disable")
}

func (v *View) enable(ctx context.Context, r *http.Request) (string, error) {
	return v.setActive(ctx, r, true, "enable")
}

func (v *View) setActive(ctx context.Context, r *http.Request, active bool, what string) (string, error) {
	u, err := v.toBeActive(ctx, r, active)
	if err == nil {
		err = typed(r, u.Username)
	}
	if err != nil {
		return "", err
	}
	return changed(userPath(u.ID), what), gone(v.Engine.SetActive(ctx, v.Engine.Backend.Admin, u, active))
}

func (v *View) revokeAll(ctx context.Context, r *http.Request) (string, error) {
	u, err := v.userToChange(ctx, r)
	if err == nil {
		err = typed(r, u.Username)
	}
	if err != nil {
		return "", err
	}
	n, err := v.Engine.RevokeAll(ctx, u)
	return changed(userPath(u.ID), "revoke-all") + "&n=" + strconv.Itoa(n), err
}

// gone makes a refusal of the error of what is not there any more.
func gone(err error) error {
	if err != nil && (core.KindOf(err) == core.KindUserUnknown || core.KindOf(err) == core.KindTokenUnknown) {
		return notFound("Somebody else was faster: it is not there any more.")
	}
	return err
}

// tokenToRevoke returns the token of the path with its user.
func (v *View) tokenToRevoke(ctx context.Context, r *http.Request) (tokenRow, core.User, error) {
	if _, why := v.changesUsers(); why != "" {
		return tokenRow{}, core.User{}, conflict(why)
	}
	found, err := v.Engine.FindTokens(ctx, []string{r.PathValue("id")})
	if errors.As(err, new(*engine.TokenIDError)) {
		return tokenRow{}, core.User{}, notFound("There is no token with this id, or no longer.")
	}
	if err != nil {
		return tokenRow{}, core.User{}, err
	}
	t := found[0]
	return tokenRow{Token: t.Token, ID: core.TokenID(t.Token.Digest), Username: t.User.Username, Expired: t.Token.Expired(v.Now())}, t.User, nil
}

func (v *View) askRevoke(ctx context.Context, r *http.Request) (view, error) {
	t, u, err := v.tokenToRevoke(ctx, r)
	if err != nil {
		return view{}, err
	}
	return ask("tokens", question{
		Title: "Revoke a token?", Do: "Revoke the token", Back: userPath(u.ID),
		Facts:   [][2]string{{"Token", t.ID}, {"User", u.Username}, {"Issued by", t.Issuer}, {"Issued", term.FormatTime(t.CreatedAt)}, {"Ends", term.FormatTime(t.ExpiresAt)}},
		Effects: []string{"The token is refused from the next request on. That can’t be undone; whoever has it has to log in again."},
	}), nil
}

func (v *View) revoke(ctx context.Context, r *http.Request) (string, error) {
	t, u, err := v.tokenToRevoke(ctx, r)
	if err != nil {
		return "", err
	}
	return changed(userPath(u.ID), "revoke"), gone(v.Engine.RevokeToken(ctx, u, t.Token))
}
