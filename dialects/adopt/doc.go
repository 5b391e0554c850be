// Package adopt lets users of an older server move in whose database nobody can read: what
// the API does not know is asked of that server, until a date.
//
//	logins    a name or a password that is not good here is tried once at the old server's
//	          login. If its reply is the one that the profile has, the user and a hash of
//	          the typed password are kept, and the client gets that reply
//	tokens    one that is unknown here is tried at a path of the old server that needs one,
//	          and what it said is remembered for at most a minute
//	the rest  logouts with a token of the old server are passed on; and registrations, also
//	          after that date, since those who were not adopted have their names there
//
// The old server is sent the name and the password as they were read here, and nothing else
// that it could take for a name, a password or a session: what it vouches for has to be what
// is kept. See [Login].
package adopt
