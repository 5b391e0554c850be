package core

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// Importer takes over the users and tokens of another server, in batches. Each
// call is one atomic step that is on the disk, with the place that the import
// has reached, before it returns: an import that is cut off anywhere goes on
// from there. Errors are those of [Store].
type Importer interface {
	// BeginImport gives, without Now and Dry, where to go on: at the place where the last run of this
	// source was cut off, if it had the same options; else at the beginning of a
	// new run. A place that is given to nothing else changes nothing.
	BeginImport(ctx context.Context, source, options string) (ImportPlace, error)

	// ImportUsers takes over a batch of users, of at most MaxImport, and keeps
	// place. It gives what became of each, in their order, as [MergeUser] decides.
	// A user whose ID is 0 has no id of its own: one is given, or that of the
	// user of this name who came from the same source.
	ImportUsers(ctx context.Context, place ImportPlace, users []Account) ([]ImportResult, error)

	// ImportTokens takes over a batch of tokens, of at most MaxImport, and keeps
	// place. It gives what became of each, in their order, as [MergeToken] decides.
	ImportTokens(ctx context.Context, place ImportPlace, tokens []Token) ([]ImportResult, error)

	// FinishImport ends the run. If it was a whole one, it removes the tokens
	// that earlier runs took over and that this one did not see: they were ended
	// at the source. It gives their number.
	FinishImport(ctx context.Context, place ImportPlace, whole bool) (ended int, err error)
}

// MaxImport is how many rows a batch has at most.
const MaxImport = 2000

