// Package identity tells an application whose token a front has checked, in a header that
// nobody without the key can make:
//
//	X-Authcompat-Identity: v1;id=42;name=ann%40example.com;token=5e884898da280471;time=1764470400;mac=9f86d0…
//
//	v1     the version of this format
//	id     the user's id in authcompat's store, a decimal number: the application's own id
//	       only where authcompat works on the application's tables
//	name   the user's name in UTF-8, each byte but A-Z a-z 0-9 - . _ ~ as %XX, in capitals
//	token  the id of the token (core.TokenID), up to 16 hex digits, for logs
//	time   when the front sent the request on, in seconds since 1970
//	mac    HMAC-SHA256 of all bytes before ";mac=", in 64 hex digits of lower case
//
// The fields are always these, in this order. A key is 32 random bytes; a key file has it in
// base64, on a line of its own. The first key of a file signs, a receiver accepts any.
//
// The header is bound to no method and no target: WSGI tells applications a target that is
// decoded, and proxies on the way may change it. Whoever sees a header can therefore use it
// for any request until it is [MaxAge] old; it belongs in no log.
package identity
