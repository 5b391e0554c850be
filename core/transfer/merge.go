package transfer

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
)

// UserState is what a store knows about a user to be imported.
type UserState struct {
	Existing *core.Account // the user with this id; nil: none
	// NameOwner is the user who has this username; nil: nobody.
	NameOwner *core.Account
	// Link is the link of this user to this source; nil: there is none.
	Link *UserLink
	// Deleted says that somebody had this id here who was deleted.
	Deleted bool
	// Export says that it is the other way round: Existing is what the source has, and the user is ours.
	Export bool
}

// UserMerge is what a store does with a user: nothing, or write Account as a new row or
// over the existing one; and store Fingerprint for the key if it is not nil.
type UserMerge struct {
	Result ImportResult
	Write  bool
	Insert bool
	// Login says that Account.LastLogin is later than the one here, and is written where nothing
	// else is, too. It is no change of the user.
	Login bool
	ImportedUser
	// Former is the link to be stored for the user here whose key this one has now,
	// whatever happens to this one; nil: there is none.
	Former *UserLink

	conflict bool // what is kept of the user, apart from the password, has changed on both sides
}

// MaxUserID is the highest id that a new user brings along. Databases assign ids above the
// highest one: after an id near the end of 64 bits, nobody could register any more.
const MaxUserID = 1<<60 - 1

// MergeUser decides about a user of another server. What has changed at the source since
// the last run is imported, unless it has changed here too: then ours is kept. Password
// and profile (username, e-mail, attributes, active) are decided separately. A user who
// was deleted here is not created again. A user here who was never imported from this
// source is not touched: whoever has that id there gets another one here, once the caller
// asks for it, as does who has one above [MaxUserID], or that of somebody who was deleted here. Of two last logins, the later one counts: links
// in mails that were sent before it end, here as there.
func MergeUser(in ImportedUser, known UserState) UserMerge {
	merged := mergeUser(in, known)
	if merged.Fingerprint != nil && !merged.Insert && in.LastLogin.After(merged.LastLogin) {
		merged.LastLogin, merged.Login = in.LastLogin, true
	}
	return merged
}

// mergeUser is MergeUser without the last login.
func mergeUser(in ImportedUser, known UserState) UserMerge {
	if reason := cmp.Or(in.Refused, unimportable(in.Account)); reason != "" {
		return UserMerge{Result: refused("%s", reason)}
	}
	if in.Fingerprint == nil {
		in.Fingerprint = UserFingerprint(in.Account)
	}
	holder := known.NameOwner
	if holder != nil && known.Existing != nil && (holder.ID == known.Existing.ID || known.Existing.Username == in.Username) {
		holder = nil // a namesake takes nothing from who has the name
	}
	switch {
	case known.Existing == nil && known.Link != nil:
		return UserMerge{Result: ImportResult{Outcome: ImportKept, Reason: "was deleted in the target"}}
	case holder != nil:
		return UserMerge{Result: refused("another user of the target has this name")}
	case known.Existing == nil && (in.ID > MaxUserID || known.Deleted):
		return UserMerge{Result: ImportResult{Outcome: ImportIDTaken}}
	case known.Existing == nil:
		return UserMerge{Write: true, Insert: true, ImportedUser: in}
	}
	if sameFingerprint(in.Account, *known.Existing) {
		return UserMerge{Result: ImportResult{Outcome: ImportUnchanged}, ImportedUser: ImportedUser{Key: in.Key, Fingerprint: in.Fingerprint, Account: *known.Existing}}
	}
	if known.Link == nil && known.Existing.Username != in.Username {
		return UserMerge{Result: ImportResult{Outcome: ImportIDTaken}}
	}
	if known.Link == nil {
		return UserMerge{Result: refused("user %d is in the target already, with other data, and did not come from this source", known.Existing.ID)}
	}
	merged := mergeKnown(in, *known.Existing, *known.Link, UserFingerprint(*known.Existing))
	if merged.conflict && !known.Export {
		merged.withdraw(in)
	}
	return merged
}

// withdraw takes from the user of the target what the source has taken from its own, of whom both have changed something: whoever
// was shut out there, or has lost rights, must not keep them by a change of the own address here.
func (m *UserMerge) withdraw(in ImportedUser) {
	withdrawn := false
	if m.Active && !in.Active {
		m.Active, withdrawn = false, true
	}
	for _, name := range []string{"is_staff", "is_superuser"} {
		had, known := core.ParseBoolean(m.Attributes[name])
		has, told := core.ParseBoolean(in.Attributes[name])
		if had && known && told && !has {
			m.Attributes = maps.Clone(m.Attributes)
			m.Attributes[name], withdrawn = in.Attributes[name], true
		}
	}
	if withdrawn {
		m.Write = true
		m.Result.Reason += ", but for what was taken from the user in the source"
	}
}

