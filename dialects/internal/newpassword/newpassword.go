// Package newpassword checks the passwords that people choose, for all families.
package newpassword

import (
	"context"
	"errors"
	"strconv"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password/validation"
	"github.com/authcompat/authcompat/profiles"
)

// ErrNoList says that a profile has the validator common, and that there is no list for it.
var ErrNoList = errors.New("its passwords.validators has common: that needs a list of common passwords, a file that the configuration names (common_passwords_file)")

// Checker is what a profile says of new passwords, ready for use.
type Checker struct {
	validators []validation.Validator
	profile    profiles.Passwords
	messages   profiles.Messages
}

// New makes the checker of a profile. It fails with ErrNoList.
func New(p *profiles.Profile, common validation.Common) (*Checker, error) {
	c := &Checker{profile: p.Passwords, messages: p.Messages}
	for _, v := range p.Passwords.Validators {
		switch v {
		case profiles.ValidateSimilarity:
			c.validators = append(c.validators, validation.DefaultSimilarity)
		case profiles.ValidateMinLength:
			c.validators = append(c.validators, validation.MinLength(p.Passwords.MinLength))
		case profiles.ValidateCommon:
			if common == nil {
				return nil, ErrNoList
			}
			c.validators = append(c.validators, common)
		case profiles.ValidateNumeric:
			c.validators = append(c.validators, validation.Numeric{})
		}
	}
	return c, nil
}

// Check returns the sentences of all validators that a password of such a user fails, in their
// order; nil: it is good. field is the name that sentences may have for the password.
func (c *Checker) Check(password, field string, of []validation.Attribute) []any {
	var sentences []any
	for _, f := range validation.Validate(password, of, c.validators) {
		sentences = append(sentences, c.sentence(f, field))
	}
	return sentences
}

func (c *Checker) sentence(f validation.Failure, field string) string {
	return c.messages.Format(message(f.Kind), "field", field, "attribute", f.Attribute, "min", strconv.Itoa(f.MinLength))
}

// Sentence is one that Check can give.
type Sentence struct{ When, Text string }

// Sentences returns all that Check can give, in the order of the validators. of says whether the validators are told
// whose the password is.
func (c *Checker) Sentences(field string, of bool) []Sentence {
	var all []Sentence
	for _, v := range c.profile.Validators {
		s := Sentence{}
		f := validation.Failure{MinLength: c.profile.MinLength}
		switch v {
		case profiles.ValidateSimilarity:
			if !of {
				continue
			}
			f.Kind, s.When = validation.TooSimilar, "is like something else of the user"
		case profiles.ValidateMinLength:
			f.Kind, s.When = validation.TooShort, "is shorter than "+strconv.Itoa(c.profile.MinLength)+" characters"
		case profiles.ValidateCommon:
			f.Kind, s.When = validation.TooCommon, "is on the list of common passwords"
		case profiles.ValidateNumeric:
			f.Kind, s.When = validation.EntirelyNumeric, "has digits alone"
		}
		s.Text = c.sentence(f, field)
		all = append(all, s)
	}
	return all
}

// Of returns what the password of a user must not be like.
func Of(u core.User) []validation.Attribute {
	return validation.Attributes(u.Username, u.Attributes["first_name"], u.Attributes["last_name"], u.Email)
}

// Change gives the caller another password, and with endTokens ends the tokens. confirmation is nil
// where the API asks for no password. It fails as ChangePassword of the engine does, or as still.
func Change(ctx context.Context, engine *core.Service, p core.Policy, caller core.User, confirmation *core.Confirmation, still core.Still, password string, endTokens bool) error {
	confirmed, err := engine.Confirmed(ctx, caller, caller, confirmation, still)
	if err == nil {
		_, err = engine.ChangePassword(ctx, p, confirmed, password, endTokens)
	}
	return err
}

// message is the key of a kind's sentence.
func message(k validation.Kind) string {
	switch k {
	case validation.TooSimilar:
		return "password_similar"
	case validation.TooShort:
		return "password_short"
	case validation.TooCommon:
		return "password_common"
	default:
		return "password_numeric"
	}
}
