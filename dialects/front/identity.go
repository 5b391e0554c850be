package front

import (
	"net/http"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/identity"
)

// Identity is how the application is told whose token was checked and found good: in a
// header of package identity.
type Identity struct {
	Keys identity.Keys // the first signs
	// DropAuthorization keeps the client's Authorization from the application where the
	// identity takes its place.
	DropAuthorization bool
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// identify takes all away that the application could take for an identity, and adds that of
// the session; nil: there is none. The proxy has removed what Connection names before, so
// that no client can have ours removed.
func (f *Front) identify(out *http.Request, session *core.Session) {
	removeReserved(out.Header)
	// Applications take trailers for headers. The values are here already where the body was read before, as before a shadow.
	out.Trailer = nil
	if f.Identity == nil || session == nil {
		return
	}
	value, ok := f.Identity.Sign(session)
	if !ok {
		return
	}
	if f.Identity.DropAuthorization {
		delete(out.Header, "Authorization")
	}
	out.Header[identity.Header] = []string{value}
}

// Sign returns the value of the header for whose session it is. ok is false if the token is
// good, and it is not known whose it is.
func (i *Identity) Sign(session *core.Session) (value string, ok bool) {
	if session.User.Username == "" {
		return "", false
	}
	now := time.Now
	if i.Now != nil {
		now = i.Now
	}
	return identity.Sign(i.Keys, identity.Identity{
		UserID: session.User.ID, Name: session.User.Username, TokenID: core.TokenID(session.Token.Digest), Time: now(),
	}), true
}

func removeReserved(h http.Header) {
	for name := range h {
		if identity.Reserved(name) {
			delete(h, name)
		}
	}
}
