package profiles

import (
	"slices"

	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// Passwords says which new passwords the API refuses (AUTH_PASSWORD_VALIDATORS).
type Passwords struct {
	Validators []PasswordValidator // in the order in which they are asked
	// MinLength is the least length in code points of the validator min_length, 8 unless the
	// profile says otherwise; 0 without it.
	MinLength int
	// Stage says when a serializer of family drf asks the validators: "object" unless the
	// profile says otherwise. It is empty in the other families.
	Stage PasswordStage
}

// PasswordValidator names a validator of Django's (django/contrib/auth/password_validation.py).
type PasswordValidator string

// The validators.
const (
	ValidateSimilarity PasswordValidator = "similarity" // to what else is known of the user
	ValidateMinLength  PasswordValidator = "min_length"
	ValidateCommon     PasswordValidator = "common" // none of a list, which is configuration
	ValidateNumeric    PasswordValidator = "numeric"
)

// PasswordStage says when a serializer asks the validators.
type PasswordStage string

// The values of PasswordStage.
const (
	// StageObject asks all of them once the fields are valid, and shows what fails at the
	// password (djoser/serializers.py 2.1, UserCreateSerializer.validate).
	StageObject PasswordStage = "object"
	// StageField asks them with the password's field, when nothing else is known of the
	// user, and all again at the end; what then fails is no field's
	// (dj_rest_auth/registration/serializers.py 5.0, RegisterSerializer). A change and a reset
	// are Django's SetPasswordForm there, which is asked last, and shows all at the password that was typed again.
	StageField PasswordStage = "field"
)

// defaultMinLength is that of Django's MinimumLengthValidator.
const defaultMinLength = 8

// maxMinLength is the most that a least length can be: nobody has a password for more.
const maxMinLength = 128

// passwords reads which new passwords are refused.
func (f Family) passwords(v yamlvalue.Value) (Passwords, bool) {
	m := v.Mapping()
	var p Passwords
	read := yamlvalue.Required[[]PasswordValidator]
	if _, ok := m.Get("stage"); ok {
		read = yamlvalue.Optional[[]PasswordValidator]
	}
	read(m, "validators", &p.Validators, yamlvalue.Words(ValidateSimilarity, ValidateMinLength, ValidateCommon, ValidateNumeric))
	if slices.Contains(p.Validators, ValidateMinLength) {
		p.MinLength = defaultMinLength
		yamlvalue.Optional(m, "min_length", &p.MinLength, yamlvalue.Integer(1, maxMinLength))
	} else {
		m.Forbid("min_length", "is of the validator %s, which is not among them", ValidateMinLength)
	}
	if f.oneOf(DRF) {
		p.Stage = StageObject
	}
	ofFamily(m, f, DRF, "", "stage", &p.Stage, yamlvalue.Word(StageObject, StageField))
	m.Done()
	return p, !m.Broken
}

func (p Passwords) show() yamlnode.Map {
	s := yamlnode.NewMap()
	if len(p.Validators) > 0 {
		s.Set("validators", yamlnode.Words(p.Validators))
		s.Number("min_length", p.MinLength)
	}
	s.Text("stage", string(p.Stage))
	return s
}
