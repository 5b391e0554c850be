// Package validation checks new passwords as the validators of Django do
// (django/contrib/auth/password_validation.py 3.2.25; those of 2.2 to 5.2 decide alike, since the
// fix of CVE-2021-45115). It says which failed, without sentences: those are an API's.
package validation

import (
	"strings"
	"unicode"

	"github.com/authcompat/authcompat/core/spelling"
)

// Kind is what is wrong with a password.
type Kind int

// The kinds.
const (
	TooSimilar      Kind = iota // to an attribute of the user
	TooShort                    // shorter than the least length
	TooCommon                   // in a list of common passwords
	EntirelyNumeric             // digits of any script alone
)

// String implements fmt.Stringer, with the codes of Django's errors.
func (k Kind) String() string {
	return [...]string{"password_too_similar", "password_too_short", "password_too_common", "password_entirely_numeric"}[k]
}

// Failure is the verdict of a validator that a password fails.
type Failure struct {
	Kind      Kind
	Attribute string // TooSimilar: the attribute's VerboseName
	MinLength int    // TooShort: the least length, in code points
}

// Attribute is something about a user that a password must not be like.
type Attribute struct {
	VerboseName string // how sentences call it, such as "email address"
	Value       string // empty: the user has none
}

// Attributes returns those that Django looks at by default, in its order and with the names that
// django.contrib.auth.models.AbstractUser gives them.
func Attributes(username, firstName, lastName, email string) []Attribute {
	return []Attribute{{"username", username}, {"first name", firstName}, {"last name", lastName}, {"email address", email}}
}

// Validator checks passwords.
type Validator interface {
	// Validate returns what is wrong with a password of a user with such attributes, and whether
	// anything is. Lone surrogates count as one code point each, in their three bytes.
	Validate(password string, of []Attribute) (Failure, bool)
}

// Validate returns the failures of all validators that a password fails, in their order.
func Validate(password string, of []Attribute, validators []Validator) []Failure {
	var failures []Failure
	for _, v := range validators {
		if f, failed := v.Validate(password, of); failed {
			failures = append(failures, f)
		}
	}
	return failures
}

// MinLength is MinimumLengthValidator: the least length in code points.
type MinLength int

// DefaultMinLength is Django's.
const DefaultMinLength MinLength = 8

// Validate implements Validator.
func (n MinLength) Validate(password string, _ []Attribute) (Failure, bool) {
	return Failure{Kind: TooShort, MinLength: int(n)}, length(password) < int(n)
}

// Numeric is NumericPasswordValidator.
type Numeric struct{}

// Validate implements Validator. An empty password is not numeric.
func (Numeric) Validate(password string, _ []Attribute) (Failure, bool) {
	other := strings.IndexFunc(password, func(c rune) bool { return !unicode.In(c, unicode.Nd, digits) })
	return Failure{Kind: EntirelyNumeric}, password != "" && other < 0
}

// Common is CommonPasswordValidator: the passwords that are refused, in lower case.
type Common map[string]struct{}

// Validate implements Validator.
func (c Common) Validate(password string, _ []Attribute) (Failure, bool) {
	// What is longer than any line is in no list: it need not be put in lower case.
	if len(password) > maxLine {
		return Failure{}, false
	}
	_, common := c[spelling.Strip(lower(password))]
	return Failure{Kind: TooCommon}, common
}
