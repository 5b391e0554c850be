package token

import (
	"context"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/profiles"
)

// Owner returns the name of the user whose token an Authorization header has. It is empty if
// the header has none that is known to be good.
func Owner(ctx context.Context, engine *core.Service, p *profiles.Profile, header string) string {
	parsed, text := Parse(header, p.Scheme)
	if parsed != Found {
		return ""
	}
	user, err := engine.Owner(ctx, p.Tokens.Realm, Presented(text, p.Tokens.Match))
	if err != nil {
		return ""
	}
	return user.Username
}

// Named returns the name of the user whom a request to an endpoint names as username: that of
// the account, or the one that it will have if the endpoint registers it. It is empty if nobody
// can have it, and while the store doesn't answer.
func Named(ctx context.Context, engine *core.Service, e profiles.Endpoint, policy core.Policy, username string) string {
	if e.Action == profiles.Register && policy.NormalizeUsername {
		username = spelling.Normalize(username)
	}
	if e.Action == profiles.Register {
		policy.LoginBy = core.ByUsername // whatever users log in by
	}
	spelling, known, err := engine.Spelling(ctx, policy, username)
	switch {
	case err != nil || spelling == "":
		return ""
	case e.Action == profiles.Register && !known:
		return username
	}
	return spelling
}
