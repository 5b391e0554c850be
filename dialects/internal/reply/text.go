package reply

import (
	"github.com/authcompat/authcompat/dialects/internal/answer"
	"github.com/authcompat/authcompat/profiles/template"
)

// Text returns the body with the values as they stand in the profile. Those that are always texts stand in their quotes;
// others may be numbers, truth values or null.
func (b *Body) Text() answer.Text {
	var t answer.Text
	literal := func(text string) {
		if last := len(t) - 1; last >= 0 && !t[last].Variable {
			t[last].Text += text
		} else if text != "" {
			t = append(t, answer.Part{Text: text})
		}
	}
	for i := range b.segments {
		s := &b.segments[i]
		literal(string(s.literal))
		if s.value.Name == "" {
			continue
		}
		quote := ""
		switch s.value.Name {
		case template.TokenKey, template.UserUsername, template.UserEmail, template.ErrorMessage:
			if !s.inText {
				quote = `"`
			}
		}
		literal(quote)
		t = append(t, answer.Part{Text: s.value.String(), Variable: true})
		literal(quote)
	}
	return t
}
