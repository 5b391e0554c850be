package core

import (
	"context"
	"time"
)

// MailKind says what a mail is about. The names are those of djoser's templates.
type MailKind string

// The kinds. The first three have a link with a token.
const (
	MailActivation      MailKind = "activation"
	MailPasswordReset   MailKind = "password_reset"
	MailUsernameReset   MailKind = "username_reset"
	MailConfirmation    MailKind = "confirmation" // the account has been activated
	MailPasswordChanged MailKind = "password_changed_confirmation"
	MailUsernameChanged MailKind = "username_changed_confirmation"
)

// MailKinds returns all kinds.
func MailKinds() []MailKind {
	return []MailKind{MailActivation, MailPasswordReset, MailUsernameReset, MailConfirmation, MailPasswordChanged, MailUsernameChanged}
}

// HasLink reports whether mails of the kind have a link with a token.
func (k MailKind) HasLink() bool {
	return k == MailActivation || k == MailPasswordReset || k == MailUsernameReset
}

// Mail is a mail that was asked for: what it is made of when it is sent, and neither its text nor a
// token.
type Mail struct {
	ID      string // 32 hex digits, by the store
	Kind    MailKind
	Profile string // whose API it was asked for through
	// UserID is whose it is, at the address that the user has when it is sent. 0: it is nobody's,
	// and was asked for with a name or an address that nobody has.
	UserID    int64
	CreatedAt time.Time // UTC, microseconds
	DueAt     time.Time // when it may be claimed
	Attempts  int       // how often it was claimed
	// Deliveries is how often a server was handed its text without saying, so far, that it refuses
	// it.
	Deliveries int
}

// MailStore keeps the mails that wait to be sent, and has what the links in them need. Errors are
// those of [Store].
type MailStore interface {
	// AccountByID returns the account with this ID and when it last logged in, or ErrNotFound.
	AccountByID(ctx context.Context, userID int64) (Account, error)

	// ActivateUser makes the user active. It fails with ErrNotFound if the user is active already, is
	// gone, or has another encoded password: of two activations by one link, one does.
	ActivateUser(ctx context.Context, userID int64, passwordHash string, audit *AuditEntry) error

	// EnqueueMail adds a mail of a kind, a profile and a user, to be sent from CreatedAt on. It does
	// the same for nobody's mail, which is never claimed, so that its time tells nothing.
	EnqueueMail(ctx context.Context, m Mail, audit *AuditEntry) error

	// ClaimMail returns a mail that is due at now, after those that have been due for longer, or
	// ErrNotFound. The mail is whoever's who claimed it until a time, and then due again. It removes
	// mails of nobody.
	ClaimMail(ctx context.Context, now, until time.Time) (Mail, error)

	// UpdateMail sets DueAt and Deliveries of a mail to those of m. It fails with ErrNotFound if m is
	// not the mail's last claim.
	UpdateMail(ctx context.Context, m Mail) error

	// RemoveMail removes a mail. Errors as UpdateMail.
	RemoveMail(ctx context.Context, m Mail, audit *AuditEntry) error

	// CountMails returns how many mails of somebody wait.
	CountMails(ctx context.Context) (int64, error)
}
