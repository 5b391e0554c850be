package token

import (
	"context"
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/profiles"
)

// Ended reports whether the token of an Authorization header, which was good, is known to be
// good no more. While the store fails, nothing is known.
func Ended(ctx context.Context, engine *core.Service, p *profiles.Profile, header string) bool {
	// This is no request of its own: it is checked while that is answered.
	client := func() clients.Client { return clients.Of(ctx) }
	_, text := Parse(header, p.Scheme)
	_, err := engine.Authenticate(clients.With(ctx, client), Policy(p), Presented(text, p.Tokens.Match))
	switch core.KindOf(err) {
	case core.KindTokenUnknown, core.KindTokenExpired, core.KindUserInactive:
		return err != nil
	}
	return false
}

// Outcome names the outcome of a request whose answer an application owes.
func Outcome(status int, err error) string {
	switch {
	case core.KindOf(err) == core.KindCanceled:
		return core.KindCanceled.String()
	case status == http.StatusBadGateway:
		return "bad_gateway"
	case status == http.StatusGatewayTimeout:
		return "gateway_timeout"
	}
	return core.KindUnavailable.String()
}
