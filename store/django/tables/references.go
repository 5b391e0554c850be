package tables

import (
	"strconv"
	"strings"
	"time"
)

// Referring is a column of a table that refers to rows of users.
type Referring struct {
	Table  Table
	Column string
	// Part is the table of users that it refers to, and Key the column of that.
	Part Table
	Key  string
	// Links is set if a row means nothing without its user, by Django's own models: it is
	// deleted with it there (on_delete=CASCADE).
	Links bool
}

// ReferringToUsers returns the columns that refer to users, but those by which users
// inherit from others, by foreign keys of the database: Django makes one for each of its own, unless
// db_constraint is off.
func (s *Database) ReferringToUsers() (all []Referring) {
	parts := s.shape.Users.Parts()
	for _, part := range parts {
		for _, t := range s.all.tables {
			for _, r := range t.References {
				if target, ok := s.all.target(r); !ok || !target.same(part) {
					continue
				}
				within := false
				for _, other := range parts {
					within = within || other.same(t)
				}
				if within && r.Column == t.KeyColumn() {
					continue
				}
				key := r.To
				if key == "" {
					key = part.KeyColumn()
				}
				all = append(all, Referring{Table: t, Column: r.Column, Part: part, Key: key, Links: s.links(part, t, r.Column)})
			}
		}
	}
	return all
}

// links tells whether rows of a table go with the user: those of tokens, of the two relations
// of PermissionsMixin (django/contrib/auth/models.py), of the admin's log
// (django/contrib/admin/models.py, LogEntry.user), and the addresses of django-allauth
// (allauth/account/models.py, EmailAddress.user).
func (s *Database) links(part, t Table, column string) bool {
	for _, token := range s.shape.Found {
		if token.same(t) && !token.Own && column == "user_id" {
			return true
		}
	}
	for _, token := range s.shape.Tokens {
		if token.same(t) && column == "user_id" {
			return true
		}
	}
	switch t.Name {
	case part.Name + "_groups", part.Name + "_user_permissions":
		return true
	case "django_admin_log", "account_emailaddress":
		return column == "user_id"
	}
	return false
}

// Takes reports whether the text of an attribute is a value of the column's type, as far as
// that is known.
func (c Column) Takes(text string) bool {
	switch {
	case text == "" && c.Nullable:
		return true
	case strings.HasPrefix(c.Kind, "bool"):
		_, err := boolean(text)
		return err == nil
	case c.IsInteger():
		_, err := strconv.ParseInt(text, 10, c.bits())
		return err == nil
	case c.Kind == "date":
		_, err := time.Parse(dateOnly, text)
		return err == nil && text > "0001"
	case strings.HasPrefix(c.Kind, "timestamp"), c.Kind == "datetime":
		_, err := instant(text, time.UTC)
		return err == nil
	case c.Kind == "decimal", c.Kind == "numeric", c.Kind == "real", c.Kind == "double precision", c.Kind == "float":
		_, err := strconv.ParseFloat(text, 64)
		return err == nil
	}
	return true
}

// bits is the size of the integers that Django keeps in a column.
func (c Column) bits() int {
	switch strings.TrimSuffix(c.Kind, " unsigned") {
	case "smallint", "int2":
		return 16
	case "integer", "int", "int4", "serial":
		return 32
	}
	return 64
}

// AttributeColumns returns the columns of users that hold attributes, by attribute.
func (d Decoder) AttributeColumns(users Table) map[string]Column {
	columns := make(map[string]Column)
	add := func(attribute, column string) {
		if c, ok := users.Column(column); ok && !c.Generated {
			columns[attribute] = c
		}
	}
	if d.Mapping.Attributes != nil {
		for attribute, column := range d.Mapping.Attributes {
			add(attribute, column)
		}
		return columns
	}
	for _, column := range d.Mapping.extra {
		add(column, column)
	}
	return columns
}

// Empty is what a column has that holds nothing: NULL or, where that may not be, an empty text
// or false; ok is false if its type has no such value.
func (c Column) Empty() (value any, ok bool) {
	switch {
	case c.Nullable:
		return nil, true
	case strings.HasPrefix(c.Kind, "bool"):
		return false, true
	case strings.Contains(c.Kind, "char"), strings.Contains(c.Kind, "text"):
		return "", true
	}
	return nil, false
}
