package profiles

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPasswords(t *testing.T) {
	for _, test := range []struct {
		profile, passwords string
		want               Passwords
	}{
		{restProfile, "", Passwords{}},
		{restProfile, "{validators: [numeric]}", Passwords{Validators: []PasswordValidator{ValidateNumeric}, Stage: StageObject}},
		{restProfile, "{validators: [similarity, min_length, common], min_length: 12, stage: field}", Passwords{
			Validators: []PasswordValidator{ValidateSimilarity, ValidateMinLength, ValidateCommon}, MinLength: 12, Stage: StageField,
		}},
		{formProfile, "{validators: [min_length]}", Passwords{Validators: []PasswordValidator{ValidateMinLength}, MinLength: 8}},
	} {
		text := test.profile
		if test.passwords != "" {
			text += "passwords: " + test.passwords + "\n"
		}
		p, err := Parse("f.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(test.want, p.Passwords); d != "" {
			t.Errorf("%s: %s", test.passwords, d)
		}
		checkRoundTrip(t, p)
	}
}

func TestPasswordsProblems(t *testing.T) {
	add := func(name, passwords string, want ...string) problem {
		return problem{name, "endpoints:", "passwords: " + passwords + "\nendpoints:", want}
	}
	checkProblems(t, plainProfile, []problem{
		add("no map", "[numeric]", "f.yaml:5:12: passwords: want a map, not a list"),
		add("none", "{}", "f.yaml:5:12: passwords.validators: is missing"),
		add("empty", "{validators: []}", "f.yaml:5:25: passwords.validators: is empty: want at least one of similarity, min_length, common or numeric"),
		add("unknown", "{validators: [length]}", `f.yaml:5:26: passwords.validators[0]: want similarity, min_length, common or numeric, not "length"`),
		add("length", "{validators: [min_length], min_length: 0}", "f.yaml:5:51: passwords.min_length: want a whole number from 1 to 128, not the number 0"),
		add("length of none", "{validators: [numeric], min_length: 8}", "f.yaml:5:36: passwords.min_length: is of the validator min_length, which is not among them"),
		add("stage", "{validators: [numeric], stage: field}", "f.yaml:5:36: passwords.stage: is of family drf alone"),
		add("key", "{validator: [numeric]}", "f.yaml:5:12: passwords.validators: is missing", "f.yaml:5:13: passwords.validator: unknown key; did you mean validators?"),
	})
}
