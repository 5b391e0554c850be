package drf

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles"
)

// check runs the validators of a field in the order of a ModelSerializer, and gives the
// messages of all that fail (rest_framework/fields.py, Field.run_validators).
func (s *serializer) check(ctx context.Context, f profiles.Field, text string) (messages []any, err error) {
	named := f.Role == profiles.RoleUsername || f.Role == profiles.RoleEmail
	registers := s.adapted() && s.endpoint.Action == profiles.Register
	if named && !registers {
		if messages, err = s.checkName(ctx, f, text); err != nil {
			return nil, err
		}
	}
	messages = append(messages, s.checkText(f, text)...)
	if messages != nil || !s.adapted() {
		return messages, nil
	}
	// The adapter looks at what the field has accepted, and says the first that is wrong
	// (dj_rest_auth/registration/serializers.py 5.0, validate_username and validate_email).
	if named && registers {
		messages, err = s.checkName(ctx, f, text)
		return messages[:min(len(messages), 1)], err
	}
	// It does not know who changes a name: one's own is taken, too (dj_rest_auth/serializers.py 5.0,
	// UserDetailsSerializer.validate_username).
	if s.endpoint.Action == profiles.Update && f.Role == profiles.RoleUsername {
		taken, err := s.engine.UsernameTaken(ctx, s.policy, text)
		if taken {
			messages = append(messages, s.message("username_taken"))
		}
		return messages, err
	}
	return nil, nil
}

// adapted tells whether the adapter of django-allauth has its say about names and addresses.
func (v *view) adapted() bool { return v.profile.Mails.Links == profiles.LinksAllauth }

// checkName gives what is wrong with a username or an address beside its text.
func (s *serializer) checkName(ctx context.Context, f profiles.Field, text string) (messages []any, err error) {
	taken, key := false, "email_taken"
	if f.Role == profiles.RoleUsername {
		key = "username_taken"
		if f.Characters != profiles.CharactersAny && !django.ValidUsername(text, f.Characters) {
			messages = append(messages, s.message("username_characters"))
		}
	}
	if taken, err = s.taken(ctx, f.Role, text); err != nil {
		return nil, err
	}
	if taken {
		messages = append(messages, s.message(key))
	}
	return messages, nil
}

// checkText gives what is wrong with a text.
func (s *serializer) checkText(f profiles.Field, text string) (messages []any) {
	fail := func(key string, pairs ...string) { messages = append(messages, s.message(key, pairs...)) }
	if f.MaxLength > 0 && pyjson.Len(text) > f.MaxLength {
		fail("max_length", "max", strconv.Itoa(f.MaxLength))
	}
	if text != "" && pyjson.Len(text) < f.MinLength {
		fail("min_length", "min", strconv.Itoa(f.MinLength))
	}
	if s.profile.Rules.NUL == profiles.Reject && strings.ContainsRune(text, 0) {
		fail("nul")
	}
	if s.profile.Rules.Surrogates == profiles.Reject {
		if r, found := pyjson.FirstSurrogate(text); found {
			fail("surrogate", "code", fmt.Sprintf("%X", r))
		}
	}
	if s.isEmail(s.endpoint.Action, f) && text != "" && !s.emails.Valid(text) {
		fail("email_invalid")
	}
	return messages
}

// taken asks whether another user has a username or an address.
func (s *serializer) taken(ctx context.Context, r profiles.Role, text string) (bool, error) {
	if !s.unique {
		return false, nil
	}
	if r == profiles.RoleUsername {
		if s.of != nil && text == s.of.Username {
			return false, nil
		}
		return s.engine.UsernameTaken(ctx, s.policy, text)
	}
	if s.of == nil && s.verifies() && text != "" {
		if verified, err := s.engine.EmailVerified(ctx, text); verified || err != nil {
			return verified, err
		}
	}
	if !s.policy.UniqueEmail {
		return false, nil
	}
	var id int64
	if s.of != nil {
		id = s.of.ID
	}
	return s.engine.EmailTaken(ctx, text, id)
}

// isEmail tells whether a field of an action is REST framework's EmailField: one of the role email, or where
// users have no other name, the name that a user gets. Who logs in may send any.
func (a *API) isEmail(at profiles.Action, f profiles.Field) bool {
	named := f.Role == profiles.RoleUsername && a.profile.Usernames.Email
	return f.Role == profiles.RoleEmail && !f.AnyText || named && at != profiles.Login
}
