package core

import (
	"context"
	"slices"
	"time"

	"github.com/authcompat/authcompat/core/password"
)

// MailKind says what a mail is about. The names are those of djoser's templates.
type MailKind string

// The kinds. The first three have a link with a token, and the fourth one with a key.
const (
	MailActivation    MailKind = "activation"
	MailPasswordReset MailKind = "password_reset"
	MailUsernameReset MailKind = "username_reset"
	// MailEmailVerification is django-allauth's email_confirmation.
	MailEmailVerification MailKind = "email_verification"
	MailConfirmation      MailKind = "confirmation" // the account has been activated
	MailPasswordChanged   MailKind = "password_changed_confirmation"
	MailUsernameChanged   MailKind = "username_changed_confirmation"
)

// MailKinds returns all kinds.
func MailKinds() []MailKind {
	return []MailKind{MailActivation, MailPasswordReset, MailUsernameReset, MailEmailVerification, MailConfirmation, MailPasswordChanged, MailUsernameChanged}
}

// HasLink reports whether mails of the kind have a link with a token.
func (k MailKind) HasLink() bool {
	return k == MailActivation || k == MailPasswordReset || k == MailUsernameReset || k == MailEmailVerification
}

// Mail is a mail that was asked for: what it is made of when it is sent, and neither its text nor a
// token.
type Mail struct {
	ID      string // 32 hex digits, by the store
	Kind    MailKind
	Profile string // whose API it was asked for through
	// UserID is whose it is, at the address that the user has when it is sent. 0: it is nobody's,
	// and was asked for with a name or an address that nobody has.
	UserID int64
	// Email is the address that the user had when the mail was counted, for EnqueueMail; it is not kept.
	Email string
	// CreatedAt is in UTC, microseconds. The beginning of 1970: see Outdated.
	CreatedAt time.Time
	DueAt     time.Time // when it may be claimed
	Attempts  int       // how often it was claimed
	// Deliveries is how often a server was handed its text without saying, so far, that it refuses
	// it.
	Deliveries int
}

// MaxMailWait is longer than a mail ever waits for its next try, or is claimed. One that would have to wait
// for longer got its time from a clock that was ahead.
const MaxMailWait = 2 * time.Hour

// Outdated reports whether the user has another address since the mail was asked for: it would go where nobody has
// counted it.
func (m Mail) Outdated() bool { return m.CreatedAt.UnixMicro() == 0 }

// MailStore keeps the mails that wait to be sent. Those of a user whose address changes ([AccountStore.UpdateUser]),
// whatever the case of the letters A to Z, are outdated in the same step, and those that are claimed are due once more. Errors
// are those of [Store].
type MailStore interface {
	// EnqueueMail adds a mail of a kind, a profile and a user, to be sent from CreatedAt on. It does
	// the same for nobody's mail, which is never claimed, so that its time tells nothing. The mail of a
	// user who has another address than Email by then, whatever the case of the letters A to Z, is outdated.
	EnqueueMail(ctx context.Context, m Mail, audit *AuditEntry) error

	// ClaimMail returns a mail that is due at now, after those that have been due for longer, or
	// ErrNotFound. The mail is whoever's who claimed it until a time, and then due again. A mail that is
	// due later than MaxMailWait from now is due: it must not wait until a clock that was ahead comes
	// round again. It removes mails of nobody.
	ClaimMail(ctx context.Context, now, until time.Time) (Mail, error)

	// UpdateMail sets DueAt and Deliveries of a mail to those of m. It fails with ErrNotFound if m is
	// not the mail's last claim.
	UpdateMail(ctx context.Context, m Mail) error

	// RemoveMail removes a mail. Errors as UpdateMail.
	RemoveMail(ctx context.Context, m Mail, audit *AuditEntry) error

	// CountMails returns how many mails of somebody wait.
	CountMails(ctx context.Context) (int64, error)
}

// OnMail sets what is called when a mail was added: it is to be sent at once. It must return quickly.
func (s *Service) OnMail(wake func()) { s.onMail.Store(&wake) }

// SendsMail reports whether the store keeps mails, and somebody sends them (OnMail).
func (s *Service) SendsMail() bool { return s.mail != nil && s.onMail.Load() != nil }

// Recipients are who gets a mail that is asked for with an address. They are active or, for an
// activation, inactive.
type Recipients struct {
	CaseBlind bool // the address is compared whatever the case of the letters A to Z
	// Unusable says that users without a usable password get one, too: django-allauth's form sends to
	// them, Django's and djoser do not. Nobody gets an activation so: an operator takes the password
	// of whoever is to stay inactive.
	Unusable bool
}

// maxRecipients is how many users with one address get a mail. Django's form sends to all of them.
const maxRecipients = 5

// AskMailByEmail adds a mail for each user with an address, and reports whether there is one. It does the same
// where there is none, in the same time. Beyond the limit of the user or the name, or that of the recipient, no mail is added,
// and nothing tells. It fails with KindThrottled beyond the limit of the client's network, KindUnavailable or KindCanceled.
func (s *Service) AskMailByEmail(ctx context.Context, p Policy, kind MailKind, email string, r Recipients) (found bool, err error) {
	return s.askMails(ctx, p.Issuer, kind, email, func(email string) ([]Account, error) { return s.recipients(ctx, kind, email, r) })
}

