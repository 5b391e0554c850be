// Package transfer holds the rules by which users and tokens move between the engine's
// stores and other servers: what becomes of a row that comes, what is kept of where it
// came from, and what a store has to do for it. Reading and writing the other server's
// database is package store/django/transfer's.
package transfer

import (
	"context"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
)

// Importer takes over the users and tokens of another server, in batches. Each
// call is one atomic step that is on the disk, with the place that the import
// has reached, before it returns: an import that is cut off anywhere goes on
// from there. Errors are those of [core.Store].
type Importer interface {
	ImportReader

	// BeginImport gives, without Now, where to go on: at the place where the last run
	// of this source was cut off, if it had the same options; else at the beginning
	// of a new run. A place that is given to nothing else changes nothing.
	BeginImport(ctx context.Context, source, options string) (Checkpoint, error)

	// ImportUsers takes over a batch of users, of at most MaxImport, and keeps
	// place. It gives what became of each, in their order, as [MergeUser] decides.
	// A user whose ID is 0 is given a new one.
	ImportUsers(ctx context.Context, place Checkpoint, users []ImportedUser) ([]ImportResult, error)

	// ImportTokens takes over a batch of tokens of the table place.Stage, of at
	// most MaxImport, and keeps place. It gives what became of each, in their order,
	// as [MergeToken] decides. No token is written for a user other than the one
	// whom this source's key Owner was mapped to.
	ImportTokens(ctx context.Context, place Checkpoint, tokens []ImportedToken) ([]ImportResult, error)

	// FinishImport ends the run. It removes the tokens of the given tables that
	// came from the source, or were handed to it, and that this run did not see: they
	// were ended at the source. It gives their number. Such a token is added again if a
	// later run sees it. place.Tables is kept as the tables that have been read so far.
	FinishImport(ctx context.Context, place Checkpoint, tables []string) (ended int, err error)
}

// ImportReader is what there is to know before rows are taken over. It changes
// nothing. Errors are those of [core.Store].
type ImportReader interface {
	// FindImport gives the number of a source and what is known of its runs. A
	// source that nothing came from yet has the number 0.
	FindImport(ctx context.Context, source string) (Checkpoint, error)

	// ImportOwners gives the users whom the source's keys were mapped to, by key,
	// and those who have one of the names and came from the source, by name: their
	// keys, ids and names alone. Users who are gone here are left out.
	ImportOwners(ctx context.Context, source int64, keys, names []string) (byKey, byName map[string]ImportedUser, err error)

	// UserFacts gives what is here of users who have a key, an id or a name of the
	// batch.
	UserFacts(ctx context.Context, source int64, users []ImportedUser) (ImportFacts, error)

	// KeysAreIDs tells whether every user who came from the source has the id here
	// that is its key there.
	KeysAreIDs(ctx context.Context, source int64) (bool, error)

	// TokenFacts gives what is here of the tokens of a batch, without their sealed
	// texts; and the links to the source of the users, as far as they are here, of
	// those tokens that may have to be written.
	TokenFacts(ctx context.Context, source int64, tokens []ImportedToken) (ImportFacts, error)

	// CountImported counts the tokens that are of the given tables of the source and
	// are here, and those of them that the run of place has not seen.
	CountImported(ctx context.Context, place Checkpoint, tables []string) (here, unseen int, err error)
}

// ImportFacts are rows of a store that decide what becomes of a batch.
type ImportFacts struct {
	Users      []core.Account
	UserLinks  []UserLink
	Tokens     []core.Token
	TokenLinks []TokenLink
}

// And gives the facts of both.
func (f ImportFacts) And(more ImportFacts) ImportFacts {
	return ImportFacts{
		Users: append(f.Users, more.Users...), UserLinks: append(f.UserLinks, more.UserLinks...),
		Tokens: append(f.Tokens, more.Tokens...), TokenLinks: append(f.TokenLinks, more.TokenLinks...),
	}
}

// ImportedUser is a user of another server.
type ImportedUser struct {
	// Key is the primary key of the user at the source, as text. It is what the
	// source's tokens name their user by.
	Key string
	// Refused is why the user can't be taken over, if that is so: then only whose the
	// key is counts, as far as Account tells it.
	Refused string
	// Mark is the [UserFingerprint] of the account at the source; nil: it has not been made yet.
	Fingerprint []byte
	// Account.ID is the id that the user is to have here; 0: any.
	core.Account
}

// ImportedToken is a token of another server. UserID is the user here whom Owner,
// the source's key, is mapped to.
type ImportedToken struct {
	Owner string
	core.Token
}

// UserLink says which user of a source a user came from, or was handed to.
type UserLink struct {
	UserID int64
	Source int64
	Key    string
	// Mark is the [UserFingerprint] of what was last taken over, or handed over.
	Fingerprint []byte
	// Rehashed is the [PasswordFingerprint] of the password that is here, if that is the
	// one of Mark, made anew at a login.
	Rehashed []byte
}

// TokenLink says that a token came from a source, or was handed to it. It outlives
// the token.
type TokenLink struct {
	Digest core.Digest
	Source int64
	Table  string // the table of the source; empty where it is not known
	// Absent tells that the token was ended here because a run did not see it.
	Absent bool
}

// MaxImport is how many rows a batch has at most.
const MaxImport = 10_000

// Checkpoint is how far an import has come.
type Checkpoint struct {
	Source  int64 // the store's number of the source
	Run     int64 // from 1
	Options string
	Stage   string
	Cursor  string // where the stage goes on, in the words of the reader
	// Tables are the tables of tokens that runs have read so far.
	Tables []string
	// Now is the time of the run: tokens that are over by then are not added.
	Now time.Time
}

// ImportOutcome says what became of a row.
type ImportOutcome int

// The outcomes.
const (
	ImportAdded     ImportOutcome = iota
	ImportUpdated                 // the source has changed since an earlier run
	ImportUnchanged               // it is here as the source has it
	ImportKept                    // ours is newer, or the row was ended here
	ImportRefused                 // it can't be taken over: Reason says why
	ImportExpired                 // a token that is over and not here
	ImportIDTaken                 // somebody else has the user's id: with ID 0 there is another
)

// ImportResult is what became of one row. Reason is one sentence for people and
// holds no secret; it is empty where all is as it should be.
type ImportResult struct {
	Outcome ImportOutcome
	Reason  string
}

func refused(format string, args ...any) ImportResult {
	return ImportResult{Outcome: ImportRefused, Reason: fmt.Sprintf(format, args...)}
}
