package profiles

import "github.com/authcompat/authcompat/profiles/yamlfile"

// The most code points that the engine stores of a username and of an address
// (django/contrib/auth/models.py 3.2, AbstractUser); a password is bounded by
// the request's size alone.
const (
	maxUsername = 150
	maxEmail    = 254
	maxPassword = 1 << 20
)

// fieldReader reads the fields of an endpoint.
type fieldReader struct {
	family Family
	action Action
	trim   bool // the stack's rule
}

// roles gives the roles that a field of the endpoint can have.
func (r fieldReader) roles() []Role {
	roles := []Role{RoleUsername, RolePassword}
	if r.action.oneOf(Register) {
		roles = append(roles, RoleEmail)
		if r.family.oneOf(DRF) {
			roles = append(roles, RoleID)
		}
		if r.family.oneOf(FormJSON) {
			roles = append(roles, RolePasswordAgain, RoleAccept)
		}
	}
	return roles
}

// fields reads all fields. Each role can be there once; those of the credentials have
// to be.
func (r fieldReader) fields(v value) ([]Field, bool) {
	m := v.mapping()
	var fields []Field
	names := map[Role]string{}
	unclear := m.broken
	for _, e := range m.entries {
		f := r.field(e)
		fields = append(fields, f)
		if f.Role == "" {
			unclear = true
		} else if first, ok := names[f.Role]; ok {
			e.Value.Refuse("has the role %s, as %s has", f.Role, first)
		} else {
			names[f.Role] = f.Name
		}
	}
	for _, role := range []Role{RoleUsername, RolePassword} {
		if _, ok := names[role]; !ok && !unclear {
			v.Refuse("no field has the role %s", role)
		}
	}
	return fields, true
}

// field reads one field with its defaults.
func (r fieldReader) field(e yamlfile.Entry) Field {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
	m := value{e.Value}.mapping()
	if !isName(e.Name, letters, "0123456789-") {
		e.Refuse("a field's name is at most 64 letters, digits, _ and -, the first a letter or _")
	}
	f := Field{Name: e.Name, Role: r.role(m, Role(e.Name)), Characters: CharactersAny}
	if r.family.oneOf(DRF) {
		optional(m, "label", &f.Label, line)
		optional(m, "help_text", &f.HelpText, line)
	} else {
		m.forbid("label", "is of family %s alone: OPTIONS tells it", DRF)
		m.forbid("help_text", "is of family %s alone: OPTIONS tells it", DRF)
	}
	r.presence(m, &f)
	r.content(m, &f)
	m.done()
	return f
}

// role reads what a field is for, by default what its name says. It is "" if that is
// unclear, which has been reported.
func (r fieldReader) role(m *mapReader, name Role) Role {
	v, given := m.get("role")
	if given {
		role, _ := word(r.roles()...)(v)
		return role
	}
	if name.oneOf(r.roles()...) {
		return name
	}
	if !m.broken {
		m.RefuseKey("role", "is missing: %s is none of %s", quote(string(name)), list(r.roles()))
	}
	return ""
}

// presence reads whether a field is required, and whether it may be blank.
func (r fieldReader) presence(m *mapReader, f *Field) {
	if f.Role == RoleID {
		m.forbid("required", "a field with the role id is read-only")
		m.forbid("blank", "a field with the role id is read-only")
		return
	}
	f.Required = true
	optional(m, "required", &f.Required, boolean)
	if v, _ := m.get("required"); !f.Required && r.action == Register && (f.Role == RoleUsername || f.Role == RolePassword) {
		v.Refuse("nobody can register without a %s", f.Role)
	}
	if f.Role == RoleAccept {
		m.forbid("blank", "a field with the role accept is no text")
		return
	}
	optional(m, "blank", &f.Blank, boolean)
	if v, _ := m.get("blank"); f.Blank && r.action == Register && f.Role == RoleUsername {
		v.Refuse("nobody can register without a username")
	}
}

// content reads the limits of a text.
func (r fieldReader) content(m *mapReader, f *Field) {
	most := maxPassword
	switch f.Role {
	case RoleID, RoleAccept:
		for _, key := range []string{"trim", "lower", "max_length", "characters"} {
			m.forbid(key, "a field with the role %s is no text", f.Role)
		}
		return
	case RoleUsername:
		most = maxUsername
	case RoleEmail:
		most = maxEmail
	}
	// A form does not strip passwords (django/contrib/auth/forms.py, strip=False),
	// and a plain view strips nothing.
	f.Trim = r.family == DRF && r.trim || r.family == FormJSON && f.Role.oneOf(RoleUsername, RoleEmail)
	optional(m, "trim", &f.Trim, boolean)
	optional(m, "max_length", &f.MaxLength, integer(1, most))
	if f.Role.oneOf(RoleUsername) {
		optional(m, "lower", &f.Lower, boolean)
		optional(m, "characters", &f.Characters, word(CharactersAny, CharactersDjango, CharactersASCII))
	} else {
		m.forbid("lower", "only a username is compared")
		m.forbid("characters", "only a username has a set of characters")
	}
}
