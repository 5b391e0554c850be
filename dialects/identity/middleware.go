package identity

import (
	"context"
	"net/http"
	"time"
)

// contextKey is the key of an identity in the context of a request.
type contextKey struct{}

// From returns the identity that Middleware has found in a request; ok is false if there was
// none.
func From(ctx context.Context) (i Identity, ok bool) {
	i, ok = ctx.Value(contextKey{}).(Identity)
	return i, ok
}

// Middleware puts the identity of a request into its context, for [From], and takes all
// headers away that could be taken for one ([Reserved]). A request whose header is not
// believed, or is there twice, has no identity. keys is called for each request with a
// header, as that of [File]; while it fails, such requests get 500.
func Middleware(keys func() (Keys, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		values := r.Header[Header]
		ctx := r.Context()
		if len(values) == 1 {
			known, err := keys()
			if err != nil {
				http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
				return
			}
			if i, err := Verify(known, values[0], time.Now()); err == nil {
				ctx = context.WithValue(ctx, contextKey{}, i)
			}
		}
		r = r.WithContext(ctx)
		r.Header = r.Header.Clone()
		for name := range r.Header {
			if Reserved(name) {
				delete(r.Header, name)
			}
		}
		next.ServeHTTP(w, r)
	})
}
