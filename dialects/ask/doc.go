// Package ask answers reverse proxies and services that ask whether a token is good, at a
// listener of its own. Each proxy has its own way of asking, and an implementation of its own:
//
//	/PROFILE/request    nginx's auth_request
//	/PROFILE/forward    forward auth, of Traefik and Caddy; HAProxy through Lua
//	/PROFILE/envoy/…    Envoy's ext_authz over HTTP, with the original path behind it
//	/PROFILE/denied     the API's own refusal, for proxies that can't pass on the first one
//	/introspect         token introspection (RFC 7662), for services; also /PROFILE/introspect
//
// They decide on the Authorization header of the original request alone: whichever method a
// proxy uses, no body is read, and nothing depends on paths that clients choose. A refusal has
// the status, the body and the headers that the API itself has for it. While the store does
// not answer, that is 503.
package ask
