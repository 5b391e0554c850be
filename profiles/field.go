package profiles

import (
	"slices"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
	"github.com/authcompat/authcompat/profiles/template"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// The most code points that the columns of AbstractUser hold of a username and of an address
// (django/contrib/auth/models.py 3.2); a password is bounded by the request's size alone.
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
	types  map[string]template.Attribute
	// addresses says that usernames are addresses.
	addresses bool
}

// roles gives the roles that a field of the endpoint can have. An action that is unclear has been
// reported, and can have all.
func (r fieldReader) roles() []Role {
	if r.action == "" {
		var roles []Role
		for _, rule := range actionRules() {
			for _, role := range rule.takesIn(r.family) {
				if !slices.Contains(roles, role) {
					roles = append(roles, role)
				}
			}
		}
		return roles
	}
	return r.action.rule().takesIn(r.family)
}

// fields reads all fields. Each role can be there once, and each attribute; those that the action
// needs have to be.
func (r fieldReader) fields(v yamlvalue.Value) ([]Field, bool) {
	m := v.Mapping()
	var fields []Field
	names, attributes := map[Role]string{}, map[string]string{}
	unclear := m.Broken
	for _, e := range m.Entries {
		f := r.field(e)
		fields = append(fields, f)
		if f.Role == "" {
			unclear = true
		} else if f.Role == RoleAttribute {
			if first, ok := attributes[f.Attribute]; ok {
				e.Value.Refuse("is the attribute %s, as %s is", f.Attribute, first)
			}
			attributes[f.Attribute] = f.Name
		} else if first, ok := names[f.Role]; ok {
			e.Value.Refuse("has the role %s, as %s has", f.Role, first)
		} else if !f.Ignored {
			names[f.Role] = f.Name
		}
	}
	needs := r.action.rule().needs
	if r.action == "" {
		needs = [][]Role{{RoleUsername}, {RolePassword}}
	}
	for _, any := range needs {
		if r.family.oneOf(DRF) && slices.Equal(any, r.action.rule().optional) {
			continue
		}
		has := func(role Role) bool { _, ok := names[role]; return ok }
		// Those that this family can't have are not told.
		known := slices.DeleteFunc(slices.Clone(any), func(role Role) bool { return !slices.Contains(r.roles(), role) })
		if !slices.ContainsFunc(known, has) && !unclear {
			v.Refuse("no field has the role %s", yamlvalue.Either(known))
		}
	}
	return fields, true
}

// field reads one field with its defaults.
func (r fieldReader) field(e yamlfile.Entry) Field {
	m := yamlvalue.Of(e.Value).Mapping()
	if !isFieldName(e.Name) {
		e.Refuse("a field's name is at most 64 letters, digits, _ and -, the first a letter or _")
	}
	f := Field{Name: e.Name, Role: r.role(m, Role(e.Name)), Characters: CharactersAny}
	ofFamily(m, r.family, DRF, "OPTIONS tells it", "label", &f.Label, yamlvalue.Line)
	ofFamily(m, r.family, DRF, "OPTIONS tells it", "help_text", &f.HelpText, yamlvalue.Line)
	if f.Role.oneOf(RoleAttribute) {
		f.Attribute = f.Name
		yamlvalue.Optional(m, "attribute", &f.Attribute, attributeName)
		if f.Role == RoleAttribute && slices.Contains(rights(), f.Attribute) {
			m.Refuse("%s is a right, which no request writes", f.Attribute)
		}
		if f.Type = r.types[f.Attribute]; f.Type.Type == "" {
			f.Type.Type = template.TypeText
		}
	} else {
		m.Forbid("attribute", "a field with the role %s is no attribute", f.Role)
	}
	if r.addresses && f.Role == RoleEmail && (r.action == Register || r.action == Update) {
		e.Refuse("the address is the username here (usernames.email), and has its role")
	}
	if r.action.oneOf(Login) && f.Role.oneOf(RoleEmail) || f.Role.oneOf(RoleUID, RoleToken) {
		validate := true
		yamlvalue.Optional(m, "validate", &validate, yamlvalue.Boolean)
		f.AnyText = !validate
	} else {
		m.Forbid("validate", "only an address at %s need not look like one, and a uid and a token of a link be any text", Login)
	}
	if r.action.oneOf(Login) && f.Role.oneOf(RoleUsername, RoleEmail) && r.family.oneOf(DRF) {
		yamlvalue.Optional(m, "ignored", &f.Ignored, yamlvalue.Boolean)
	} else {
		m.Forbid("ignored", "only a name at %s can be, in family %s", Login, DRF)
	}
	r.presence(m, &f)
	r.content(m, &f)
	if v, _ := m.Get("ignored"); f.Ignored && f.Required {
		v.Refuse("whoever logs in would have to send it: want required: false")
	}
	m.Done()
	return f
}

