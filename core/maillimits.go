package core

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/core/spelling"
)

// How many mails anybody can ask for: a user, the network of a client, and all who have an address together.

// DefaultUserMailLimit is the default of [LoginLimits.MailsPerUser].
func DefaultUserMailLimit() Limit { return Limit{Burst: 5, Window: time.Hour} }

// DefaultRecipientMailLimit is the default of [LoginLimits.MailsPerRecipient].
func DefaultRecipientMailLimit() Limit { return Limit{Burst: 10, Window: time.Hour} }

// DefaultAddressMailLimit is the default of [LoginLimits.MailsPerAddress].
func DefaultAddressMailLimit() Limit { return Limit{Burst: 50, Window: time.Hour} }

// countMailOfNetwork counts a mail that the client asks for. It fails with KindThrottled if its network has
// no capacity left.
func (s *Service) countMailOfNetwork(ctx context.Context) error {
	g, network := s.loginLimits.Load(), clients.Of(ctx).Network()
	if g == nil || g.MailsPerAddress.Burst == 0 || network == "" {
		return nil
	}
	_, wait, err := s.reserveNow(ctx, g, LimitKey{Key: s.networkLimitKey("mail", network), Limit: g.MailsPerAddress})
	if err != nil {
		return wrapStoreError("count mail", err)
	}
	if wait > 0 {
		return &Error{Kind: KindThrottled, RetryAfter: wait}
	}
	return nil
}

// countMail counts a mail against the limits of the user or the name and of the recipient; spent reports
// that one of them has no capacity left.
func (s *Service) countMail(ctx context.Context, kind MailKind, name string, account *Account) (spent bool, err error) {
	g := s.loginLimits.Load()
	if g == nil {
		return false, nil
	}
	var keys []LimitKey
	if g.MailsPerUser.Burst > 0 {
		keys = append(keys, LimitKey{Key: s.mailLimitKey(kind, name, account), Limit: g.MailsPerUser})
	}
	if g.MailsPerRecipient.Burst > 0 && (account == nil || account.Email != "") { // without an address, it is not sent
		place, err := s.addresseePlace(ctx, name, account)
		if err != nil {
			return false, err
		}
		keys = append(keys, s.recipientLimits(g, kind, name, account, place)...)
	}
	if len(keys) == 0 {
		return false, nil
	}
	_, wait, err := s.reserveNow(ctx, g, keys...)
	if err != nil {
		return false, wrapStoreError("count mail", err)
	}
	return wait > 0, nil
}

// recipientLimits are the limits of a mail of a kind to an address, for the account that is at a place among those who
// have it. All together who are the first, one after another, are limited as one user: somebody may give the
// address of another to one account after another. All others together have a limit, and those from any further place
// on only a part of it: who comes later can't use up what is left for those before. With five users, as many get what
// is asked for by address, the whole limit is for them. New passwords are counted apart: anybody may ask for all else, and
// would use up what is left for one user by mails to the same.
func (s *Service) recipientLimits(g *LoginLimits, kind MailKind, name string, account *Account, place int) (keys []LimitKey) {
	limit := g.MailsPerRecipient
	switch {
	case account == nil:
		return []LimitKey{{Key: s.namedLimitKey(name), Limit: limit}}
	case place == 0 && g.MailsPerUser.Burst == 0:
		return nil
	case place == 0:
		return []LimitKey{{Key: s.mailboxLimitKey(firstLabel+mailLimitLabel(kind), 0, account), Limit: g.MailsPerUser}}
	}
	label := recipientLabel
	if kind == MailPasswordReset {
		label = passwordLabel
	}
	for part := range place {
		burst := limit.Burst * (maxRecipients - part) / maxRecipients
		keys = append(keys, LimitKey{Key: s.mailboxLimitKey(label, part, account), Limit: Limit{Burst: max(1, burst), Window: limit.Window}})
	}
	return keys
}

// maxEarlier is how many accounts with an address are looked at for the place of one.
const maxEarlier = 40

