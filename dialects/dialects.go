// Package dialects speaks old token-auth APIs over the engine. A family is Go
// code, a profile is data: what any family's code knows of an API stands in its
// profile.
package dialects

import (
	"fmt"
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/drf"
	"github.com/authcompat/authcompat/dialects/formjson"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/dialects/plainjson"
	"github.com/authcompat/authcompat/profiles"
)

// New makes the handler that speaks the profile's API over the engine. It fails
// for a family that no code speaks, and for tokens that the store can't hold. A ResponseWriter that is an [Observer]
// is told what came of each request.
func New(p *profiles.Profile, engine *core.Service) (http.Handler, error) {
	if err := engine.CheckPolicy(token.Policy(p)); err != nil {
		return nil, fmt.Errorf("profile %s: %w", p.Name, err)
	}
	switch p.Family {
	case profiles.DRF:
		return drf.New(p, engine).Handler(), nil
	case profiles.FormJSON:
		return formjson.New(p, engine), nil
	case profiles.PlainJSON:
		return plainjson.New(p, engine), nil
	}
	return nil, fmt.Errorf("profile %s: no family %q", p.Name, p.Family)
}

// Observer is told what came of a request before its reply is written.
type Observer = wire.Observer

// Informer is asked who a request is from before the engine acts on it.
type Informer = wire.Informer

// Policy gives the engine's policy for a profile, as its handler uses it.
func Policy(p *profiles.Profile) core.Policy { return token.Policy(p) }
