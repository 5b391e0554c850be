package profiles

import "net/http"

// replyOf says what the reply of an action can show. Only register and login
// have the text of a token, and an account the end of the one that it was asked
// for with; a logout's token and user are gone.
func replyOf(f Family, a Action) place {
	at := place{name: "the reply of " + string(a)}
	at.needed = f == FormJSON && (a == Register || a == Login)
	if a.oneOf(Register, Login) {
		at.values = append(at.values, TokenKey)
	}
	if a.oneOf(Register, Login, Account) {
		at.values = append(at.values, TokenExpiry, UserID, UserUsername, UserEmail, UserCreated, UserAttribute)
	}
	return at
}

// reply reads the answer when all went well.
func (at place) reply(v value) (Reply, bool) {
	m := v.mapping()
	var r Reply
	required(m, "status", &r.Status, integer(200, 599))
	body, given := m.get("body")
	switch {
	case !given && at.needed && !m.broken:
		m.refuseKey("body", "is missing: a form answers with JSON")
	case given && bodyless(r.Status):
		body.refuse("a reply with status %d has no body", r.Status)
	case given:
		keep(body, &r.Body, at.template)
	}
	m.done()
	return r, true
}

// bodyless tells whether a reply with the status ends with its headers (RFC
// 9110, section 6.4.1).
func bodyless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified
}
