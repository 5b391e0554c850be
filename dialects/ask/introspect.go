package ask

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// maxForm is the most bytes that the body of an introspection may have: a token and a hint.
const maxForm = 16 << 10

// introspection is the answer (RFC 7662, 2.2). Of a token that is not good nothing but that is
// told.
type introspection struct {
	Active    bool   `json:"active"`
	Username  string `json:"username,omitempty"`
	Subject   string `json:"sub,omitempty"` // the user's id
	Expires   int64  `json:"exp,omitempty"` // Unix time in seconds; 0: never
	Issued    int64  `json:"iat,omitempty"` // Unix time in seconds; 0: not known
	TokenType string `json:"token_type,omitempty"`
}

// introspect answers a service (RFC 7662). It is the use of a token as any other: the expiry
// of a sliding one moves.
func (a *API) introspect(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header()["Allow"] = []string{http.MethodPost}
		text(w, http.StatusMethodNotAllowed, "method_not_allowed", "introspection is POST\n")
		return
	}
	if !a.Callers.Authenticate(r) {
		w.Header()["WWW-Authenticate"] = []string{`Basic realm="introspection", charset="UTF-8"`}
		a.tell(w, http.StatusUnauthorized, "credentials", failed{"invalid_client"}, nil)
		return
	}
	text, status, err := readToken(w, r)
	if err != nil {
		if wire.IsOverloaded(err) {
			a.unavailable(w, err)
			return
		}
		a.tell(w, status, "invalid", failed{"invalid_request"}, nil)
		return
	}
	if !utf8.ValidString(text) {
		a.tell(w, http.StatusOK, core.KindTokenUnknown.String(), introspection{}, nil)
		return
	}
	s, err := a.Engine.Authenticate(r.Context(), token.Policy(a.Profile), token.Presented(text, a.Profile.Tokens.Match))
	kind := core.KindOf(err)
	switch {
	case err == nil:
		a.tell(w, http.StatusOK, "ok", a.describe(s), nil)
	case kind == core.KindTokenUnknown, kind == core.KindTokenExpired, kind == core.KindUserInactive:
		a.tell(w, http.StatusOK, kind.String(), introspection{}, nil)
	default:
		a.unavailable(w, err)
	}
}

func (a *API) describe(s core.Session) introspection {
	i := introspection{
		Active: true, Username: s.User.Username, Subject: strconv.FormatInt(s.User.ID, 10),
		TokenType: a.Profile.Scheme,
	}
	if !s.Token.CreatedAt.IsZero() {
		i.Issued = s.Token.CreatedAt.Unix()
	}
	if !s.Token.ExpiresAt.IsZero() {
		i.Expires = s.Token.ExpiresAt.Unix()
	}
	return i
}

// failed is the body of an error (RFC 6749, 5.2).
type failed struct {
	Error string `json:"error"`
}

// errForm is a body that is no form with one token.
var errForm = errors.New("the body is no form with one token")

// readToken reads the token from the body. The status is for an error.
func readToken(w http.ResponseWriter, r *http.Request) (text string, status int, err error) {
	kind, _, err := mime.ParseMediaType(wire.ContentType(r))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return "", http.StatusBadRequest, errForm
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", http.StatusRequestEntityTooLarge, errForm
	case err != nil:
		return "", http.StatusBadRequest, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form["token"]) != 1 || form.Get("token") == "" {
		return "", http.StatusBadRequest, errForm // parameters must not be repeated (RFC 6749, 3.2)
	}
	return form.Get("token"), http.StatusOK, nil
}

func (a *API) unavailable(w http.ResponseWriter, err error) {
	wait := reply.RetryAfter(err)
	w.Header()[wait.Name] = []string{wait.Value}
	a.tell(w, http.StatusServiceUnavailable, core.KindOf(err).String(), failed{"temporarily_unavailable"}, err)
}

// tell writes a reply, which nobody may keep.
func (a *API) tell(w http.ResponseWriter, status int, outcome string, body any, cause error) {
	encoded, err := json.Marshal(body) // of texts and numbers
	if err != nil {
		status, encoded, cause = http.StatusInternalServerError, nil, err
	}
	out := wire.Reply{
		Status: status, ContentType: "application/json", Body: encoded, Outcome: outcome, Err: cause,
		Headers: []profiles.Header{{Name: "Cache-Control", Value: "no-store"}},
	}
	out.Write(w)
}
