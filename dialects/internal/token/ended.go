package token

import (
	"context"
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/profiles"
)

// Ended reports whether the token of an Authorization header, which was good, is known to be
// good no more, or that whoever gave a name and a password is disabled. While the store fails,
// nothing is known.
func Ended(ctx context.Context, engine *core.Service, p *profiles.Profile, header string) bool {
	// This is no request of its own: it is checked while that is answered.
	client := func() clients.Client { return clients.Of(ctx) }
	text, name := Credentials(p, header)
	if name != "" {
		// The password is not checked again, which would be a guess.
		disabled, err := engine.Disabled(clients.With(ctx, client), name)
		return disabled && err == nil
	}
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
