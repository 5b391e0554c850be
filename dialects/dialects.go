// Package dialects serves old token-auth APIs over the engine. A family of APIs is
// Go code, an API is data: everything in which two APIs of one family differ is in
// their profiles.
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

// New makes the handler that serves the profile's API over the engine. It fails for
// an unknown family, and for tokens that the engine's store can't hold. The handler
// makes use of a ResponseWriter that is an [OutcomeRecorder], and of the client in the
// context of a request ([core.WithClient]).
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

// OutcomeRecorder is a ResponseWriter that records the outcome of its request, for
// logs and metrics.
type OutcomeRecorder = wire.OutcomeRecorder

// Policy gives the engine's policy that the handler of a profile uses.
func Policy(p *profiles.Profile) core.Policy { return token.Policy(p) }
