// Package transfer holds the rules by which users and tokens move between the engine's
// stores and other servers: what becomes of a row that comes, what is kept of where it
// came from, and what a store has to do for it. Reading and writing the other server's
// database is package store/django/transfer's.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Importer imports the users and tokens of another server in batches. Each call is one
// atomic step, which is durable, together with the checkpoint, before it returns: an
// interrupted import continues from there. Errors are those of [core.Store].
type Importer interface {
	ImportReader

	// BeginImport returns the checkpoint to start from, without Now: that of the last run
	// of this source if it was interrupted and had the same options, otherwise that of a
	// new run. It writes nothing but a row for a new source.
	BeginImport(ctx context.Context, source, options string) (Checkpoint, error)

	// ImportUsers imports a batch of at most MaxImport users of the table place.Stage and stores the checkpoint. It
	// returns the result for each, as [MergeUser] decides. A user whose ID is 0 gets a new
	// one. It fails with [ErrOvertaken] if the run is over.
	ImportUsers(ctx context.Context, place Checkpoint, users []ImportedUser) ([]ImportResult, error)

	// ImportTokens imports a batch of at most MaxImport tokens of the table place.Stage
	// and stores the checkpoint. It returns the result for each, as [MergeToken] decides.
	// No token is written for a user other than the one whom the key Owner of this source
	// is mapped to. It fails with [ErrOvertaken] if the run is over.
	ImportTokens(ctx context.Context, place Checkpoint, tokens []ImportedToken) ([]ImportResult, error)

	// ImportAddresses adds addresses that users verify, of at most MaxImport users here. Those of nobody are
	// left out. One that the user has becomes verified if it is so at the source, and never the reverse. An
	// address whose ID is above MaxUserID, 0 or another's gets a new one.
	ImportAddresses(ctx context.Context, addresses []core.Address) error

	// FinishImport ends the run, or fails with [ErrOvertaken]. It deletes the tokens of the given tables that came from
	// the source, or were exported to it, and that this run has not seen, because they
	// were ended at the source, and returns their number. Such a token is added again if a
	// later run sees it. It stores place.Tables as the tables read so far.
	FinishImport(ctx context.Context, place Checkpoint, tables []string) (ended int, err error)
}

// ImportReader reads what decides about an import, and changes nothing. Errors are those
// of [core.Store].
type ImportReader interface {
	// FindImport returns the checkpoint of a source. A source that has never been imported
	// has the number 0.
	FindImport(ctx context.Context, source string) (Checkpoint, error)

	// NotedExport returns what an export to the source noted that was cut off before it was marked as exported.
	NotedExport(ctx context.Context, source int64) (NotedExport, error)

	// ImportOwners returns the users whom the source's keys are mapped to, by key, and
	// those from the source who have one of the names, by name: their keys, ids and names
	// only, without users who have been deleted here.
	ImportOwners(ctx context.Context, source int64, keys, names []string) (byKey, byName map[string]ImportedUser, err error)

	// UserFacts returns the users here who have a key, an id or a name of the batch, each
	// once, and their links.
	UserFacts(ctx context.Context, source int64, users []ImportedUser) (ImportFacts, error)

	// KeysAreIDs reports whether all users from the source have their key there as their
	// id here.
	KeysAreIDs(ctx context.Context, source int64) (bool, error)

	// TokenFacts returns the tokens here that have a digest of the batch, without their
	// sealed texts; and for the tokens that may have to be written, the links of their
	// users to the source.
	TokenFacts(ctx context.Context, source int64, tokens []ImportedToken) (ImportFacts, error)

	// CountImported counts the tokens here that came from the given tables of the source,
	// and those of them that the run of place has not seen.
	CountImported(ctx context.Context, place Checkpoint, tables []string) (here, unseen int, err error)
}

// ImportFacts are the rows of a store that decide about a batch.
type ImportFacts struct {
	Users      []core.Account
	UserLinks  []UserLink
	Tokens     []core.Token
	TokenLinks []TokenLink
	// Deleted are ids of users who were deleted here.
	Deleted []int64
}

