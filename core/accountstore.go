package core

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core/spelling"
)

// AccountStore is what a store does for the APIs in which people see and change accounts, and
// name theirs by something else than the exact username. Errors are those of [Store], and
// audit entries are appended as there.
type AccountStore interface {
	// AccountByID returns the account with this id and when it last logged in, or ErrNotFound.
	AccountByID(ctx context.Context, userID int64) (Account, error)

	// FindAccounts returns at most limit accounts that have the text as their username, by id, or as
	// their address, by the time since when they have had it, and by id. caseBlind takes the letters A to Z for a to z, and no others;
	// otherwise an address is compared exactly, and a username as by Account. An empty text,
	// as the address of users who have none, finds nobody.
	FindAccounts(ctx context.Context, by Identifier, text string, caseBlind bool, limit int) ([]Account, error)

	// FindRecipients returns at most limit accounts with an address that are active, or those that are not, compared
	// and in the order as by FindAccounts. Somebody may have given the address to any number of the others, which costs nothing
	// where a store has its own tables.
	FindRecipients(ctx context.Context, email string, caseBlind, active bool, limit int) ([]Account, error)

	// Users returns at most limit matching users, by id.
	Users(ctx context.Context, f UserFilter, limit int) ([]User, error)

	// UpdateUser gives the user the username, the address and the attributes of To, and
	// returns the user as kept. With another address, whatever the case of the letters A to Z, the user
	// has it since At, and comes after all who have it, also where their clocks were ahead; a store that can't keep
	// that goes by when the account was made. Mails that wait are outdated then ([MailStore]). It fails with ErrConflict if the user has others now than Was,
	// or if the link is no longer good,
	// with ErrNotFound if the user is gone, with ErrUsernameTaken, with ErrEmailTaken, or with
	// ErrInvalidUser if the tables can't hold them.
	UpdateUser(ctx context.Context, c UserChange, audit *AuditEntry) (User, error)

	// RemoveUser removes the user and all their tokens. It fails with ErrNotFound if the user
	// is gone, with ErrPasswordChanged if the encoded password is another, and with
	// ErrUnsupported if rows that only another program knows how to remove refer to the user.
	RemoveUser(ctx context.Context, userID int64, passwordHash string, audit *AuditEntry) error

	// ActivateUser makes the user active by a link. It fails with ErrNotFound if the user is active already,
	// is gone, or if the link is no longer good: of two uses of one link, one does.
	ActivateUser(ctx context.Context, userID int64, link LinkUse, audit *AuditEntry) error

	// ChangePassword replaces the encoded password and ends tokens, and returns the number of
	// those. It fails with ErrNotFound if the user is gone, and with ErrPasswordChanged if the
	// encoded password is not Old, or if the link is no longer good. A login that is under way gets no token for the old one.
	ChangePassword(ctx context.Context, c PasswordChange, audit *AuditEntry) (ended int, err error)
}

// Identifier is that by which a user is named.
type Identifier int

// The identifiers.
const (
	ByUsername Identifier = iota
	ByEmail
	// ByUsernameOrEmail is a username or, where nobody has it, an address. No store looks for both.
	ByUsernameOrEmail
)

// Distinct says what no two users may have in common besides the exact username. A store
// compares within the step that writes; without it, users who have it in common already stay.
type Distinct struct {
	Username bool // whatever the case of the letters A to Z: ErrUsernameTaken
	Email    bool // likewise, unless it is empty: ErrEmailTaken
}

// Changed is what of it a change can violate: what stays as it is may have been in common before.
func (d Distinct) Changed(was, to User) Distinct {
	return Distinct{Username: d.Username && to.Username != was.Username, Email: d.Email && to.Email != was.Email}
}

// UserChange is what else than the password changes of a user.
type UserChange struct {
	// Was is the user as read, and To as wanted. Where To is not active, the user is made
	// inactive; nobody is made active.
	Was, To User
	// At is when, in microseconds.
	At time.Time
	// Distinct is for what changes. The store decides, since where users name themselves by their
	// address, its column may be that of the username, too.
	Distinct Distinct
	Link     *LinkUse // nil: not by a link
}

// Moves reports whether the address changes, whatever the case of the letters A to Z.
func (c UserChange) Moves() bool {
	return spelling.LowerASCII(c.Was.Email) != spelling.LowerASCII(c.To.Email)
}

// LinkUse is the use of a link in a mail, which ends it: the link was good for a user with this
// encoded password, address and last login, and the step that it allows keeps At as the last login, where users
// have one.
type LinkUse struct {
	PasswordHash string
	Email        string
	LastLogin    time.Time
	At           time.Time // zero: the last login stays, and what the step changes ends the link
}

// GoodFor reports whether the link is good for the account, as far as its use tells; nil is.
func (l *LinkUse) GoodFor(a Account) bool {
	return l == nil || a.PasswordHash == l.PasswordHash && a.Email == l.Email && a.LastLogin.Equal(l.LastLogin)
}

// LogsIn reports whether the step keeps a last login.
func (l *LinkUse) LogsIn() bool { return l != nil && !l.At.IsZero() }

// PasswordChange is another password of a user.
type PasswordChange struct {
	UserID   int64
	Old, New string // encoded
	// EndTokens ends the user's tokens in the realm, or with an empty one in all, but that with the digest Keep.
	EndTokens bool
	Realm     string
	Keep      Digest
	Link      *LinkUse // nil: not by a link
}
