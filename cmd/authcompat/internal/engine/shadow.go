package engine

import (
	"context"
	"encoding/hex"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/overlay"
	"github.com/authcompat/authcompat/core/sealing"
)

// newShadow makes the engine that answers as one with this configuration does, and writes nothing.
func newShadow(c core.Config, b core.Backend) *core.Service {
	return core.New(core.Config{
		Backend: overlay.Backend(b), Hasher: overlay.Hasher{}, Sealer: c.Sealer, RefreshKeys: c.RefreshKeys, DatabaseKey: c.DatabaseKey,
	})
}

// Shadow returns an engine on the same store, which it reads and never writes, for requests in
// contexts of package overlay; nil without Options.HashPool.
func (e *Engine) Shadow() *core.Service { return e.shadow }

// CheckIdle checks a password if no other is being hashed: see [hashing.Pool.CheckIdle].
func (e *Engine) CheckIdle(ctx context.Context, username, encoded, plain string) (bool, error) {
	if e.pool == nil {
		return false, hashing.ErrBusy
	}
	return e.pool.CheckIdle(ctx, username, encoded, plain)
}

// pseudonymSize is the length of a pseudonym in bytes.
const pseudonymSize = 8

// Pseudonym returns what stands for a user of the database outside of it: the same text on all
// nodes, which nobody without the database can tell from others'.
func (e *Engine) Pseudonym(username string) string {
	return hex.EncodeToString(sealing.KeyedDigest(e.databaseKey, "shadow", username)[:pseudonymSize])
}

// SealWith replaces the sealer, for the shadow too.
func (e *Engine) SealWith(sealer sealing.Sealer) {
	e.Service.SealWith(sealer)
	if e.shadow != nil {
		e.shadow.SealWith(sealer)
	}
}
