package answer

import (
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/wire"
)

// Success returns what an endpoint answers when all is well.
func Success(reply wire.Reply) Answer {
	a := Of(reply)
	a.Stage, a.When = StageAction, []string{"all is well"}
	return a
}

// Failing adds what a family answers to a failure of the engine. Its methods add those that are the same in all families.
type Failing func(stage Stage, when string, kind core.Kind)

// Tokens adds what is answered to tokens that are not live.
func (fails Failing) Tokens(p core.Policy) {
	const stage = StageClient
	fails(stage, "nobody has the token, or it was logged out", core.KindTokenUnknown)
	if p.TTL > 0 {
		fails(stage, "the token's time is over", core.KindTokenExpired)
	}
	fails(stage, "the token's user is inactive", core.KindUserInactive)
}

// Hashes adds what is answered where there is no room for another password.
func (fails Failing) Hashes(stage Stage, p core.Policy) {
	fails(stage, "too many passwords wait to be checked", core.KindOverloaded)
	if p.TellThrottled {
		fails(stage, "after too many wrong passwords", core.KindThrottled)
	}
}

// Server adds what is nobody's fault who asks.
func (fails Failing) Server() {
	fails(StageServer, "the database does not answer", core.KindUnavailable)
	fails(StageServer, "a defect of the server", core.KindInternal)
}
