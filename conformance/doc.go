// Package conformance replays the exchanges that an API's document promises at any server that
// speaks HTTP, and compares the status, the headers and the whole body of every response. It knows
// nothing of the server: Run takes exchange files and a Launcher, which provides servers and access
// to their state, and returns a Report, which package report writes. Look tells beforehand whether a
// running server is any use.
//
// # Exchange files
//
// There is one file for each profile, exchanges/NAME.yaml. Loading is strict: all problems are
// reported at once, as file:line:column: key: what is wrong. Keys of the file:
//
//	profile: ocd-users            # the profile's name
//	usernames: {max: 150}         # the longest username that the API accepts
//	defaults:                     # expected of each response that says nothing else of these headers
//	  response:
//	    headers: {Content-Type: application/json}
//	create_user:                  # a step that registers ${user.username} through the API; without
//	  request: …                  # it a running server needs a given user
//	  response: …
//	exchanges: [ … ]
//
// An exchange:
//
//	name: "login: a wrong password"               # unique in the file
//	source: "apis/ocd-users.md, Login, Incorrect Credentials"   # document and section, or
//	                                              # "silent: …" with the source of the choice
//	authcompat_only: the limit is authcompat's    # the reason, where no other server answers so
//	users:                                        # by the names that references use
//	  john: {username: john, password: secret, email: john@example.com}
//	variables:                                    # what ${token1} stands for is given to the run, with the reason why
//	  token1: a token that was issued before the recording began
//	not_replayable: the status was 201, and is 400 when it is replayed   # why it is not tried at any server
//	steps: [ … ]                                  # one or more; the first that fails ends the exchange
//
// Users exist before the exchange begins. With new: true a user does not: only the name is set
// aside. username is the documented name (by default the name in the file); on a server that is not
// isolated a suffix of ten characters makes it unique. length pads the name to exactly that many
// characters. inactive: true and attributes: {…} need a server whose state can be set.
// dedicated: true means that no other exchange may use the user.
//
// A step:
//
//	link: {user: john, uid: uid, token: link}     # capture what is in the link of a mail to john: the
//	                                              # user's key and a token, as ${uid} and ${link}
//	email_key: {user: john, key: key}             # capture the key with which john verifies the address,
//	                                              # likewise, as ${key}
//	advance: 14d23h                               # then move the server's clock
//	request:
//	  method: POST
//	  path: /api/login/
//	  headers: {Authorization: "Token ${token}"}  # a list sends a header several times
//	  json: {username: "${john.username}", password: secret}
//	response:
//	  status: 400
//	  headers: {WWW-Authenticate: ~}              # ~: must be absent
//	  body: '{"non_field_errors":["Unable to log in with provided credentials."]}'
//
// A request has at most one of body (text), json (a value, sent without white space, its keys in the
// order of the file) and form (pairs). The latter two add their Content-Type unless the headers
// give one; Content-Type: ~ sends none. Requests are sent byte for byte, see package wire.
//
// A response has a status and one of body (the exact text), json (compared as a value, keys in the
// order of the file unless any_key_order: true), html: true (an HTML page, whatever it says) and
// empty: true. Its headers, or the defaults, must say something of Content-Type. Header names are
// compared as spelled.
//
// YAML's anchors and aliases share steps and responses between exchanges.
//
// # References and placeholders
//
// In all texts, ${…} is replaced; $${ stands for ${.
//
//	${token}                 what an earlier step captured
//	${john.username}         also .password and .email; a response cannot refer to a password
//	${upper(john.username)}  in capital letters
//	${basic(john)}           what follows Basic in an Authorization header: john's name and password
//	${repeat(p, 5000)}       5000 times p
//	${bytes(00ff)}           bytes, in hex
//
// In responses, <…> matches; << stands for < before a small letter.
//
//	<hex40>                  exactly 40 lower-case hex digits
//	<hex40:token>            the same, captured as token
//	<hex40:second, not token>   and different from token
//	<token68>                letters, digits and ._~+/-, then any number of =: what RFC 9110 (11.2) calls so, such as
//	                         a JSON Web Token, a UUID or the value of a cookie
//	<integer>                a whole number; in json the whole value
//	<text>                   any string; in json only, the whole of it
//	<datetime, microseconds-Z, now + 10h ± 90s>
//	                         forms: microseconds-Z, milliseconds-Z, DD-MM-YYYY HH:MM, IMF-fixdate (as in
//	                         cookies), or none for any of ISO 8601; now is the server's clock, where it can be read
//	<any>                    the whole of a header: any value, or none
package conformance
