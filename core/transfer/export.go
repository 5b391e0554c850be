package transfer

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Exporter hands users and tokens to another server, in pages, and keeps what
// was handed over, so that later imports from there and exports to there know
// who changed what. Pages see what is there when they are asked for. Errors are
// those of [core.Store].
type Exporter interface {
	// ExportUsers gives at most limit users whose ids are above after, by id.
	ExportUsers(ctx context.Context, after int64, limit int) ([]core.Account, error)

	// ExportTokens gives at most limit tokens of the realm, live and expired,
	// whose user and digest are above those of after, in that order, each with
	// its Legacy. The zero Token is before all.
	ExportTokens(ctx context.Context, realm string, after core.Token, limit int) ([]core.Token, error)

	// Links gives the links of these users to the source.
	LinkedFingerprints(ctx context.Context, source int64, userIDs []int64) ([]UserLink, error)

	// Link keeps that users, and tokens with these digests of theirs or their
	// twins', by table, were handed to the source of place, in one atomic step.
	MarkExported(ctx context.Context, place Checkpoint, users []ImportedUser, tokens map[string][]core.Digest) error

	// Ended gives those of the digests whose tokens were once taken over or
	// handed over, and are gone here or over at now. Those that were ended only
	// because an import did not see them are left out.
	RevokedAmong(ctx context.Context, digests []core.Digest, now time.Time) ([]core.Digest, error)
}
