package token

import (
	"context"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/profiles"
)

// Credentials returns the token of an Authorization header, or else the name that it says by
// HTTP Basic, as far as an endpoint of a profile asks for them. Both are empty if it has none.
func Credentials(p *profiles.Profile, header string) (text, name string) {
	for _, a := range p.Authentications() {
		switch a.Kind {
		case profiles.AuthenticateToken:
			if parsed, text := Parse(header, a.Word); parsed != Absent {
				return text, ""
			}
		case profiles.AuthenticateBasic:
			if parsed, name, _ := ParseBasic(header, p.Rules); parsed != Absent {
				return "", name
			}
		}
	}
	return "", ""
}

// Owner returns the name of the user whose token an Authorization header has, or whose name it
// says by HTTP Basic. It is empty if the header has no token that is known to be good, and no
// such name.
func Owner(ctx context.Context, engine *core.Service, p *profiles.Profile, header string) string {
	text, name := Credentials(p, header)
	if name != "" {
		return Named(ctx, engine, profiles.Endpoint{Action: profiles.Login}, Policy(p), name)
	}
	if text == "" {
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