// role reads what a field is for, by default what its name says. It is "" if that is
// unclear, which has been reported.
func (r fieldReader) role(m *yamlvalue.Map, name Role) Role {
	v, given := m.Get("role")
	if given {
		role, _ := yamlvalue.Word(r.roles()...)(v)
		return role
	}
	if name.oneOf(r.roles()...) {
		return name
	}
	if !m.Broken {
		m.RefuseKey("role", "is missing: %s is none of %s", yamlvalue.Quote(string(name)), yamlvalue.List(r.roles()))
	}
	return ""
}

// presence reads whether a field is required, and whether it may be blank.
func (r fieldReader) presence(m *yamlvalue.Map, f *Field) {
	if f.Role.ReadOnly() {
		m.Forbid("required", "a field with the role %s is read-only", f.Role)
		m.Forbid("blank", "a field with the role %s is read-only", f.Role)
		return
	}
	if r.action.oneOf(Update) {
		yamlvalue.Optional(m, "read_only", &f.ReadOnly, yamlvalue.Boolean)
	} else {
		m.Forbid("read_only", "only the fields of %s can be read-only", Update)
	}
	if f.ReadOnly {
		m.Forbid("required", "a read-only field is never required")
	} else {
		f.Required = true
		yamlvalue.Optional(m, "required", &f.Required, yamlvalue.Boolean)
	}
	if v, _ := m.Get("required"); !f.Required && r.action == Register && (f.Role == RoleUsername || f.Role == RolePassword) {
		v.Refuse("nobody can register without a %s", f.Role)
	} else if !f.Required && f.Role == RoleCurrentPassword {
		v.Refuse("whoever leaves the password out would have confirmed nothing: without the field, none is asked for")
	} else if !f.Required && f.Role == RolePassword && r.action.oneOf(SetPassword, ResetPasswordConfirm) {
		v.Refuse("whoever leaves the new password out would get an empty one")
	}
	if !f.isText() {
		m.Forbid("blank", "a field with %s is no text", f.content())
		return
	}
	yamlvalue.Optional(m, "blank", &f.Blank, yamlvalue.Boolean)
	if v, _ := m.Get("blank"); f.Blank && r.action == Register && f.Role == RoleUsername {
		v.Refuse("nobody can register without a username")
	}
}

// content reads the limits of a text.
func (r fieldReader) content(m *yamlvalue.Map, f *Field) {
	most := maxPassword
	if !f.isText() {
		for _, key := range []string{"trim", "lower", "min_length", "max_length", "characters"} {
			m.Forbid(key, "a field with %s is no text", f.content())
		}
		return
	}
	switch f.Role {
	case RoleUsername, RoleUsernameAgain:
		if most = maxUsername; r.addresses {
			most = maxEmail
		}
	case RoleEmail, RoleUsernameOrEmail:
		most = maxEmail
	}
	// A form does not strip passwords (django/contrib/auth/forms.py, strip=False),
	// and a plain view strips nothing.
	f.Trim = r.family == DRF && r.trim || r.family == FormJSON && f.Role.oneOf(RoleUsername, RoleEmail)
	yamlvalue.Optional(m, "trim", &f.Trim, yamlvalue.Boolean)
	yamlvalue.Optional(m, "max_length", &f.MaxLength, yamlvalue.Integer(1, most))
	if r.family.oneOf(DRF) {
		if f.MaxLength > 0 {
			most = f.MaxLength
		}
		yamlvalue.Optional(m, "min_length", &f.MinLength, yamlvalue.Integer(1, most))
	} else {
		m.Forbid("min_length", "is of family %s alone", DRF)
	}
	if f.Role.oneOf(RoleUsername) {
		yamlvalue.Optional(m, "lower", &f.Lower, yamlvalue.Boolean)
		sets := []Characters{CharactersAny, CharactersDjango, CharactersASCII}
		if r.addresses { // is checked as one
			sets = sets[:1]
		}
		yamlvalue.Optional(m, "characters", &f.Characters, yamlvalue.Word(sets...))
	} else {
		m.Forbid("lower", "only a username is compared")
		m.Forbid("characters", "only a username has a set of characters")
	}
}

// isFieldName tells whether a text can be a key on the wire, or the name of an attribute.
func isFieldName(s string) bool {
	return yamlvalue.IsName(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", "0123456789-")
}

// fieldName reads a key on the wire.
func fieldName(v yamlvalue.Value) (string, bool) {
	s, ok := yamlvalue.Text(v)
	if ok && !isFieldName(s) {
		v.Want("at most 64 letters, digits, _ and -, the first a letter or _")
		ok = false
	}
	return s, ok
}

// isText tells whether the field's values are texts.
func (f Field) isText() bool {
	switch f.Role {
	case RoleID, RoleKey, RoleAccept:
		return false
	case RoleAttribute:
		return f.Type.Type == template.TypeText
	}
	return true
}

// content says why a field is no text.
func (f Field) content() string {
	if f.Role == RoleAttribute {
		return "the type " + string(f.Type.Type)
	}
	return "the role " + string(f.Role)
}
