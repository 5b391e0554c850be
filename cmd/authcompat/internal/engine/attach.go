package engine

import (
	"github.com/authcompat/authcompat/core"
)

// attached is a store on another program's tables, which says what these can't
// hold.
type attached interface {
	core.PlaintextStore
	Caveats() []string
}

// attach makes the engine one that works beside Django, where the store is on
// Django's tables. Two programs that make each other's password hashes anew
// would never end, so this one leaves them as they are.
func (e *Engine) attach(c *core.Config) {
	store, ok := e.Store.(attached)
	if !ok {
		return
	}
	c.Plaintext, e.passwords.KeepHashes = store, true
	if c.Log == nil {
		return
	}
	for _, caveat := range store.Caveats() {
		c.Log.Warn("working on Django's own tables: " + caveat)
	}
}