// mergeKnown merges a user who was imported from this source before. The two halves of a
// fingerprint are of the password and of the rest. A password that was only hashed again
// here, at a login, has not changed.
func mergeKnown(in ImportedUser, ours core.Account, link UserLink, here []byte) UserMerge {
	const half = fingerprintSize / 2
	merged := UserMerge{ImportedUser: ImportedUser{Key: in.Key, Fingerprint: in.Fingerprint, Account: ours}, Result: ImportResult{Outcome: ImportUnchanged}}
	take := func(from, to int, what string, rehashed []byte, do func()) {
		theirs, was, now := string(in.Fingerprint[from:to]), string(link.Fingerprint[from:to]), string(here[from:to])
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
			merged.conflict = from > 0
		}
	}
	take(0, half, "the password", link.Rehashed, func() { merged.PasswordHash = in.PasswordHash })
	take(half, fingerprintSize, "the user", nil, func() {
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

// fingerprintSize is the length of a fingerprint in bytes.
const fingerprintSize = 32

// UserFingerprint returns the fingerprint of what is imported of an account: one half of
// the password, one of the rest. Stores keep it, so it must not change between versions.
func UserFingerprint(a core.Account) []byte {
	text := make([]byte, 0, 256)
	text = append(strconv.AppendQuote(text, a.Username), ' ')
	text = append(strconv.AppendQuote(text, a.Email), ' ')
	text = strconv.AppendBool(text, a.Active)
	for _, name := range sortedKeys(a.Attributes) {
		text = append(strconv.AppendQuote(append(text, ' '), name), '=')
		text = strconv.AppendQuote(text, a.Attributes[name])
	}
	rest := sha256.Sum256(text)
	return append(PasswordFingerprint(a.PasswordHash), rest[:fingerprintSize/2]...)
}

// sameFingerprint reports whether two accounts have the same fingerprint.
func sameFingerprint(a, b core.Account) bool {
	return a.PasswordHash == b.PasswordHash && a.Username == b.Username && a.Email == b.Email && a.Active == b.Active &&
		maps.Equal(a.Attributes, b.Attributes)
}

// PasswordFingerprint returns the half of an account's fingerprint that is of the
// password.
func PasswordFingerprint(encoded string) []byte {
	sum := sha256.Sum256([]byte(encoded))
	return sum[: fingerprintSize/2 : fingerprintSize/2]
}

// sortedKeys returns the names of attributes in order.
func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// TokenState is what a store knows about a token to be imported.
type TokenState struct {
	// UserImported says whether the token's owner at the source was imported as the
	// token's user.
	UserImported bool
	// Seen says whether the token has a link, and Absent whether it was ended because a
	// run did not see it.
	Seen, Absent bool
	// Existing is the token here that has the digest, or whose legacy digest it is; nil:
	// there is none.
	Existing *core.Token
	// Linked says whether Existing is linked to the source.
	Linked bool
	// SlotTaken says whether the user has a reusable token of this realm and issuer.
	SlotTaken bool
	Now       time.Time
}

// TokenMerge is what a store does with a token: nothing, add Token, or extend the expiry
// of the existing one to that of Token.
type TokenMerge struct {
	Result ImportResult
	Insert bool
	Move   bool
	core.Token
	// Seen is the digest of the token here that the run has seen; nil: of none.
	Seen core.Digest
	// Link says that the token Seen gets a link to the run's table.
	Link bool
	// Returned says that the token to be added was here before, and was ended.
	Returned bool
}

// UserNotImported is the reason for refusing a token whose user was not imported from its
// source.
const UserNotImported = "its user was not taken over"

// MergeToken decides about a token of another server. A token that was imported before and
// ended here stays ended, unless it was ended only because a run did not see it. A later
// expiry at the source extends ours.
func MergeToken(in ImportedToken, known TokenState) TokenMerge {
	switch {
	case known.unchanged(in):
		return TokenMerge{Result: ImportResult{Outcome: ImportUnchanged}}
	case !known.UserImported:
		return TokenMerge{Result: refused("%s", UserNotImported)}
	case known.Existing == nil && in.Expired(known.Now):
		return TokenMerge{Result: ImportResult{Outcome: ImportExpired}}
	case known.Existing == nil && known.Seen && !known.Absent:
		return TokenMerge{Result: ImportResult{Outcome: ImportKept}}
	case known.Existing == nil:
		in.Reusable = in.Reusable && !known.SlotTaken
		return TokenMerge{Insert: true, Token: in.Token}
	case known.Existing.UserID != in.UserID:
		return TokenMerge{Result: refused("another user has the same token here")}
	}
	if known.moves(in) {
		in.Digest = known.Existing.Digest
		return TokenMerge{Result: ImportResult{Outcome: ImportUpdated}, Move: true, Token: in.Token}
	}
	return TokenMerge{Result: ImportResult{Outcome: ImportUnchanged}}
}

// unchanged reports whether the token is here as the source has it.
func (k TokenState) unchanged(in ImportedToken) bool {
	return k.Linked && k.Existing.UserID == in.UserID && !k.moves(in)
}

// moves reports whether the token here gets the expiry of the one at the source.
func (k TokenState) moves(in ImportedToken) bool {
	from, to := k.Existing.ExpiresAt, in.ExpiresAt
	return !in.Undated && !from.IsZero() && !to.IsZero() && to.After(from) && len(k.Existing.Legacy.Digest) == 0
}
