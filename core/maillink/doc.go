// Package maillink makes and checks the uid and the token of links in mails (reset of a password or
// of a username, activation), and the keys that confirm addresses, byte for byte as Django does, so that links that Django has sent are
// honoured here, and the reverse.
//
// The facts are from django/contrib/auth/tokens.py (PasswordResetTokenGenerator), django/utils/crypto.py
// (salted_hmac) and django/utils/http.py of Django 2.2 to 5.1, and from allauth/account/forms.py and
// utils.py of django-allauth.
//
// A token is "timestamp-hash": the timestamp in base 36, and every second digit of an HMAC over the
// user's primary key, encoded password, last login, the timestamp and, since Django 3.1, the e-mail
// address. Nothing is stored: a change of the password, a login that is kept in last_login and, since
// 3.1, a change of the address make the token a wrong one. An activation changes none of these, so
// that whoever activates has to check, in the step that does it, that the user was inactive.
package maillink
