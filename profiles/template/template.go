// Package template describes the bodies of replies and failures: JSON with places for values
// that are not known before the reply.
package template

import "slices"

// Template is the body of a reply: a tree of objects, lists, literals and values, with
// the keys in the order of the file. Kind says which one of the other fields is in
// use.
type Template struct {
	Kind    Kind
	Members []Member   // KindObject
	Items   []Template // KindList
	Literal any        // KindLiteral: string, int64, bool or nil
	Value   Value      // KindValue: the value with its own JSON type
	Parts   []Part     // KindText: a string made of parts
}

// Shows tells whether any of the values is in the template.
func (t Template) Shows(names ...ValueName) bool {
	return t.Kind == KindValue && slices.Contains(names, t.Value.Name) ||
		slices.ContainsFunc(t.Members, func(m Member) bool { return m.Value.Shows(names...) }) ||
		slices.ContainsFunc(t.Items, func(item Template) bool { return item.Shows(names...) }) ||
		slices.ContainsFunc(t.Parts, func(p Part) bool { return slices.Contains(names, p.Value.Name) })
}

// A Kind says what a Template is.
type Kind int

// The kinds of Template.
const (
	KindObject Kind = iota
	KindList
	KindLiteral
	KindValue
	KindText
)

// Member is one key of an object.
type Member struct {
	Key   string
	Value Template
}

// Part is a part of a text: Literal if Value.Name is empty, else the value.
type Part struct {
	Literal string
	Value   Value
}

// Value is a value that the engine fills in, written "$name|format" as a whole scalar
// and "${name|format}" inside of a text. A dollar sign itself is written "$$".
type Value struct {
	Name ValueName
	// Attribute is the attribute's name where Name is UserAttribute.
	Attribute string
	Type      Attribute
	Format    Format // empty: the value's default
	// Time is how a time is written whose Format is one of the profile's; nothing otherwise.
	Time TimeFormat
}

// TimeFormat is a way to write times.
type TimeFormat struct {
	// Strftime is a format of package strftime; empty: Python's isoformat, with Z for UTC.
	Strftime string
	Zone     string // IANA name
}

// Attribute is what is known of an attribute's values. An absent one is shown as null if it may
// be null, or if it is a date, and otherwise as "", 0 or false.
type Attribute struct {
	Type Type // empty: a text
	Null bool
}

// Type is the type of an attribute's values in JSON.
type Type string

// The types.
const (
	TypeText    Type = "text"
	TypeInteger Type = "integer" // of 64 bits
	TypeBoolean Type = "boolean"
	TypeDate    Type = "date" // a text: "1815-12-10"
)

// ValueName is one of a closed set.
type ValueName string

// The values that a template can show. Those of the token and the user are for replies,
// the last three for errors.
const (
	TokenKey      ValueName = "token.key"       // text
	TokenExpiry   ValueName = "token.expiry"    // time or null
	UserID        ValueName = "user.id"         // integer
	UserUsername  ValueName = "user.username"   // text
	UserEmail     ValueName = "user.email"      // text
	UserCreated   ValueName = "user.created"    // time
	UserAttribute ValueName = "user.attributes" // of its own type
	ErrorMessage  ValueName = "message"         // text
	ErrorStatus   ValueName = "status"          // integer
	FieldErrors   ValueName = "errors"          // object of lists
)

// Format is how a value is written.
type Format string

// The formats that every profile has.
const (
	// FormatMicroseconds is Python's isoformat in UTC with Z: six digits of fraction, or
	// none if it is zero. It is the default for times.
	FormatMicroseconds Format = "microseconds"
	// FormatMilliseconds has only three digits.
	FormatMilliseconds Format = "milliseconds"
	// FormatDayMonthYear is "16-06-2014 20:51", UTC.
	FormatDayMonthYear Format = "day-month-year"
	// FormatInteger writes an attribute as a number, or 0 if it is absent or not a
	// number.
	FormatInteger Format = "integer"
	// FormatGravatar is the hex MD5 of an address, trimmed and in lower case.
	FormatGravatar Format = "gravatar"
)
