package shadow

import (
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
)

// jsonType is the type of a value, as far as clients can tell.
type jsonType string

const (
	typeNull    jsonType = "null"
	typeBoolean jsonType = "boolean"
	typeInteger jsonType = "integer"
	typeDecimal jsonType = "number with a fraction"
	typeString  jsonType = "string"
	typeList    jsonType = "list"
	typeObject  jsonType = "object"
)

// typeOf returns the type of a value.
func typeOf(v jsontree.Value) jsonType {
	switch v.Kind {
	case jsontree.Bool:
		return typeBoolean
	case jsontree.Number:
		if strings.ContainsAny(v.Text, ".eE") {
			return typeDecimal
		}
		return typeInteger
	case jsontree.String:
		return typeString
	case jsontree.Array:
		return typeList
	case jsontree.Object:
		return typeObject
	}
	return typeNull
}

// shownScalar returns a scalar as it may be shown.
func shownScalar(v jsontree.Value) string {
	switch v.Kind {
	case jsontree.Null, jsontree.Bool:
		return v.Source.Raw
	case jsontree.String:
		return `"` + Mask(v.Text) + `"`
	}
	return Mask(v.Text)
}

// size is the length of a scalar in characters.
func size(v jsontree.Value) int {
	if v.Kind == jsontree.String {
		return utf8.RuneCountInString(v.Text)
	}
	return len(v.Source.Raw)
}
