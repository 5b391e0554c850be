package drf

import (
	"net/http"
	"slices"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/answer"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// described is a view while its answers are described: each is made by what makes it for a request.
type described struct {
	*view
	list   answer.List
	cookie bool // a session is looked for before anything else is asked of the client
}

// Answers returns what an endpoint answers. Of what a form does, the form knows the rest.
func (a *API) Answers(e profiles.Endpoint) answer.Endpoint {
	d := &described{view: a.viewAt(e)}
	d.first()
	d.method()
	if form := a.served[e.Action]; form == nil {
		if len(e.Fields) > 0 {
			d.body()
			d.fields()
		}
		d.does()
	}
	answer.Failing(d.fails).Server()
	return answer.Endpoint{Success: d.success(), Refusals: d.list.Sorted()}
}

// viewAt makes the view of an endpoint together with all others of its path.
func (a *API) viewAt(e profiles.Endpoint) *view {
	path := slices.DeleteFunc(slices.Clone(a.profile.Endpoints), func(other profiles.Endpoint) bool { return other.Path != e.Path })
	return a.viewOf(path).views[e.Methods[0]]
}

// HeadersOf returns the headers of every reply of an endpoint's view.
func (a *API) HeadersOf(e profiles.Endpoint) *wire.Prepared { return a.viewAt(e).headers }

// OtherAnswers returns what the paths answer that no endpoint has.
func (a *API) OtherAnswers() []answer.Answer {
	var list answer.List
	if a.profile.OtherPaths != profiles.AccessToken {
		list.Add(answer.StageRequest, "", "no endpoint has the path", a.otherPage())
		return list.Sorted()
	}
	d := &described{view: a.otherView()}
	d.first()
	d.add(answer.StageAction, "", "no endpoint has the path", d.notFound())
	answer.Failing(d.fails).Server()
	return d.list.Sorted()
}

func (d *described) add(stage answer.Stage, field, when string, r *result) {
	out := d.render(*r, accepted{d.endpoint.Renderers[0], rendererType(d.endpoint.Renderers[0])})
	if d.cookie && stage != answer.StageRequest {
		d.varyByCookie(&out)
	}
	d.list.Add(stage, field, when, out)
}

// success is what the endpoint answers when all is well.
func (d *described) success() answer.Answer {
	res := result{status: d.endpoint.Reply.Status}
	if d.reply != nil {
		res.body = []byte{} // with its Content-Type
	}
	out := d.render(res, accepted{profiles.RenderJSON, rendererType(profiles.RenderJSON)})
	if d.cookie {
		d.varyByCookie(&out)
	}
	a := answer.Success(out)
	if d.reply == nil {
		return a
	}
	a.Body = d.reply.Text()
	if d.endpoint.Action == profiles.List {
		a.Body = append(append(answer.Text{{Text: "["}}, a.Body...), answer.Part{Text: "more users", Variable: true}, answer.Part{Text: "]"})
	}
	return a
}

// first adds what is decided before the method is looked at, in the stack's order.
func (d *described) first() {
	if d.profile.Rules.Negotiation == profiles.NegotiationLast {
		d.client()
		d.negotiation(answer.StageClient)
		return
	}
	d.negotiation(answer.StageRequest)
	d.client()
}

// negotiation adds what view.negotiate answers.
func (d *described) negotiation(stage answer.Stage) {
	d.add(stage, "", "the query has too many fields", d.suspicious())
	d.add(stage, "", "?format= names a format that the endpoint does not have", d.detail(http.StatusNotFound, "not_found", d.message("not_found")))
	d.add(stage, "", "Accept names nothing that the endpoint can answer with", d.detail(http.StatusNotAcceptable, "not_acceptable", d.message("not_acceptable")))
}

// method adds what is answered to methods that the path does not have.
func (d *described) method() {
	const stage = answer.StageMethod
	if d.access == profiles.AccessToken && d.endpoint.Access != profiles.AccessToken {
		d.add(stage, "", "another method, and nobody says who asks", d.unauthorized("", d.message("token_missing")))
	}
	d.add(stage, "", "another method", d.detail(http.StatusMethodNotAllowed, "method_not_allowed", d.message("method")))
}

// client adds what is answered to who is not recognised.
func (d *described) client() {
	const stage = answer.StageClient
	for _, a := range d.endpoint.Authentication {
		switch a.Kind {
		case profiles.AuthenticateSession:
			d.cookie = true
		case profiles.AuthenticateBasic:
			d.basicAnswers()
		case profiles.AuthenticateToken:
			d.add(stage, "", "Authorization has "+a.Word+" and nothing behind it", d.unauthorized("", d.message("token_empty")))
			d.add(stage, "", "Authorization has white space in the token", d.unauthorized("", d.message("token_spaces")))
			if d.profile.Rules.TokenCharacters != profiles.TokenCharactersUnknown {
				d.add(stage, "", "the token is not UTF-8", d.unauthorized("", d.message("token_characters")))
			}
			answer.Failing(d.fails).Tokens(d.policy)
		}
	}
	if d.endpoint.Access == profiles.AccessToken {
		d.add(stage, "", "nobody says who asks", d.unauthorized("", d.message("token_missing")))
	}
}

// basicAnswers adds what is answered to who gives a password in a header.
func (d *described) basicAnswers() {
	const stage = answer.StageClient
	d.add(stage, "", "Authorization has Basic and nothing behind it", d.unauthorized("", d.message("basic_empty")))
	d.add(stage, "", "Authorization has white space in the credentials", d.unauthorized("", d.message("basic_spaces")))
	d.add(stage, "", "the credentials are not base64", d.unauthorized("", d.message("basic_encoding")))
	d.add(stage, "", "nobody has the name with the password", d.unauthorized("", d.message("basic_invalid")))
	d.add(stage, "", "the name and the password are right, and the user is inactive", d.unauthorized("", d.message("basic_inactive")))
	d.unverified(stage, d.engineError)
	d.hashes(stage)
	if d.issues() {
		d.limited(stage)
	}
}

// issues tells whether the endpoint gives a token to whoever is recognised.
func (d *described) issues() bool {
	_, issues := d.action.(issueAction)
	return issues
}

// body adds what is answered to bodies that can't be read.
func (d *described) body() {
	const stage = answer.StageBody
	d.add(stage, "", answer.TooLarge, d.detail(http.StatusRequestEntityTooLarge, "too_large", d.message("too_large")))
	d.fails(stage, "large bodies take all the memory that they may", core.KindOverloaded)
	d.add(stage, "", "the endpoint does not read the body's Content-Type", d.detail(http.StatusUnsupportedMediaType, "", d.message("media_type")))
	d.add(stage, "", "the body is no JSON, or ends early", d.detail(http.StatusBadRequest, "malformed", d.message("parse_error")))
	if slices.Contains(d.endpoint.Parsers, profiles.ParseMultipart) {
		d.add(stage, "", "the body is no multipart form", d.detail(http.StatusBadRequest, "malformed", d.message("multipart_error")))
	}
	if slices.ContainsFunc(d.endpoint.Parsers, func(p profiles.Parser) bool { return p != profiles.ParseJSON }) {
		d.add(stage, "", "the form has too many fields", d.suspicious())
	}
	if slices.Contains(d.endpoint.Parsers, profiles.ParseJSON) {
		d.add(stage, "", "the body is null", d.object(input{}))
		d.add(stage, "", "the body is JSON and no object", fieldError(d.profile.Errors.NonField, d.message("not_object")))
	}
}

// fails adds the answer to a failure of the engine.
func (d *described) fails(stage answer.Stage, when string, kind core.Kind) {
	d.failsAs(stage, when, kind, d.engineError)
}

// failsAs is fails where an action has answers of its own.
func (d *described) failsAs(stage answer.Stage, when string, kind core.Kind, as func(error) *result) {
	d.add(stage, "", when, as(&core.Error{Kind: kind}))
}

// hashes adds what is answered where there is no room for another password.
func (d *described) hashes(stage answer.Stage) { answer.Failing(d.fails).Hashes(stage, d.policy) }

// limited adds the answer to a login beyond the limit of tokens.
func (d *described) limited(stage answer.Stage) {
	if d.policy.Limit > 0 {
		d.add(stage, "", "the user has as many live tokens as there may be", d.tokenLimit())
	}
}

func (d *described) unverified(stage answer.Stage, as func(error) *result) {
	if d.policy.EmailVerification == core.EmailVerificationMandatory {
		d.failsAs(stage, "the user has yet to verify the address", core.KindEmailUnverified, as)
	}
}
