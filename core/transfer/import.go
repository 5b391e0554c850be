// Package transfer holds the rules by which users and tokens move between the engine's
// stores and other servers: what becomes of a row that comes, what is kept of where it
// came from, and what a store has to do for it. Reading and writing the other server's
// database is package store/moving's.
package transfer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

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
	BeginImport(ctx context.Context, source, options string) (ImportPlace, error)

	// ImportUsers takes over a batch of users, of at most MaxImport, and keeps
	// place. It gives what became of each, in their order, as [MergeUser] decides.
	// A user whose ID is 0 is given a new one.
	ImportUsers(ctx context.Context, place ImportPlace, users []ImportedUser) ([]ImportResult, error)

	// ImportTokens takes over a batch of tokens of the table place.Stage, of at
	// most MaxImport, and keeps place. It gives what became of each, in their order,
	// as [MergeToken] decides. No token is written for a user other than the one
	// whom this source's key Owner was mapped to.
	ImportTokens(ctx context.Context, place ImportPlace, tokens []ImportedToken) ([]ImportResult, error)

	// FinishImport ends the run. It removes the tokens of the given tables that
	// came from the source, or were handed to it, and that this run did not see: they
	// were ended at the source. It gives their number. Such a token is added again if a
	// later run sees it. place.Tables is kept as the tables that have been read so far.
	FinishImport(ctx context.Context, place ImportPlace, tables []string) (ended int, err error)
}

// ImportReader is what there is to know before rows are taken over. It changes
// nothing. Errors are those of [core.Store].
type ImportReader interface {
	// FindImport gives the number of a source and what is known of its runs. A
	// source that nothing came from yet has the number 0.
	FindImport(ctx context.Context, source string) (ImportPlace, error)

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
	CountImported(ctx context.Context, place ImportPlace, tables []string) (here, unseen int, err error)
}

// ImportFacts are rows of a store that decide what becomes of a batch.
type ImportFacts struct {
	Users      []core.Account
	UserLinks  []UserLink
	Tokens     []core.Token
	TokenLinks []TokenLink
}

