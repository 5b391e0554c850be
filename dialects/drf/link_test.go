package drf_test

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
)

// TestLinkAsSent follows links with white space around their parts: djoser compares what was sent (initial_data), where
// fields are trimmed. Parts that are no fields are what the link says they are.
func TestLinkAsSent(t *testing.T) {
	const badToken, badUID = `400 {"token":["Invalid token for given user."]}`, `400 {"uid":["Invalid user id or user doesn't exist."]}`
	loose := strings.Replace(byMail, "fields: {uid: {}, token: {}, new_username:", "fields: {uid: {required: false, validate: false}, token: {required: false, validate: false}, new_username:", 1)
	newOffice(t, loose, "links: django").run(t, []step{
		{"/reset_password_confirm/", `{"uid":"MQ","token":" TOKEN","new_password":"other","re_new_password":"other"}`, badToken, ""},
		{"/reset_password_confirm/", `{"uid":"MQ","token":" ","new_password":"other","re_new_password":"other"}`, `400 {"token":["This field may not be blank."]}`, ""},
		{"/reset_username_confirm/", `{"uid":"MQ","token":"TOKEN ","new_username":"paul","re_new_username":"paul"}`, badToken, ""},
		{"/reset_username_confirm/", `{"uid":"MQ","token":null,"new_username":"paul","re_new_username":"paul"}`, badToken, ""},
		{"/reset_username_confirm/", `{"uid":"MQ","token":"\\ud800","new_username":"paul","re_new_username":"paul"}`, badToken, ""},
		{"/reset_username_confirm/", `{"uid":["MQ"],"new_username":"paul","re_new_username":"paul"}`, badUID, ""},
		{"/reset_username_confirm/", `{"uid":null,"token":null,"new_username":"","re_new_username":""}`, `400 {"new_username":["This field may not be blank."],"re_new_username":["This field may not be blank."]}`, ""},
		{"/reset_username_confirm/", `{"uid":"MQ","token":"TOKEN","new_username":"paul","re_new_username":"paul"}`, "204", ""},
		{"/activation/", `{"uid":"Mg","token":"AGAIN"}`, badToken, ""},
	})
	// Who is active, and whose link has ended with a login, is not told so where no activations are sent.
	o := newOffice(t, loose, "links: django")
	link := o.token(t, 1)
	p := apitest.MustParse(t, loose, "SETTINGS", "links: django")
	policy := dialects.Policy(p)
	policy.UpdateLastLogin = true
	o.MustLogin(t, policy, "john")
	o.run(t, []step{{"/activation/", `{"uid":"MQ","token":"` + link + `"}`, badToken, ""}})
}
