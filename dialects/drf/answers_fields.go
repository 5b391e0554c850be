package drf

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/authcompat/authcompat/dialects/internal/answer"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/template"
)

// fields adds what the serializer says of the fields.
func (d *described) fields() {
	for _, f := range d.endpoint.Fields {
		switch {
		case f.ReadOnly || f.Role.ReadOnly():
		case f.Role == profiles.RoleAttribute && f.Type.Type != template.TypeText:
			d.typedField(f)
		case f.AnyText && f.Role != profiles.RoleEmail:
		default:
			d.textField(f)
			d.checkedField(f)
		}
	}
}

// says adds an error of a field.
func (d *described) says(f profiles.Field, when, key string, pairs ...string) {
	d.add(answer.StageField, f.Name, f.Name+" "+when, fieldError(f.Name, d.message(key, pairs...)))
}

// missing says in words when a required field is.
func (d *described) missing() string {
	if slices.Contains(d.endpoint.Methods, http.MethodPatch) {
		return "is missing (but for PATCH)"
	}
	return "is missing"
}

// typedField is serializer.typed.
func (d *described) typedField(f profiles.Field) {
	if f.Required {
		d.says(f, d.missing(), "required")
	}
	if !f.Type.Null {
		d.says(f, "is null", "null")
	}
	switch f.Type.Type {
	case template.TypeInteger:
		d.says(f, "is no integer", "integer_invalid")
	case template.TypeBoolean:
		d.says(f, "is neither true nor false", "boolean_invalid")
	default:
		d.says(f, "is no date", "date_invalid")
	}
}

// textField is view.convert.
func (d *described) textField(f profiles.Field) {
	rules := d.profile.Rules
	if rules.Blank == profiles.BlankMissing {
		if f.Required {
			d.says(f, "is missing, null or empty", "required")
		}
		return
	}
	if f.Required {
		d.says(f, d.missing(), "required")
	}
	if !f.Blank {
		when := "is empty"
		if f.Trim && rules.Blank == profiles.BlankRefused {
			when = "is empty, or white space alone"
		}
		d.says(f, when, "blank")
	}
	if f.Role != profiles.RoleAttribute || !f.Type.Null {
		d.says(f, "is null", "null")
	}
	if rules.Coercion != profiles.CoerceAll {
		d.says(f, "is neither a text nor a number", d.notString(f))
	}
}

// checkedField is serializer.check, and what follows on it.
func (d *described) checkedField(f profiles.Field) {
	action := d.endpoint.Action
	unique := slices.Contains([]profiles.Action{profiles.Register, profiles.Update, profiles.SetUsername, profiles.ResetUsernameConfirm}, action)
	if f.Role == profiles.RoleUsername && f.Characters != profiles.CharactersAny {
		d.says(f, "has another character than "+characters(f.Characters), "username_characters")
	}
	if f.Role == profiles.RoleUsername && unique {
		d.says(f, "is another user's", "username_taken")
	}
	if f.Role == profiles.RoleEmail && unique && (d.policy.UniqueEmail || d.verifies() && action != profiles.Update) {
		d.says(f, "is another user's", "email_taken")
	}
	d.checkedText(f)
	if f.Role == profiles.RolePassword && action == profiles.Register && d.profile.Passwords.Stage == profiles.StageField {
		for _, s := range d.passwords.Sentences(f.Name, false) {
			d.add(answer.StageField, f.Name, f.Name+" "+s.When, fieldError(f.Name, s.Text))
		}
	}
	if f.Role == profiles.RoleCurrentPassword {
		d.says(f, "is not the caller's password", "current_password")
		d.hashes(answer.StageField)
	}
}

// checkedText is serializer.checkText.
func (d *described) checkedText(f profiles.Field) {
	if f.MaxLength > 0 {
		most := strconv.Itoa(f.MaxLength)
		d.says(f, "has more than "+most+" characters", "max_length", "max", most)
	}
	if f.MinLength > 1 { // an empty text is another error, or none
		least := strconv.Itoa(f.MinLength)
		d.says(f, "has less than "+least+" characters", "min_length", "min", least)
	}
	if d.profile.Rules.NUL == profiles.Reject {
		d.says(f, "has a NUL character", "nul")
	}
	if d.profile.Rules.Surrogates == profiles.Reject {
		d.says(f, "has half of a surrogate pair", "surrogate")
	}
	if d.isEmail(d.endpoint.Action, f) {
		d.says(f, "is no address", "email_invalid")
	}
}

// characters says in words which ones a set has.
func characters(c profiles.Characters) string {
	if c == profiles.CharactersASCII {
		return "ASCII letters, digits and @.+-_"
	}
	return "letters, digits and @.+-_"
}

// fieldsAsOne adds an error that is no field's.
func (d *described) fieldsAsOne(when, key string) {
	d.add(answer.StageField, "", when, fieldError(d.profile.Errors.NonField, d.message(key)))
}

// newPasswords is view.passwordErrors. of says whether the validators are told whose the password is.
func (d *described) newPasswords(of bool, mismatch, late string) {
	field, asked := d.endpoint.Field(profiles.RolePassword)
	if !asked {
		return
	}
	at := field.Name
	if d.profile.Passwords.Stage == profiles.StageField {
		at = late
	} else {
		late = d.profile.Errors.NonField
	}
	about := func(name string) string { // "" of what is no field's
		if _, ok := d.fieldNamed(name); ok {
			return name
		}
		return ""
	}
	for _, s := range d.passwords.Sentences(field.Name, of) {
		d.add(answer.StageField, about(at), field.Name+" "+s.When, fieldError(at, s.Text))
	}
	if again, ok := d.endpoint.Field(profiles.RolePasswordAgain); ok {
		d.add(answer.StageField, about(late), again.Name+" is not the same as "+field.Name, fieldError(late, d.message(mismatch)))
	}
}

func (d *described) fieldNamed(name string) (profiles.Field, bool) {
	i := slices.IndexFunc(d.endpoint.Fields, func(f profiles.Field) bool { return f.Name == name })
	if i < 0 {
		return profiles.Field{}, false
	}
	return d.endpoint.Fields[i], true
}

// changedPasswords is view.changedPassword.
func (d *described) changedPasswords(of bool) {
	at, again := d.endpoint.Field(profiles.RolePasswordAgain)
	if !again {
		at, _ = d.endpoint.Field(profiles.RolePassword)
	}
	d.newPasswords(of, "change_mismatch", at.Name)
}

// sameUsernames is view.usernameAgain.
func (d *described) sameUsernames() {
	if again, ok := d.endpoint.Field(profiles.RoleUsernameAgain); ok {
		d.fieldsAsOne(again.Name+" is not the same username", "username_mismatch")
	}
}

// canBeEmpty tells whether a valid text can be empty.
func (d *described) canBeEmpty(f profiles.Field) bool {
	return !f.Required || f.Blank || f.Trim && d.profile.Rules.Blank == profiles.BlankRefusedUnstripped
}

// incomplete adds what a login says that names nobody, or has no password.
func (d *described) incomplete() {
	empty := true
	for _, f := range d.endpoint.Fields {
		switch f.Role {
		case profiles.RoleUsername, profiles.RoleEmail, profiles.RoleUsernameOrEmail:
			if !f.Ignored {
				empty = empty && d.canBeEmpty(f)
			}
		}
	}
	password, _ := d.endpoint.Field(profiles.RolePassword)
	if empty || d.canBeEmpty(password) {
		d.fieldsAsOne("there is no name, or no password", "incomplete")
	}
}
