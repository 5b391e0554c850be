package transfer

import (
	"context"

	"github.com/authcompat/authcompat/core"
)

// Store is a store that users and tokens come to, and are handed over from.
type Store interface {
	core.Store
	Importer
	Exporter
}

// Rehearsal is an empty store in which a dry run carries out an import. What the import
// has to know of the target's rows is copied into it, batch by batch.
type Rehearsal interface {
	Importer
	// Seed adds rows of another store, except those that it has already. It returns the
	// links to the source of the tokens that it added.
	Seed(ctx context.Context, source int64, facts ImportFacts) ([]TokenLink, error)
}
