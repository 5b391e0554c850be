package transfer

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
)

// rehearsal is an import that writes into a scratch store instead of its target. Before
// each batch, the rows of the target that matter to it are copied to the scratch store,
// so that each decision is made as it would be in the target.
type rehearsal struct {
	transfer.ImportReader // the target
	scratch               transfer.Rehearsal
	tables                []string
	known                 int // number of the source's tokens in the target that are in scratch too
}

// newSource is the number of a source that is new to the target.
const newSource = 1 << 40

// BeginImport implements [transfer.Importer]. It always begins at the first row.
func (r *rehearsal) BeginImport(ctx context.Context, source, options string) (transfer.Checkpoint, error) {
	place, err := r.FindImport(ctx, source)
	if place.Source == 0 {
		place.Source = newSource
	}
	place.Run, place.Options, place.Stage, place.Cursor = place.Run+1, options, "", ""
	return place, err
}

func (r *rehearsal) seed(ctx context.Context, place transfer.Checkpoint, facts transfer.ImportFacts) error {
	links, err := r.scratch.Seed(ctx, place.Source, facts)
	for _, l := range links {
		if l.Table == "" || slices.Contains(r.tables, l.Table) {
			r.known++
		}
	}
	return err
}

// ImportUsers implements [transfer.Importer].
func (r *rehearsal) ImportUsers(ctx context.Context, place transfer.Checkpoint, users []transfer.ImportedUser) ([]transfer.ImportResult, error) {
	facts, err := r.UserFacts(ctx, place.Source, users)
	if err == nil {
		err = r.seed(ctx, place, facts)
	}
	if err != nil {
		return nil, err
	}
	return r.scratch.ImportUsers(ctx, place, users)
}

// ImportTokens implements [transfer.Importer].
func (r *rehearsal) ImportTokens(ctx context.Context, place transfer.Checkpoint, tokens []transfer.ImportedToken) ([]transfer.ImportResult, error) {
	facts, err := r.TokenFacts(ctx, place.Source, tokens)
	if err == nil {
		err = r.seed(ctx, place, facts)
	}
	if err != nil {
		return nil, err
	}
	return r.scratch.ImportTokens(ctx, place, tokens)
}

// ImportAddresses implements [transfer.Importer].
func (r *rehearsal) ImportAddresses(ctx context.Context, addresses []core.Address) error {
	return r.scratch.ImportAddresses(ctx, addresses)
}

// KeysAreIDs implements [transfer.ImportReader]. It returns false so that each user is
// looked up, and thereby copied to the scratch store.
func (r *rehearsal) KeysAreIDs(context.Context, int64) (bool, error) { return false, nil }

// ImportOwners implements [transfer.ImportReader]. Users whom this run has not read
// (with Since) are copied to the scratch store with their tokens; for others, what the
// run has written there counts.
func (r *rehearsal) ImportOwners(ctx context.Context, source int64, keys, names []string) (byKey, byName map[string]transfer.ImportedUser, err error) {
	there, namesThere, err := r.ImportReader.ImportOwners(ctx, source, keys, names)
	if err != nil {
		return nil, nil, err
	}
	if byKey, byName, err = r.scratch.ImportOwners(ctx, source, keys, names); err != nil {
		return nil, nil, fmt.Errorf("rehearsal: %w", err)
	}
	maps.Copy(there, byUserKey(namesThere))
	var unread []transfer.ImportedUser
	for key, u := range there {
		if _, here := byKey[key]; !here {
			unread = append(unread, u)
		}
	}
	if len(unread) == 0 {
		return byKey, byName, nil
	}
	facts, err := r.UserFacts(ctx, source, unread)
	if err == nil {
		_, err = r.scratch.Seed(ctx, source, facts)
	}
	if err == nil {
		byKey, byName, err = r.scratch.ImportOwners(ctx, source, keys, names)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("rehearsal: %w", err)
	}
	return byKey, byName, nil
}

// byUserKey indexes users by key.
func byUserKey(byName map[string]transfer.ImportedUser) map[string]transfer.ImportedUser {
	byKey := make(map[string]transfer.ImportedUser, len(byName))
	for _, u := range byName {
		byKey[u.Key] = u
	}
	return byKey
}

// CountImported implements [transfer.ImportReader].
func (r *rehearsal) CountImported(ctx context.Context, place transfer.Checkpoint, read []string) (here, unseen int, err error) {
	if here, _, err = r.ImportReader.CountImported(ctx, place, read); err != nil {
		return 0, 0, err
	}
	rehearsed, unseen, err := r.scratch.CountImported(ctx, place, read)
	return here - r.known + rehearsed, here - r.known + unseen, err
}

// FinishImport implements [transfer.Importer]. It returns the number of tokens that
// would be revoked.
func (r *rehearsal) FinishImport(ctx context.Context, place transfer.Checkpoint, read []string) (ended int, err error) {
	if len(read) == 0 {
		return 0, nil
	}
	_, ended, err = r.CountImported(ctx, place, read)
	return ended, err
}
