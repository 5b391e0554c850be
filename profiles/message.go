package profiles

import (
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// Format gives the sentence with that key, its placeholders filled in. pairs are names
// and values in turn, as in Format("max_length", "max", "150"). Placeholders in a value
// are not filled in. The keys are those of the profile's family.
func (m Messages) Format(key string, pairs ...string) string {
	sentence := m[key]
	if len(pairs) == 0 {
		return sentence
	}
	var out strings.Builder
	for sentence != "" {
		before, name, rest := nextPlaceholder(sentence)
		out.WriteString(before)
		for i := 0; name != "" && i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				out.WriteString(pairs[i+1])
				break
			}
		}
		sentence = rest
	}
	return out.String()
}

// nextPlaceholder cuts a sentence at its first placeholder: lower-case letters and
// underscores in braces. Other braces are text. There is no escape for a text that
// looks like a placeholder. name is "" if there is none.
func nextPlaceholder(sentence string) (before, name, rest string) {
	for from := 0; ; {
		open := strings.IndexByte(sentence[from:], '{')
		if open < 0 {
			return sentence, "", ""
		}
		open += from
		end := open + 1
		for end < len(sentence) && (sentence[end] >= 'a' && sentence[end] <= 'z' || sentence[end] == '_') {
			end++
		}
		if end > open+1 && end < len(sentence) && sentence[end] == '}' {
			return sentence[:open], sentence[open+1 : end], sentence[end+1:]
		}
		from = end
	}
}

// message is a key of a family's messages, with the placeholders that it may have.
type message struct {
	key          string
	placeholders []string
}

// optional tells whether stacks need not have the message: without it, another one is given.
func (m message) optional() bool { return m.key == "not_created" }

// messagesOf gives the messages of a family, in the order in which they are
// shown.
func messagesOf(f Family) []message {
	switch f {
	case DRF:
		return []message{
			{"required", nil}, {"null", nil}, {"blank", nil}, {"not_string", nil}, {"nul", nil},
			{"surrogate", []string{"code"}}, {"max_length", []string{"max"}}, {"min_length", []string{"min"}},
			{"integer_invalid", nil}, {"boolean_invalid", nil}, {"date_invalid", nil},
			{"username_characters", nil}, {"username_taken", nil}, {"email_invalid", nil}, {"email_taken", nil}, {"not_created", nil},
			{"mismatch", nil}, {"change_mismatch", nil}, {"username_mismatch", nil}, {"current_password", nil},
			{"uid_invalid", nil}, {"link_invalid", nil}, {"link_stale", nil}, {"email_unknown", nil}, {"email_unverified", nil},
			{"password_similar", []string{"attribute"}}, {"password_short", []string{"min"}},
			{"password_common", nil}, {"password_numeric", nil},
			{"not_object", []string{"type"}}, {"no_data", nil},
			{"credentials", nil}, {"incomplete", nil}, {"inactive", nil}, {"token_limit", nil},
			{"permission_denied", nil}, {"invalid_user", nil}, {"unsupported", nil},
			{"token_missing", nil}, {"token_empty", nil}, {"token_spaces", nil}, {"token_characters", nil},
			{"token_invalid", nil}, {"token_expired", nil}, {"token_inactive", nil},
			{"basic_empty", nil}, {"basic_spaces", nil}, {"basic_encoding", nil}, {"basic_invalid", nil}, {"basic_inactive", nil},
			{"method", []string{"method"}}, {"media_type", []string{"type"}}, {"not_acceptable", nil},
			{"not_found", nil}, {"parse_error", []string{"error"}}, {"multipart_error", []string{"error"}},
			{"too_large", nil}, {"throttled", []string{"seconds"}}, {"unavailable", nil},
		}
	case FormJSON:
		return []message{
			{"required", nil}, {"max_length", []string{"max", "length"}}, {"nul", nil},
			{"username_characters", nil}, {"username_taken", nil}, {"email_invalid", nil},
			{"mismatch", nil}, {"current_password", nil}, {"password_similar", []string{"attribute"}}, {"password_short", []string{"min"}},
			{"password_common", nil}, {"password_numeric", nil}, {"credentials", nil}, {"token_limit", nil},
			{"token_missing", nil}, {"token_empty", nil}, {"token_spaces", nil}, {"token_characters", nil},
			{"token_invalid", nil}, {"token_expired", nil}, {"token_inactive", nil},
			{"basic_empty", nil}, {"basic_spaces", nil}, {"basic_encoding", nil}, {"basic_invalid", nil}, {"basic_inactive", nil},
			{"method", []string{"method"}}, {"not_acceptable", nil}, {"not_found", nil},
			{"too_large", nil}, {"throttled", []string{"seconds"}}, {"unavailable", nil},
		}
	case PlainJSON:
		return []message{
			{"required", []string{"field"}}, {"not_string", []string{"field"}},
			{"max_length", []string{"field", "max"}}, {"username_characters", []string{"field"}},
			{"email_invalid", []string{"field"}}, {"username_taken", []string{"field"}},
			{"mismatch", []string{"field"}}, {"current_password", []string{"field"}}, {"password_similar", []string{"field", "attribute"}}, {"password_short", []string{"field", "min"}},
			{"password_common", []string{"field"}}, {"password_numeric", []string{"field"}},
			{"not_object", nil}, {"malformed", nil}, {"credentials", nil}, {"inactive", nil}, {"token_limit", nil},
			{"token_invalid", nil}, {"token_expired", nil}, {"token_inactive", nil},
			{"not_found", nil}, {"method", []string{"method"}},
			{"too_large", nil}, {"throttled", []string{"seconds"}}, {"unavailable", nil},
		}
	}
	return nil
}

// readMessages reads messages over those in into. With all, none of the family's may be
// missing.
func readMessages(v yamlvalue.Value, f Family, into Messages, all bool) {
	m := v.Mapping()
	if f == "" {
		return // the keys depend on the family
	}
	for _, known := range messagesOf(f) {
		get := m.Get
		if all && !known.optional() {
			get = m.Need
		}
		v, ok := get(known.key)
		if !ok {
			continue
		}
		text := "a sentence without placeholders"
		if len(known.placeholders) > 0 {
			text = "a sentence, which can have {" + strings.Join(known.placeholders, "}, {") + "}"
		}
		v.Shape().Describe(text)
		if s, ok := sentence(v, known.placeholders); ok {
			into[known.key] = s
		}
	}
	m.Done()
}

// sentence reads a message and checks its placeholders.
func sentence(v yamlvalue.Value, placeholders []string) (string, bool) {
	s, ok := yamlvalue.Text(v)
	if !ok {
		return "", false
	}
	if s == "" {
		v.Refuse("is empty")
		return "", false
	}
	for rest := s; rest != ""; {
		var name string
		_, name, rest = nextPlaceholder(rest)
		if name == "" || slices.Contains(placeholders, name) {
			continue
		}
		ok = false
		if len(placeholders) == 0 {
			v.Refuse("unknown placeholder {%s}; this message has none", name)
		} else {
			v.Refuse("unknown placeholder {%s}; this message has {%s}", name, strings.Join(placeholders, "}, {"))
		}
	}
	return s, ok
}
