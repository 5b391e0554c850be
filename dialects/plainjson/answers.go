package plainjson

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/answer"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// described is an endpoint while its answers are described: each is made by what makes it for a request.
type described struct {
	*view
	list answer.List
}

// Answers returns what an endpoint answers.
func (a *API) Answers(e profiles.Endpoint) answer.Endpoint {
	d := &described{view: a.view(e)}
	d.add(answer.StageRequest, "", "another method", a.viewsOf(a.endpointsAt(e.Path)).refuse(""))
	if e.Access == profiles.AccessToken {
		d.client()
	}
	if len(e.Fields) > 0 {
		d.body()
		for _, f := range e.Fields {
			d.field(f)
		}
	}
	d.does()
	answer.Failing(d.fails).Server()
	success := answer.Success(d.success(reply.Data{}))
	if d.reply != nil {
		success.Body = d.reply.Text()
	}
	return answer.Endpoint{Success: success, Refusals: d.list.Sorted()}
}

// endpointsAt gives the endpoints of a path.
func (a *API) endpointsAt(path string) []profiles.Endpoint {
	var all []profiles.Endpoint
	for _, e := range a.profile.Endpoints {
		if e.Path == path {
			all = append(all, e)
		}
	}
	return all
}

// OtherAnswers returns what the paths answer that no endpoint has.
func (a *API) OtherAnswers() []answer.Answer {
	d := &described{view: &view{API: a}}
	if a.profile.OtherPaths == profiles.AccessToken {
		d.client()
	}
	d.add(answer.StageRequest, "", "no endpoint has the path", *d.errorReply(http.StatusNotFound, "not_found", "not_found"))
	return d.list.Sorted()
}

func (d *described) add(stage answer.Stage, field, when string, out wire.Reply) {
	d.list.Add(stage, field, when, out)
}

// fails adds the answer to a failure of the engine.
func (d *described) fails(stage answer.Stage, when string, kind core.Kind) {
	d.add(stage, "", when, *d.engineError(&core.Error{Kind: kind}))
}

// client adds what is answered to who has no live token.
func (d *described) client() {
	const stage = answer.StageClient
	d.add(stage, "", "there is no token", *d.unauthorized("token_missing", "token_invalid"))
	answer.Failing(d.fails).Tokens(d.policy)
}

// body adds what is answered to bodies that are no object.
func (d *described) body() {
	const stage = answer.StageBody
	d.add(stage, "", answer.TooLarge, *d.errorReply(http.StatusRequestEntityTooLarge, "too_large", "too_large"))
	d.fails(stage, "large bodies take all the memory that they may", core.KindOverloaded)
	d.add(stage, "", "the body is no JSON, or ends early", *d.badRequest("malformed", "malformed"))
	d.add(stage, "", "the body is JSON and no object", *d.badRequest("invalid", "not_object"))
}

// says adds an error of a field.
func (d *described) says(f profiles.Field, when, key string, pairs ...string) {
	d.add(answer.StageField, f.Name, f.Name+" "+when, *d.fieldError(f, key, pairs...))
}

// field is API.values. The first error is the answer.
func (d *described) field(f profiles.Field) {
	d.says(f, "is not a text", "not_string")
	if f.Required && !f.Blank {
		d.says(f, "is missing or empty", "required")
	}
	if f.MaxLength > 0 {
		most := strconv.Itoa(f.MaxLength)
		d.says(f, "has more than "+most+" characters", "max_length", "max", most)
	}
	if f.Role == profiles.RoleUsername && f.Characters != profiles.CharactersAny {
		d.says(f, "has a character that a username may not have", "username_characters")
	}
	if f.Role == profiles.RoleEmail {
		d.says(f, "is no address", "email_invalid")
	}
	if f.Role == profiles.RoleCurrentPassword {
		d.says(f, "is not the caller's password", "current_password")
		d.hashes(answer.StageField)
	}
}

// does adds what the action answers, if it does not do it.
func (d *described) does() {
	const stage = answer.StageAction
	switch d.endpoint.Action {
	case profiles.Register:
		d.passwords()
		d.fails(stage, "another user has the username", core.KindUsernameTaken)
		d.fails(stage, "no table has room for the username", core.KindInvalidUser)
		d.fails(stage, "after too many registrations from one network", core.KindThrottled)
		d.fails(stage, "too many passwords wait to be hashed", core.KindOverloaded)
	case profiles.Login:
		d.login()
	case profiles.Logout:
		d.fails(stage, "another logout came first", core.KindTokenUnknown)
	case profiles.Account:
		if strings.Contains(d.endpoint.Path, "{id}") {
			d.fails(stage, "it is not the caller's own id", core.KindUserUnknown)
		} else if strings.Contains(d.endpoint.Path, "{") {
			d.fails(stage, "there is no such user", core.KindUserUnknown)
		}
	case profiles.SetPassword:
		d.passwords()
		d.changed("the user has just been removed", core.KindUserUnknown)
		d.fails(stage, "too many passwords wait to be hashed", core.KindOverloaded)
	case profiles.Delete:
		d.changed("the user has just been removed", core.KindUserUnknown)
		d.fails(stage, "rows of another program refer to the user", core.KindUnsupported)
	}
}

// changed adds the answer to a failure of what changes the caller's account.
func (d *described) changed(when string, kind core.Kind) {
	d.add(answer.StageAction, "", when, *d.accountError(&core.Error{Kind: kind}))
}

func (d *described) login() {
	const stage = answer.StageAction
	fails := func(when string, kind core.Kind) { d.add(stage, "", when, *d.loginError(&core.Error{Kind: kind})) }
	fails("nobody has the name with the password", core.KindInvalidCredentials)
	fails("the name and the password are right, and the user is inactive", core.KindUserInactive)
	if d.policy.Limit > 0 {
		fails("the user has as many live tokens as there may be", core.KindTokenLimit)
	}
	if !d.policy.TellThrottled {
		fails("after too many wrong passwords, whatever the password", core.KindInvalidCredentials)
	}
	d.hashes(stage)
}

// hashes adds what is answered where there is no room for another password.
func (d *described) hashes(stage answer.Stage) { answer.Failing(d.fails).Hashes(stage, d.policy) }

// passwords is view.newPassword.
func (d *described) passwords() {
	if again, ok := d.endpoint.Field(profiles.RolePasswordAgain); ok {
		d.says(again, "is not the same as the password", "mismatch")
	}
	field, _ := d.endpoint.Field(profiles.RolePassword)
	for _, s := range d.API.passwords.Sentences(field.Name, true) {
		d.add(answer.StageField, field.Name, field.Name+" "+s.When, *d.sentence(http.StatusBadRequest, "invalid", s.Text))
	}
}