// addresseePlace returns how many accounts with the address are before this one, up to maxRecipients. The first
// of all and the first active one own the address, and have none before them: who is not active gets activations
// alone, and may be somebody who never will be. Nobody owns an address in a spelling that is not plain, of which there are many:
// somebody might own them all. Those are behind the second who has the plain one. It takes as long without
// an account, which counts as one that is not the first.
func (s *Service) addresseePlace(ctx context.Context, name string, account *Account) (int, error) {
	address := name
	if account != nil {
		address = account.Email
	}
	if s.accounts == nil || !Storable(address) {
		return 1, nil
	}
	verified, err := s.verifiedAccount(ctx, address, true)
	if err != nil {
		return 0, err
	}
	found, err := s.accounts.FindAccounts(ctx, ByEmail, address, true, maxEarlier)
	if err != nil {
		return 0, wrapStoreError("find users", err)
	}
	if account == nil {
		return 1, nil
	}
	all := addressees(verified, found)
	place := slices.IndexFunc(all, func(a Account) bool { return a.ID == account.ID })
	plain := s.mailboxOf(address) == spelling.LowerASCII(address)
	switch {
	case place < 0:
		place = maxRecipients
	case place == slices.IndexFunc(all, func(a Account) bool { return a.Active }):
		place = 0
	}
	if !plain {
		place = max(place, 2)
	}
	return min(place, maxRecipients), nil
}

// mailboxOf returns one text for all spellings of an address that mails to it reach.
func (s *Service) mailboxOf(address string) string {
	if s.mailbox != nil {
		address = s.mailbox(address)
	}
	return spelling.Fold(address)
}

// mailLimitLabel is the label of the keys of mails of a kind.
func mailLimitLabel(kind MailKind) string {
	if !kind.HasLink() {
		return "notice"
	}
	return "mail " + string(kind)
}

// mailLimitKinds returns one kind of mails for each label.
func mailLimitKinds() (kinds []MailKind) {
	for _, kind := range MailKinds() {
		if !slices.ContainsFunc(kinds, func(k MailKind) bool { return mailLimitLabel(k) == mailLimitLabel(kind) }) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// mailLimitKey is the key of mails to the account or, without one, of those that are asked for with the
// name, however it is spelt. Each kind with a link has one of its own, so that nobody keeps users from new
// passwords by asking for their names; those without one share another: whoever asks for links must not
// keep users from being told what was done.
func (s *Service) mailLimitKey(kind MailKind, name string, account *Account) []byte {
	label := mailLimitLabel(kind)
	if account != nil {
		return sealing.KeyedDigest(s.databaseKey, label, strconv.FormatInt(account.ID, 10))[:limitKeySize]
	}
	return sealing.KeyedDigest(s.pseudonymKey(), label, spelling.Fold(name))[:limitKeySize]
}

// The labels of the keys of mails to a mailbox: of new passwords, and of all else, to others than those who have the
// address first, and of mails to these.
const (
	recipientLabel = "recipient"
	passwordLabel  = "recipient password"
	firstLabel     = "first "
)

// mailboxLimitKey is the key of some mails to the account's address, however it is spelt and whoever else has it: in
// the first of the parts of a limit, or in a further one.
func (s *Service) mailboxLimitKey(label string, part int, account *Account) []byte {
	if part > 0 {
		label += " " + strconv.Itoa(part+1)
	}
	return sealing.KeyedDigest(s.databaseKey, label, s.mailboxOf(account.Email))[:limitKeySize]
}

// namedLimitKey is the key of mails that are asked for with a name that no account has, which may be a password. It is
// another than those of an address, so that nobody can use up the mails of one who has yet to register.
func (s *Service) namedLimitKey(name string) []byte {
	return sealing.KeyedDigest(s.pseudonymKey(), recipientLabel, spelling.Fold(name))[:limitKeySize]
}

// recipientLimitKeys are all keys of mails to the account's address or, without one, with the name.
func (s *Service) recipientLimitKeys(name string, account *Account) (keys [][]byte) {
	if account == nil {
		return [][]byte{s.namedLimitKey(name)}
	}
	for part := range maxRecipients {
		keys = append(keys, s.mailboxLimitKey(recipientLabel, part, account), s.mailboxLimitKey(passwordLabel, part, account))
	}
	for _, kind := range mailLimitKinds() {
		keys = append(keys, s.mailboxLimitKey(firstLabel+mailLimitLabel(kind), 0, account))
	}
	return keys
}
