package profiles

import (
	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
	"github.com/authcompat/authcompat/profiles/template"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// Attribute is what a profile says of further data of a user.
type Attribute struct {
	Name string
	template.Attribute
}

// StaffAttribute says of users whether they may do with all accounts what others may with their
// own: "true", as the column of Django's AbstractUser. No field writes it.
const StaffAttribute = "is_staff"

// rights are attributes that no request writes, whoever names them in a profile.
func rights() []string { return []string{StaffAttribute, "is_superuser", "is_active"} }

// attributes reads the types of the attributes, in the order of the file.
func attributes(v yamlvalue.Value) ([]Attribute, bool) {
	m := v.Mapping()
	var read []Attribute
	for _, e := range m.Entries {
		if !isFieldName(e.Name) {
			e.Refuse(badAttributeName)
		}
		read = append(read, attribute(e))
	}
	return read, true
}

// attribute reads the type of one attribute, written by itself or with null beside.
func attribute(e yamlfile.Entry) Attribute {
	a := Attribute{e.Name, template.Attribute{Type: template.TypeText}}
	kind := yamlvalue.Word(template.TypeText, template.TypeInteger, template.TypeBoolean, template.TypeDate)
	v := yamlvalue.Of(e.Value)
	if v.IsText() {
		yamlvalue.Keep(v, &a.Type, kind)
		return a
	}
	m := v.Mapping()
	yamlvalue.Required(m, "type", &a.Type, kind)
	yamlvalue.Optional(m, "null", &a.Null, yamlvalue.Boolean)
	m.Done()
	return a
}

// types gives what the profile says of its attributes by their names.
func (p *Profile) types() map[string]template.Attribute {
	types := make(map[string]template.Attribute, len(p.Attributes))
	for _, a := range p.Attributes {
		types[a.Name] = a.Attribute
	}
	return types
}

// attributeName reads the name of an attribute, as replies show it, that a field can write.
func attributeName(v yamlvalue.Value) (string, bool) {
	s, ok := yamlvalue.Text(v)
	if ok && !isFieldName(s) {
		v.Refuse(badAttributeName)
		return "", false
	}
	return s, ok
}

// badAttributeName refuses a name that no field could have.
const badAttributeName = "an attribute's name is at most 64 letters, digits, _ and -, the first a letter or _"

func showAttributes(attributes []Attribute) yamlnode.Map {
	s := yamlnode.NewMap()
	for _, a := range attributes {
		if !a.Null {
			s.Text(a.Name, string(a.Type))
			continue
		}
		typed := yamlnode.NewMap()
		typed.Text("type", string(a.Type))
		typed.Flag("null", a.Null)
		s.Set(a.Name, yamlnode.Fold(typed.Node, len(a.Name)+len("  : ")))
	}
	return s
}
