// Package core is the auth engine behind every dialect: users, their
// credentials, tokens, the policies that govern both, and a closed set of error
// kinds. It speaks no HTTP and no SQL and holds no wire sentence: a dialect
// turns an [Error]'s [Kind] into the status and the words of its API, and a
// store keeps what [Store] says.
//
// [Service] is the one entrance for dialects and commands:
//
//	Register   a new user and the first token, in one step
//	Login      a password for a token, new or shown again
//	Authenticate  a presented token for its session
//	Logout, LogoutAll  the end of one token, of all of a user's
//
// The package imports the standard library, golang.org/x/crypto and
// golang.org/x/text only.
package core
