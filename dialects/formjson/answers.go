package formjson

import (
	"strconv"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/answer"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// described is a view while its answers are described: each is made by what makes it for a request.
type described struct {
	*view
	list      answer.List
	framework *wire.Prepared // headers of the framework's view that the form is in; nil: it is in none
}

// Answers returns what an endpoint answers.
func (a *API) Answers(e profiles.Endpoint) answer.Endpoint {
	d := &described{view: a.view(e, nil)}
	switch e.Action {
	case profiles.Register, profiles.Login:
		d.add(answer.StageRequest, "", "another method", d.methodNotAllowed())
		d.form()
		if e.Action == profiles.Register {
			d.registers()
		} else {
			d.logsIn()
		}
		answer.Failing(d.fails).Server()
		return answer.Endpoint{Success: d.answers(), Refusals: d.list.Sorted()}
	case profiles.SetPassword, profiles.Delete:
		return d.inFramework(a.framework.Answers(e))
	}
	return a.framework.Answers(e)
}

// OtherAnswers returns what the paths answer that no endpoint has.
func (a *API) OtherAnswers() []answer.Answer { return a.framework.OtherAnswers() }

// inFramework adds what a form answers to what the framework's view does that it is in.
func (d *described) inFramework(view answer.Endpoint) answer.Endpoint {
	d.framework = d.API.framework.HeadersOf(d.endpoint)
	if len(d.endpoint.Fields) > 0 {
		d.form()
	}
	if _, asked := d.endpoint.Field(profiles.RoleCurrentPassword); asked {
		d.hashes(answer.StageField)
	}
	if d.endpoint.Action == profiles.SetPassword {
		d.passwords()
		d.fails(answer.StageAction, "too many passwords wait to be hashed", core.KindOverloaded)
	} else {
		d.fails(answer.StageAction, "rows of another program refer to the user", core.KindUnsupported)
	}
	d.fails(answer.StageServer, "the database does not answer while the form is read", core.KindUnavailable)
	return answer.Endpoint{Success: d.answers(), Refusals: answer.Sort(append(view.Refusals, d.list.Sorted()...))}
}

func (d *described) add(stage answer.Stage, field, when string, out wire.Reply) {
	if d.framework != nil && stage != answer.StageBody {
		out = d.inView(out, d.framework)
	}
	d.list.Add(stage, field, when, out)
}

// answers is what the endpoint answers when all is well.
func (d *described) answers() answer.Answer {
	out := d.success(&reply.Data{})
	if d.framework != nil {
		out = d.inView(out, d.framework)
	}
	a := answer.Success(out)
	if d.reply != nil {
		a.Body = d.reply.Text()
	}
	return a
}

// form adds what is answered to forms that can't be read, and to fields.
func (d *described) form() {
	const stage = answer.StageBody
	d.add(stage, "", answer.TooLarge, d.tooLarge())
	d.fails(stage, "large bodies take all the memory that they may", core.KindOverloaded)
	d.add(stage, "", "the form has too many fields, is no multipart form, or ends early", d.badForm())
	for _, f := range d.endpoint.Fields {
		d.field(f)
	}
}

// says adds an error of a field.
func (d *described) says(f profiles.Field, when, sentence string) {
	d.add(answer.StageField, f.Name, f.Name+" "+when, d.badRequest(fieldError(f.Name, sentence), "invalid"))
}

// field is API.clean and what the model says.
func (d *described) field(f profiles.Field) {
	if f.Required {
		when := "is missing or empty"
		if f.Role == profiles.RoleAccept {
			when = "is not ticked"
		}
		d.says(f, when, d.message("required"))
	}
	if f.Role == profiles.RoleAccept {
		return
	}
	limit := f.MaxLength
	if f.Role == profiles.RoleEmail {
		d.says(f, "is no address", d.message("email_invalid"))
		if limit == 0 {
			limit = maxEmail
		}
	}
	tooLong := func(limit int) {
		most := strconv.Itoa(limit)
		d.says(f, "has more than "+most+" characters", d.message("max_length", "max", most))
	}
	if limit > 0 {
		tooLong(limit)
	}
	d.says(f, "has a NUL character", d.message("nul"))
	if f.Role == profiles.RoleCurrentPassword {
		d.says(f, "is not the caller's password", d.message("current_password"))
	}
	if d.endpoint.Action != profiles.Register {
		return
	}
	switch f.Role {
	case profiles.RoleUsername:
		if f.Characters != profiles.CharactersAny {
			d.says(f, "has a character that a username may not have", d.message("username_characters"))
		}
		d.says(f, "is another user's", d.message("username_taken"))
	case profiles.RoleEmail:
		if limit > core.MaxEmail {
			tooLong(core.MaxEmail)
		}
	}
}

// passwords is API.passwordErrors and API.changedPassword.
func (d *described) passwords() {
	field, twice := d.endpoint.Field(profiles.RolePasswordAgain)
	if !twice {
		field, _ = d.endpoint.Field(profiles.RolePassword)
	} else {
		d.says(field, "is not the same as the password", d.message("mismatch"))
	}
	for _, s := range d.API.passwords.Sentences(field.Name, true) {
		d.says(field, s.When, s.Text)
	}
}

func (d *described) registers() {
	const stage = answer.StageAction
	d.passwords()
	d.fails(stage, "somebody has just got the username", core.KindUsernameTaken)
	d.fails(stage, "no table has room for the username", core.KindInvalidUser)
	d.fails(stage, "after too many registrations from one network", core.KindThrottled)
	d.fails(stage, "too many passwords wait to be hashed", core.KindOverloaded)
}

func (d *described) logsIn() {
	const stage = answer.StageAction
	d.fails(stage, "nobody has the name with the password", core.KindInvalidCredentials)
	d.fails(stage, "the name and the password are right, and the user is inactive", core.KindUserInactive)
	if d.policy.Limit > 0 {
		d.fails(stage, "the user has as many live tokens as there may be", core.KindTokenLimit)
	}
	if !d.policy.TellThrottled {
		d.fails(stage, "after too many wrong passwords, whatever the password", core.KindInvalidCredentials)
	}
	d.hashes(stage)
}

// hashes adds what is answered where there is no room for another password.
func (d *described) hashes(stage answer.Stage) { answer.Failing(d.fails).Hashes(stage, d.policy) }

// fails adds the answer to a failure of the engine.
func (d *described) fails(stage answer.Stage, when string, kind core.Kind) {
	d.add(stage, "", when, d.engineError(&core.Error{Kind: kind}))
}