// askMails adds a mail for each of the accounts that are found for an address, or one of nobody's, and reports whether there is one.
func (s *Service) askMails(ctx context.Context, profile string, kind MailKind, email string, find func(email string) ([]Account, error)) (found bool, err error) {
	email = lookup(email)
	// Before anybody is looked for: that takes long for an address that somebody has given to many accounts.
	if err := s.mayAskMail(ctx, profile); err != nil {
		return false, err
	}
	accounts, err := find(email)
	if err != nil {
		return false, err
	}
	if err := s.addMails(ctx, profile, kind, email, accounts); err != nil {
		return false, err
	}
	blur(ctx)
	return len(accounts) > 0, nil
}

// addMails adds a mail for each account with an address, or one of nobody's.
func (s *Service) addMails(ctx context.Context, profile string, kind MailKind, email string, accounts []Account) error {
	for _, a := range accounts {
		if err := s.addMail(ctx, profile, kind, email, &a); err != nil {
			return err
		}
	}
	if len(accounts) == 0 {
		return s.addMail(ctx, profile, kind, email, nil)
	}
	return nil
}

// recipients finds the users who get a mail that is asked for with an address, in the order of addressees. It
// reads on where others are before them that have no password: an operator's or an import's. Those who are not active, or for
// an activation are, the store leaves out: anybody can register any number of them with an address that is not theirs.
func (s *Service) recipients(ctx context.Context, kind MailKind, email string, r Recipients) ([]Account, error) {
	if !Storable(email) {
		return nil, nil
	}
	if s.accounts == nil {
		return nil, wrapStoreError("find users", ErrUnsupported)
	}
	activation := kind == MailActivation
	verified, err := s.verifiedAccount(ctx, email, r.CaseBlind)
	if err != nil {
		return nil, err
	}
	for limit := maxRecipients; ; limit *= 8 {
		found, err := s.accounts.FindRecipients(ctx, email, r.CaseBlind, !activation, limit)
		if err != nil {
			return nil, wrapStoreError("find users", err)
		}
		var eligible []Account
		for _, a := range addressees(verified, found) {
			if a.Active == activation || (activation || !r.Unusable) && !password.IsUsable(a.PasswordHash) {
				continue
			}
			eligible = append(eligible, a)
		}
		if len(found) < limit || len(eligible) >= maxRecipients {
			return eligible[:min(len(eligible), maxRecipients)], nil
		}
	}
}

// addressees returns accounts with one address, in the order in which they get mails to it: first the one whose
// user has verified it, if there is one, and then as found, who had it first before the others. Whoever gives the
// address of another to accounts, which is no proof, is behind that user, however old the accounts are.
func addressees(verified *Account, found []Account) []Account {
	if verified == nil {
		return found
	}
	others := slices.DeleteFunc(slices.Clone(found), func(a Account) bool { return a.ID == verified.ID })
	return append([]Account{*verified}, others...)
}

// MailUser adds a mail for a user about what was done. Beyond a limit of the user or the recipient, no
// mail is added, and nothing tells. The client's network has no limit of these mails: what was done has,
// or takes a token. It fails with KindUnavailable or KindCanceled.
func (s *Service) MailUser(ctx context.Context, p Policy, kind MailKind, u User) error {
	return s.addMail(ctx, p.Issuer, kind, u.Username, &Account{User: u})
}

// mayAskMail counts what a client asks for. It fails as countMailOfNetwork does.
func (s *Service) mayAskMail(ctx context.Context, profile string) error {
	err := s.countMailOfNetwork(ctx)
	if err != nil {
		s.emit(ActionAskMail, profile, KindOf(err).String())
	}
	return err
}

// addMail adds a mail for an account, or for nobody's if that is nil, of which it was asked for by name: a username or an address.
func (s *Service) addMail(ctx context.Context, profile string, kind MailKind, name string, account *Account) error {
	e := s.newEntry(ctx, ActionAskMail, profile)
	e.Detail = string(kind)
	m := Mail{Kind: kind, Profile: profile}
	if account != nil {
		m.UserID, m.Email, e.UserID, e.Username = account.ID, account.Email, account.ID, account.Username
	} else {
		e.Outcome, e.UsernamePseudonym = KindUserUnknown.String(), pseudonym(s.pseudonymKey(), lookup(name))
	}
	spent, err := s.countMail(ctx, kind, lookup(name), account)
	if err != nil {
		s.emit(ActionAskMail, profile, KindOf(err).String())
		return err
	}
	// Whoever sends it goes by the clock of the database, from which that of this machine may be far.
	if m.CreatedAt, err = s.sharedTime(ctx); err != nil {
		return wrapStoreError("add mail", err)
	}
	if spent { // as nobody's, in the same time
		m.UserID, e.Outcome = 0, KindThrottled.String()
	}
	if err := s.mail.EnqueueMail(ctx, m, s.audited(&e)); err != nil {
		return wrapStoreError("add mail", err)
	}
	s.emit(ActionAskMail, profile, e.Outcome)
	if wake := s.onMail.Load(); wake != nil {
		(*wake)()
	}
	return nil
}
