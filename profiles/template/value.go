package template

import (
	"maps"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// value reads "name|format".
func (at Place) value(v yamlvalue.Value, expression string) (Value, bool) {
	name, format, formatted := strings.Cut(expression, "|")
	shown := Value{Name: ValueName(name), Format: Format(format)}
	if attribute, ok := strings.CutPrefix(name, string(UserAttribute)+"."); ok {
		shown.Name, shown.Attribute, shown.Type = UserAttribute, attribute, at.Attributes[attribute]
		if attribute == "" || strings.Trim(attribute, attributeCharacters) != "" {
			v.Refuse("the attribute's name in %s has to be letters, digits, _ and -", dollar(name))
			return shown, false
		}
	} else if name == string(UserAttribute) {
		v.Refuse("$%s wants the attribute's name: $%[1]s.location", name)
		return shown, false
	}
	if !slices.Contains(at.Values, shown.Name) {
		at.unknown(v, name)
		return shown, false
	}
	formats := formatsOf(shown.Name)
	if len(formats) > 0 && formats[0] == FormatMicroseconds {
		if of, ok := at.Formats[shown.Format]; ok && formatted {
			shown.Time = of
			return shown, true
		}
		formats = append(formats, slices.Sorted(maps.Keys(at.Formats))...)
	}
	if formatted && !slices.Contains(formats, shown.Format) {
		if len(formats) == 0 {
			v.Refuse("$%s takes no format", name)
		} else {
			v.Refuse("$%s takes the format %s, not %s", name, yamlvalue.Either(formats), yamlvalue.Quote(format))
		}
		return shown, false
	}
	return shown, true
}

// attributeCharacters are those of an attribute's name.
const attributeCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// unknown refuses a value that is not known in this place, or in any.
func (at Place) unknown(v yamlvalue.Value, name string) {
	known := "known here are $" + strings.ReplaceAll(yamlvalue.List(at.Values), ", ", ", $")
	if len(at.Values) == 0 {
		known = "no value is known here"
	}
	if slices.Contains(allValues(), ValueName(name)) || strings.HasPrefix(name, string(UserAttribute)+".") {
		v.Refuse("%s is not known in %s; %s", dollar(name), at.Name, known)
		return
	}
	if near := yamlfile.Nearest(name, allValues()); near != "" {
		known = "did you mean $" + string(near) + "?"
	}
	v.Refuse("unknown value %s; %s", dollar(name), known)
}

// dollar writes a value's name for a problem.
func dollar(name string) string {
	if strings.Trim(name, valueCharacters) == "" {
		return "$" + yamlvalue.Cut(name)
	}
	return yamlvalue.Quote("${" + name + "}")
}

func allValues() []ValueName {
	return []ValueName{
		TokenKey, TokenExpiry, UserID, UserUsername, UserEmail, UserCreated, UserAttribute,
		ErrorMessage, ErrorStatus, FieldErrors,
	}
}

// Formats gives the formats that every profile has.
func Formats() []Format {
	return []Format{FormatMicroseconds, FormatMilliseconds, FormatDayMonthYear, FormatInteger, FormatGravatar}
}

// formatsOf gives the formats of a value besides the default one.
func formatsOf(name ValueName) []Format {
	switch name {
	case TokenExpiry, UserCreated:
		return []Format{FormatMicroseconds, FormatMilliseconds, FormatDayMonthYear}
	case UserAttribute:
		return []Format{FormatInteger}
	case UserEmail:
		return []Format{FormatGravatar}
	}
	return nil
}
