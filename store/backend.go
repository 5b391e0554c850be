package store

import (
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/sqlite"
)

// Backend is an open store with all that it can do.
type Backend struct {
	core.Backend
	// Transfer is the store, if users and tokens can be imported into it and exported
	// from it; nil: it works on Django's own tables.
	Transfer transfer.Store
	// Rehearsal is the store, if a dry run can use it in the target's place; else nil.
	Rehearsal transfer.Rehearsal
}

func sqliteBackend(s *sqlite.Store) Backend {
	return Backend{Backend: s.Backend(), Transfer: s, Rehearsal: s}
}

func postgresBackend(s *postgres.Store) Backend { return Backend{Backend: s.Backend(), Transfer: s} }

func liveBackend(s *live.Store) Backend { return Backend{Backend: s.Backend()} }
