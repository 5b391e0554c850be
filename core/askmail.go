package core

import (
	"context"
	"strconv"
	"time"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/core/spelling"
)

// DefaultUserMailLimit is the default of [LoginLimits.MailsPerUser].
func DefaultUserMailLimit() Limit { return Limit{Burst: 5, Window: time.Hour} }

// DefaultAddressMailLimit is the default of [LoginLimits.MailsPerAddress].
func DefaultAddressMailLimit() Limit { return Limit{Burst: 50, Window: time.Hour} }

// OnMail sets what is called when a mail was added: it is to be sent at once. It must return quickly.
func (s *Service) OnMail(wake func()) { s.onMail.Store(&wake) }

// SendsMail reports whether the store keeps mails.
func (s *Service) SendsMail() bool { return s.mail != nil }

// AskMail adds a mail for a client of a profile who named its user by name: a username or an address,
// which account has, or nobody if it is nil. It does the same for both, in the same time. Beyond the
// limit of the user or the name, no mail is added, and nothing tells. Mails without a link, which tell
// of what was done, have no limits. It fails with KindThrottled beyond the limit of the client's
// network, KindUnavailable or KindCanceled.
func (s *Service) AskMail(ctx context.Context, profile string, kind MailKind, name string, account *Account) error {
	e := s.newEntry(ctx, ActionAskMail, profile)
	e.Detail = string(kind)
	m := Mail{Kind: kind, Profile: profile, CreatedAt: e.At}
	key := s.mailLimitKey(account, lookup(name))
	if account != nil {
		m.UserID, e.UserID, e.Username = account.ID, account.ID, account.Username
	} else {
		e.Outcome, e.UsernamePseudonym = KindUserUnknown.String(), pseudonym(s.pseudonymKey(), lookup(name))
	}
	if g := s.loginLimits.Load(); g != nil && kind.HasLink() {
		spent, err := s.countMail(ctx, g, key)
		if err != nil {
			s.emit(ActionAskMail, profile, KindOf(err).String())
			return err
		}
		if spent { // as nobody's, in the same time
			m.UserID, e.Outcome = 0, KindThrottled.String()
		}
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

// mailLimitKey is the key of mails to the account or, without one, of those that are asked for with the
// name, however it is spelt.
func (s *Service) mailLimitKey(account *Account, name string) []byte {
	if account != nil {
		return sealing.KeyedDigest(s.databaseKey, "mail", strconv.FormatInt(account.ID, 10))[:limitKeySize]
	}
	return sealing.KeyedDigest(s.pseudonymKey(), "mail", spelling.Fold(name))[:limitKeySize]
}

// countMail counts a mail against the limits of the client's network and of the user or the name, by
// the key of that; spent reports that the second has no capacity left.
func (s *Service) countMail(ctx context.Context, g *LoginLimits, key []byte) (spent bool, err error) {
	if network := clients.Of(ctx).Network(); network != "" && g.MailsPerAddress.Burst > 0 {
		_, wait, err := s.reserveNow(ctx, g, LimitKey{Key: s.networkLimitKey("mail", network), Limit: g.MailsPerAddress})
		if err != nil {
			return false, wrapStoreError("count mail", err)
		}
		if wait > 0 {
			return false, &Error{Kind: KindThrottled, RetryAfter: wait}
		}
	}
	if g.MailsPerUser.Burst == 0 {
		return false, nil
	}
	_, wait, err := s.reserveNow(ctx, g, LimitKey{Key: key, Limit: g.MailsPerUser})
	if err != nil {
		return false, wrapStoreError("count mail", err)
	}
	return wait > 0, nil
}
