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
	messages   profiles.Messages
}

// New makes the checker of a profile. It fails with ErrNoList.
func New(p *profiles.Profile, common validation.Common) (*Checker, error) {
	c := &Checker{messages: p.Messages}
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
		sentences = append(sentences, c.messages.Format(message(f.Kind), "field", field, "attribute", f.Attribute, "min", strconv.Itoa(f.MinLength)))
	}
	return sentences
}

// Of returns what the password of a user must not be like.
func Of(u core.User) []validation.Attribute {
	return validation.Attributes(u.Username, u.Attributes["first_name"], u.Attributes["last_name"], u.Email)
}

// Change gives the caller another password, and with endTokens ends the tokens. confirmation is nil
// where the API asks for no password. It fails as ChangePassword of the engine does.
func Change(ctx context.Context, engine *core.Service, p core.Policy, caller core.User, confirmation *core.Confirmation, password string, endTokens bool) error {
	confirmed, err := engine.Confirmed(ctx, caller, caller, confirmation)
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
