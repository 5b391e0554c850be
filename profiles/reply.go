package profiles

import "net/http"

// replyOf gives the place of an action's reply, with what it can show. Only register
// and login know the text of a token. An account knows the expiry of the token that
// came with the request. A logout can show neither.
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

// reply reads the answer on success.
func (at place) reply(v value) (Reply, bool) {
	m := v.mapping()
	var r Reply
	required(m, "status", &r.Status, integer(200, 599))
	body, given := m.get("body")
	switch {
	case !given && at.needed && !m.broken:
		m.RefuseKey("body", "is missing: a form answers with JSON")
	case given && bodyless(r.Status):
		body.Refuse("a reply with status %d has no body", r.Status)
	case given:
		keep(body, &r.Body, at.template)
	}
	m.done()
	return r, true
}

// bodyless tells whether replies with the status have no body (RFC
// 9110, section 6.4.1).
func bodyless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified
}
