package profiles

import (
	"net/http"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
	"github.com/authcompat/authcompat/profiles/template"
)

// replyPlace is the place of an action's reply.
type replyPlace struct {
	template.Place
	needed bool // whether a body is required
}

// replyOf gives the place of an action's reply, with what it can show. Only register
// and login know the text of a token. An account knows the expiry of the token that
// came with the request. A logout can show neither.
func (p *Profile) replyOf(a Action) replyPlace {
	at := replyPlace{Place: template.Place{Name: "the reply of " + string(a), Formats: p.timeFormats(), Attributes: p.types()}}
	at.needed = p.Family == FormJSON && (a == Register || a == Login) || a == List
	if a.oneOf(Register, Login) {
		at.Values = append(at.Values, template.TokenKey)
	}
	if a.oneOf(Register, Login, Account, Update, List, SetUsername) {
		at.Values = append(at.Values, template.TokenExpiry, template.UserID, template.UserUsername, template.UserEmail, template.UserCreated, template.UserAttribute)
	}
	return at
}

// reply reads the answer on success.
func (at replyPlace) reply(v yamlvalue.Value) (Reply, bool) {
	m := v.Mapping()
	var r Reply
	yamlvalue.Required(m, "status", &r.Status, yamlvalue.Integer(200, 599))
	body, given := m.Get("body")
	switch {
	case !given && at.needed && !m.Broken:
		m.RefuseKey("body", "is missing: %s answers with JSON", at.Name)
	case given && bodyless(r.Status):
		body.Refuse("a reply with status %d has no body", r.Status)
	case given:
		yamlvalue.Keep(body, &r.Body, at.Read)
	}
	m.Done()
	return r, true
}

// bodyless tells whether replies with the status have no body (RFC
// 9110, section 6.4.1).
func bodyless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified
}