// ImportedUser is a user of another server.
type ImportedUser struct {
	// Key is the primary key of the user at the source, as text. It is what the
	// source's tokens name their user by.
	Key string
	// Refused is why the user can't be taken over, if that is so: then only whose the
	// key is counts, as far as Account tells it.
	Refused string
	// Mark is the [UserMark] of the account at the source; nil: it has not been made yet.
	Mark []byte
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
	// Mark is the [UserMark] of what was last taken over, or handed over.
	Mark []byte
	// Rehashed is the [PasswordMark] of the password that is here, if that is the
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

// ImportPlace is how far an import has come.
type ImportPlace struct {
	Source  int64 // the store's number of the source
	Run     int64 // from 1
	Options string
	Stage   string
	Reached string // where the stage goes on, in the words of the reader
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

// KnownUser is what a store knows about a user who is to be taken over.
type KnownUser struct {
	Here *core.Account // the user with this id; nil: none
	// Holder is the user who has this name; nil: nobody.
	Holder *core.Account
	// Link is that of this user and this source; nil: there is none.
	Link *UserLink
}

// UserMerge is what a store does with a user: nothing, or write Account, as a
// new row or over the one that is there; and keep Mark under the key, if it is not
// nil.
type UserMerge struct {
	Result ImportResult
	Write  bool
	Insert bool
	ImportedUser
	// Former is the link of the user here whose key this one has now, as it is to be
	// kept from now on, whatever becomes of this one; nil: there is none.
	Former *UserLink
}

// MergeUser decides what becomes of a user of another server. What changed at
// the source since the last run is taken over, unless it changed here too: then
// ours is kept. Password and profile (name, address, attributes, being active)
// are decided apart. A user deleted here is not brought back, and one who was
// never taken over from this source is not touched: whoever has the same id there
// gets another one here, once the caller has asked for it.
func MergeUser(in ImportedUser, known KnownUser) UserMerge {
	if reason := cmp.Or(in.Refused, unimportable(in.Account)); reason != "" {
		return UserMerge{Result: refused("%s", reason)}
	}
	if in.Mark == nil {
		in.Mark = UserMark(in.Account)
	}
	holder := known.Holder
	if holder != nil && known.Here != nil && (holder.ID == known.Here.ID || known.Here.Username == in.Username) {
		holder = nil // a namesake takes nothing from who has the name
	}
	switch {
	case known.Here == nil && known.Link != nil:
		return UserMerge{Result: ImportResult{Outcome: ImportKept, Reason: "was deleted in the target"}}
	case holder != nil:
		return UserMerge{Result: refused("another user of the target has this name")}
	case known.Here == nil:
		return UserMerge{Write: true, Insert: true, ImportedUser: in}
	}
	if sameMarked(in.Account, *known.Here) {
		return UserMerge{Result: ImportResult{Outcome: ImportUnchanged}, ImportedUser: ImportedUser{Key: in.Key, Mark: in.Mark, Account: *known.Here}}
	}
	if known.Link == nil && known.Here.Username != in.Username {
		return UserMerge{Result: ImportResult{Outcome: ImportIDTaken}}
	}
	if known.Link == nil {
		return UserMerge{Result: refused("user %d is in the target already, with other data, and did not come from this source", known.Here.ID)}
	}
	return mergeKnown(in, *known.Here, *known.Link, UserMark(*known.Here))
}

// mergeKnown merges a user who came from this source before. The halves of the
// marks are of the password and of the rest. A password that was only made anew
// here, at a login, did not change.
func mergeKnown(in ImportedUser, ours core.Account, link UserLink, here []byte) UserMerge {
	const half = markSize / 2
	merged := UserMerge{ImportedUser: ImportedUser{Key: in.Key, Mark: in.Mark, Account: ours}, Result: ImportResult{Outcome: ImportUnchanged}}
	take := func(from, to int, what string, rehashed []byte, do func()) {
		theirs, was, now := string(in.Mark[from:to]), string(link.Mark[from:to]), string(here[from:to])
		anew := string(rehashed)
		switch {
		case theirs == now:
		case theirs == was && anew != "" && now == anew, theirs == anew && anew != "" && now != was:
		case theirs == was:
			merged.Result.Outcome = ImportKept
		case now == was, anew != "" && now == anew:
			do()
			merged.Write = true
		default:
			merged.Result = ImportResult{Outcome: ImportKept, Reason: what + " was changed in the source and in the target: the target's is kept"}
		}
	}
	take(0, half, "the password", link.Rehashed, func() { merged.PasswordHash = in.PasswordHash })
	take(half, markSize, "the user", nil, func() {
		id := merged.ID
		merged.User = in.User
		merged.ID = id
	})
	if merged.Write && merged.Result.Reason == "" {
		merged.Result = ImportResult{Outcome: ImportUpdated}
	}
	return merged
}

// unimportable says why no store could hold the user; empty if it can.
func unimportable(a core.Account) string {
	switch {
	case a.ID < 0:
		return "its id is negative"
	case a.Username == "":
		return "it has no username"
	case !core.Storable(a.Username):
		return "its username is not text"
	case utf8.RuneCountInString(a.Username) > core.MaxUsername:
		return fmt.Sprintf("its username is longer than %d characters", core.MaxUsername)
	case a.Email != "" && !core.Storable(a.Email):
		return "its address is not text"
	case utf8.RuneCountInString(a.Email) > core.MaxEmail:
		return fmt.Sprintf("its address is longer than %d characters", core.MaxEmail)
	case a.PasswordHash != "" && !core.Storable(a.PasswordHash):
		return "its password is not text"
	}
	for name, value := range a.Attributes {
		if name != "" && !core.Storable(name) || value != "" && !core.Storable(value) {
			return "one of its columns is not text"
		}
	}
	return ""
}

// markSize is the length of a user's mark.
const markSize = 32

// UserMark is a fingerprint of what an import takes over: one half of the
// password, one of the rest. Stores keep it: it is the same in all versions.
func UserMark(a core.Account) []byte {
	text := make([]byte, 0, 256)
	text = append(strconv.AppendQuote(text, a.Username), ' ')
	text = append(strconv.AppendQuote(text, a.Email), ' ')
	text = strconv.AppendBool(text, a.Active)
	for _, name := range sortedKeys(a.Attributes) {
		text = append(strconv.AppendQuote(append(text, ' '), name), '=')
		text = strconv.AppendQuote(text, a.Attributes[name])
	}
	rest := sha256.Sum256(text)
	return append(PasswordMark(a.PasswordHash), rest[:markSize/2]...)
}

// sameMarked tells whether two accounts have the same mark.
func sameMarked(a, b core.Account) bool {
	return a.PasswordHash == b.PasswordHash && a.Username == b.Username && a.Email == b.Email && a.Active == b.Active &&
		maps.Equal(a.Attributes, b.Attributes)
}

// PasswordMark is the half of a user's mark that is of the password.
func PasswordMark(encoded string) []byte {
	sum := sha256.Sum256([]byte(encoded))
	return sum[: markSize/2 : markSize/2]
}

// sortedKeys gives the keys of attributes in order.
func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// KnownToken is what a store knows about a token that is to be taken over.
type KnownToken struct {
	// UserCame tells whether the token's owner was taken over from this source as
	// the user whom it names.
	UserCame bool
	// Seen tells whether the token has a link, and Absent whether it was ended
	// because a run did not see it.
	Seen, Absent bool
	// Here is the token as it is kept, also where its digest is the Twin of one
	// issued here; nil: it is not.
	Here *core.Token
	// Linked tells whether Here is linked to the source: then it is its user's there.
	Linked bool
	// Taken tells whether the user has a reusable token of this realm and issuer.
	Taken bool
	Now   time.Time
}

// TokenMerge is what a store does with a token: nothing, add Token, or move the
// end of the one that is there to Token's.
type TokenMerge struct {
	Result ImportResult
	Insert bool
	Move   bool
	core.Token
	// Seen is the digest of the token here that the run has seen; nil: of none.
	Seen core.Digest
	// Link tells that the token Seen, which is here, gets a link to the run's table.
	Link bool
	// Returned tells that the token to be added was here before, and was ended.
	Returned bool
}

// NotTakenOver is why a token is refused whose user did not come from its source.
const NotTakenOver = "its user was not taken over"

// MergeToken decides what becomes of a token of another server. One that an
// earlier run took over and that was ended here stays ended, unless it was ended
// only because a run did not see it. A later end at the source moves ours.
func MergeToken(in ImportedToken, known KnownToken) TokenMerge {
	switch {
	case known.Linked && known.Here.UserID == in.UserID && !known.moves(in.Token):
		return TokenMerge{Result: ImportResult{Outcome: ImportUnchanged}}
	case !known.UserCame:
		return TokenMerge{Result: refused("%s", NotTakenOver)}
	case known.Here == nil && in.Expired(known.Now):
		return TokenMerge{Result: ImportResult{Outcome: ImportExpired}}
	case known.Here == nil && known.Seen && !known.Absent:
		return TokenMerge{Result: ImportResult{Outcome: ImportKept}}
	case known.Here == nil:
		in.Reusable = in.Reusable && !known.Taken
		return TokenMerge{Insert: true, Token: in.Token}
	case known.Here.UserID != in.UserID:
		return TokenMerge{Result: refused("another user has the same token here")}
	}
	if known.moves(in.Token) {
		in.Digest = known.Here.Digest
		return TokenMerge{Result: ImportResult{Outcome: ImportUpdated}, Move: true, Token: in.Token}
	}
	return TokenMerge{Result: ImportResult{Outcome: ImportUnchanged}}
}

// moves tells whether the token here gets the end of the one at the source.
func (k KnownToken) moves(in core.Token) bool {
	from, to := k.Here.ExpiresAt, in.ExpiresAt
	return !from.IsZero() && !to.IsZero() && to.After(from) && len(k.Here.Legacy.Twin) == 0
}
