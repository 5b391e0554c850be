package transfer

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Exporter exports users and tokens to another server, in pages, and keeps what was
// exported, so that later imports and exports know which side has changed what. A page has
// the data of the moment of the call. Errors are those of [core.Store].
type Exporter interface {
	// ExportUsers returns at most limit users whose ids are above after, by id, each with its LastLogin.
	ExportUsers(ctx context.Context, after int64, limit int) ([]core.Account, error)

	// ExportTokens returns at most limit tokens of the realm, live and expired, whose user
	// and digest are above those of after, in that order, each with its Legacy. The zero
	// Token is before all.
	ExportTokens(ctx context.Context, realm string, after core.Token, limit int) ([]core.Token, error)

	// LinkedFingerprints returns the links of these users to the source.
	LinkedFingerprints(ctx context.Context, source int64, userIDs []int64) ([]UserLink, error)

	// DeletedUsers returns at most limit links to the source of users who are no longer here and whose ids
	// are above after, by id.
	DeletedUsers(ctx context.Context, source, after int64, limit int) ([]UserLink, error)

	// NoteExported records, in one atomic step, what is about to be written to a source, in place of what was noted of it before: users
	// with the fingerprints that they get there, and tokens by their digests there (by table). If users are among it, an import of the source that
	// is under way is over: it may have read them before, and would put what they were in the place of what they are.
	NoteExported(ctx context.Context, source int64, noted NotedExport) error

	// MarkExported forgets what was noted of the source of place, and records, in one atomic step, that users, and tokens with these digests
	// or legacy digests (by table), were exported to the source of place. Those of tokens that have ended here
	// meanwhile count as exported and ended: they are among RevokedAmong, and no import takes them over. A user whose
	// Fingerprint is not nil is recorded with that.
	MarkExported(ctx context.Context, place Checkpoint, users []ImportedUser, tokens map[string][]core.Digest) error

	// UnlinkedTokens returns those of the digests of tokens that are here still, and neither came from one of these tables of
	// the source nor were exported to it.
	UnlinkedTokens(ctx context.Context, source int64, tables []string, digests []core.Digest) ([]core.Digest, error)

	// KeepForms records the legacy forms of tokens that are about to be exported in a form that was not kept here, in
	// one atomic step, so that MarkExported, RevokedAmong and imports know them by it. Tokens that have ended are left out. An
	// entry that an import has made of such a form is the same token, and goes.
	KeepForms(ctx context.Context, tokens []core.Token) error

	// RevokedAmong returns those of the digests whose tokens were once imported or
	// exported, and have been ended here or expired by now. It leaves out those that were
	// ended only because an import did not see them.
	RevokedAmong(ctx context.Context, digests []core.Digest, now time.Time) ([]core.Digest, error)
}

// NotedExport is what an export that was cut off may have written: whether its last transaction was committed there is not
// known here.
type NotedExport struct {
	Users  []UserLink // with Fingerprint that of what was to be written
	Tokens map[string][]core.Digest
}

// Empty reports whether there is nothing in it.
func (n NotedExport) Empty() bool { return len(n.Users) == 0 && len(n.Tokens) == 0 }