// And returns the facts of both.
func (f ImportFacts) And(more ImportFacts) ImportFacts {
	return ImportFacts{
		Users: both(f.Users, more.Users), UserLinks: both(f.UserLinks, more.UserLinks),
		Tokens: both(f.Tokens, more.Tokens), TokenLinks: both(f.TokenLinks, more.TokenLinks), Deleted: both(f.Deleted, more.Deleted),
	}
}

// both returns the rows of both; they are large, and copied only if they have to be.
func both[T any](rows, more []T) []T {
	switch {
	case len(more) == 0:
		return rows
	case len(rows) == 0:
		return more
	}
	return slices.Concat(rows, more)
}

// ImportedUser is a user of another server.
type ImportedUser struct {
	// Key is the user's primary key at the source, as text, which the tokens there refer
	// to.
	Key string
	// Refused says why the user can't be imported, if that is so. Then it only matters who
	// has the key, as far as Account says.
	Refused string
	// Fingerprint is the [UserFingerprint] of the account at the source; nil: it has not
	// been computed yet.
	Fingerprint []byte
	// Account.ID is the id that the user should have here; 0: any.
	core.Account
}

// ImportedToken is a token of another server. UserID is the user here whom Owner, the key
// at the source, is mapped to.
type ImportedToken struct {
	Owner string
	core.Token
	// Undated says that the source does not know when the token was created: CreatedAt, and
	// the expiry, are reckoned from the time of the run. A token that is here keeps those of
	// the first run, or else no token would ever end.
	Undated bool
}

// UserLink links a user to the user of a source whom it was imported from, or exported to.
type UserLink struct {
	UserID int64
	Source int64
	Key    string
	// Fingerprint is the [UserFingerprint] of what was last imported or exported.
	Fingerprint []byte
	// Rehashed is the [PasswordFingerprint] of the password here, if it is that of
	// Fingerprint, hashed again at a login.
	Rehashed []byte
}

// TokenLink says that a token was imported from a source, or exported to it. It outlives
// the token.
type TokenLink struct {
	Digest core.Digest
	Source int64
	Table  string // the table of the source; empty where it is not known
	// Absent says that the token was ended here because a run did not see it.
	Absent bool
}

// ErrOvertaken is the error of a run that is over, since a later one of the same source has begun to write, or another
// process has ended the same one, or an export has written users there. What it had seen is forgotten: it would end tokens that are still good at the source.
var ErrOvertaken = errors.New("another import from this source has begun or ended since, or an export to it has written users, and this one goes no further; run it again when no other is running")

// MaxImport is the largest batch, in rows.
const MaxImport = 10_000

// Checkpoint is how far an import has come.
type Checkpoint struct {
	Source  int64 // the store's number of the source
	Run     int64 // from 1
	Options string
	Stage   string
	Cursor  string // where the stage goes on, in the words of the reader
	// Tables are the token tables that runs have read so far.
	Tables []string
	// Now is the time of the run: tokens that have expired by then are not added.
	Now time.Time
}

// ImportOutcome is the outcome for one row.
type ImportOutcome int

// The outcomes.
const (
	ImportAdded     ImportOutcome = iota
	ImportUpdated                 // the source has changed since an earlier run
	ImportUnchanged               // it is here as the source has it
	ImportKept                    // ours is newer, or the row was ended here
	ImportRefused                 // it can't be taken over: Reason says why
	ImportExpired                 // a token that is over and not here
	ImportIDTaken                 // somebody else has the user's id, or none may have it: with ID 0 there is another
)

// ImportResult is the outcome for one row. Reason is a sentence for people, without
// secrets; it is empty if there is nothing to say.
type ImportResult struct {
	Outcome ImportOutcome
	Reason  string
}

func refused(format string, args ...any) ImportResult {
	return ImportResult{Outcome: ImportRefused, Reason: fmt.Sprintf(format, args...)}
}