// ImportPlace is how far an import has come.
type ImportPlace struct {
	Source  int64 // the store's number of the source
	Run     int64 // from 1
	Options string
	Stage   string
	Reached string // where the stage goes on, in the words of the reader
	// Now is the time of the run: tokens that are over by then are not added.
	Now time.Time
	// Dry makes ImportUsers and ImportTokens find out what would become of the
	// rows and write nothing. Users are taken as if they had come.
	Dry bool
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

// UserFacts is what a store knows about a user who is to be taken over.
type UserFacts struct {
	Here *Account // the user with this id; nil: none
	// Holder is the user who has this name; nil: nobody.
	Holder *Account
	// Mark is what was last taken over from this source for this id; nil: nothing.
	Mark []byte
}

// UserMerge is what a store does with a user: nothing, or write Account, as a
// new row or over the one that is there; and keep Mark, if it is not nil.
type UserMerge struct {
	Result ImportResult
	Write  bool
	Insert bool
	Account
	Mark []byte
}

// MergeUser decides what becomes of a user of another server. What changed at
// the source since the last run is taken over, unless it changed here too: then
// ours is kept. Password and profile (name, address, attributes, being active)
// are decided apart. A user deleted here is not brought back, and one who was
// never taken over from this source is not touched.
func MergeUser(in Account, f UserFacts) UserMerge {
	if reason := unimportable(in); reason != "" {
		return UserMerge{Result: refused("%s", reason)}
	}
	mark := UserMark(in)
	holder := f.Holder
	if holder != nil && f.Here != nil && holder.ID == f.Here.ID {
		holder = nil
	}
	switch {
	case f.Here == nil && f.Mark != nil:
		return UserMerge{Result: ImportResult{Outcome: ImportKept, Reason: "was deleted in the target"}}
	case holder != nil:
		return UserMerge{Result: refused("user %d of the target has this name", holder.ID)}
	case f.Here == nil:
		return UserMerge{Write: true, Insert: true, Account: in, Mark: mark}
	}
	here := UserMark(*f.Here)
	if string(here) == string(mark) {
		return UserMerge{Result: ImportResult{Outcome: ImportUnchanged}, Account: *f.Here, Mark: mark}
	}
	if f.Mark == nil {
		return UserMerge{Result: refused("user %d is in the target already, with other data, and did not come from this source", in.ID)}
	}
	return mergeKnown(in, *f.Here, f.Mark, mark, here)
}

// mergeKnown merges a user who came from this source before. The halves of the
// marks are of the password and of the rest.
func mergeKnown(in, ours Account, last, mark, here []byte) UserMerge {
	const half = markSize / 2
	merged := UserMerge{Account: ours, Mark: mark, Result: ImportResult{Outcome: ImportUnchanged}}
	take := func(from, to int, what string, do func()) {
		theirs, was, now := string(mark[from:to]), string(last[from:to]), string(here[from:to])
		switch {
		case theirs == now || theirs == was && now == was:
		case theirs == was:
			merged.Result.Outcome = ImportKept
		case now == was:
			do()
			merged.Write = true
		default:
			merged.Result = ImportResult{Outcome: ImportKept, Reason: what + " was changed in the source and in the target: the target's is kept"}
		}
	}
	take(0, half, "the password", func() { merged.PasswordHash = in.PasswordHash })
	take(half, markSize, "the user", func() { merged.User = in.User })
	if merged.Write {
		merged.Result = ImportResult{Outcome: ImportUpdated}
	}
	return merged
}

// unimportable says why no store could hold the user; empty if it can.
func unimportable(a Account) string {
	switch {
	case a.ID < 0:
		return "its id is negative"
	case a.Username == "":
		return "it has no username"
	case !storableName(a.Username):
		return "its username is not text"
	case utf8.RuneCountInString(a.Username) > MaxUsername:
		return fmt.Sprintf("its username is longer than %d characters", MaxUsername)
	case a.Email != "" && !storableName(a.Email):
		return "its address is not text"
	case utf8.RuneCountInString(a.Email) > MaxEmail:
		return fmt.Sprintf("its address is longer than %d characters", MaxEmail)
	case a.PasswordHash != "" && !storableName(a.PasswordHash):
		return "its password is not text"
	}
	for name, value := range a.Attributes {
		if name != "" && !storableName(name) || value != "" && !storableName(value) {
			return "one of its columns is not text"
		}
	}
	return ""
}

// markSize is the length of a user's mark.
const markSize = 32

// UserMark is a fingerprint of what an import takes over: one half of the
// password, one of the rest.
func UserMark(a Account) []byte {
	secret := sha256.Sum256([]byte(a.PasswordHash))
	rest := sha256.New()
	fmt.Fprintf(rest, "%q %q %t", a.Username, a.Email, a.Active)
	for _, name := range sortedKeys(a.Attributes) {
		fmt.Fprintf(rest, " %q=%q", name, a.Attributes[name])
	}
	return append(secret[:markSize/2:markSize/2], rest.Sum(nil)[:markSize/2]...)
}

// sortedKeys gives the keys of attributes in order.
func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// TokenFacts is what a store knows about a token that is to be taken over.
type TokenFacts struct {
	// UserCame tells whether the token's user was taken over from this source.
	UserCame bool
	// Seen tells whether an earlier run took the token over.
	Seen bool
	// Here is the token as it is kept, also where its digest is the Twin of one
	// issued here; nil: it is not.
	Here *Token
	// Taken tells whether the user has a reusable token of this realm and issuer.
	Taken bool
	Now   time.Time
}

// TokenMerge is what a store does with a token: nothing, add Token, or move the
// end of the one that is there to Token's; and mark it as seen in this run,
// unless it was refused.
type TokenMerge struct {
	Result ImportResult
	Insert bool
	Move   bool
	Token
}

// MergeToken decides what becomes of a token of another server. One that an
// earlier run took over and that is gone was ended here, and stays ended. A
// later end at the source moves ours.
func MergeToken(in Token, f TokenFacts) TokenMerge {
	switch {
	case !f.UserCame:
		return TokenMerge{Result: refused("its user %d was not taken over", in.UserID)}
	case f.Here == nil && in.Expired(f.Now):
		return TokenMerge{Result: ImportResult{Outcome: ImportExpired}}
	case f.Here == nil && f.Seen:
		return TokenMerge{Result: ImportResult{Outcome: ImportKept}}
	case f.Here == nil:
		in.Reusable = in.Reusable && !f.Taken
		return TokenMerge{Insert: true, Token: in}
	case f.Here.UserID != in.UserID:
		return TokenMerge{Result: refused("user %d has the same token here", f.Here.UserID)}
	}
	if endsLater(in.ExpiresAt, f.Here.ExpiresAt) && len(f.Here.Legacy.Twin) == 0 {
		in.Digest = f.Here.Digest
		return TokenMerge{Result: ImportResult{Outcome: ImportUpdated}, Move: true, Token: in}
	}
	return TokenMerge{Result: ImportResult{Outcome: ImportUnchanged}}
}

// endsLater compares two ends, of which the zero time is none.
func endsLater(a, b time.Time) bool { return !b.IsZero() && !a.IsZero() && a.After(b) }
