package metrics

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
)

// instrumentedAccounts is a core.AccountStore whose calls are counted.
type instrumentedAccounts struct {
	core.AccountStore
	byID, find, recipients, list, update, remove, change operation
}

func (m *Metrics) instrumentAccounts(s core.AccountStore) core.AccountStore {
	if s == nil {
		return nil
	}
	return &instrumentedAccounts{
		AccountStore: s, byID: m.operation("account_by_id"), find: m.operation("find_accounts"), recipients: m.operation("find_recipients"), list: m.operation("list_users"),
		update: m.operation("update_user"), remove: m.operation("remove_user"), change: m.operation("change_password"),
	}
}

func (s *instrumentedAccounts) AccountByID(ctx context.Context, userID int64) (a core.Account, err error) {
	defer s.byID.observe(time.Now(), &err)
	return s.AccountStore.AccountByID(ctx, userID)
}

func (s *instrumentedAccounts) FindAccounts(ctx context.Context, by core.Identifier, text string, caseBlind bool, limit int) (all []core.Account, err error) {
	defer s.find.observe(time.Now(), &err)
	return s.AccountStore.FindAccounts(ctx, by, text, caseBlind, limit)
}

func (s *instrumentedAccounts) FindRecipients(ctx context.Context, email string, caseBlind, active bool, limit int) (all []core.Account, err error) {
	defer s.recipients.observe(time.Now(), &err)
	return s.AccountStore.FindRecipients(ctx, email, caseBlind, active, limit)
}

func (s *instrumentedAccounts) Users(ctx context.Context, f core.UserFilter, limit int) (users []core.User, err error) {
	defer s.list.observe(time.Now(), &err)
	return s.AccountStore.Users(ctx, f, limit)
}

func (s *instrumentedAccounts) UpdateUser(ctx context.Context, c core.UserChange, audit *core.AuditEntry) (u core.User, err error) {
	defer s.update.observe(time.Now(), &err)
	return s.AccountStore.UpdateUser(ctx, c, audit)
}

func (s *instrumentedAccounts) RemoveUser(ctx context.Context, userID int64, passwordHash string, audit *core.AuditEntry) (err error) {
	defer s.remove.observe(time.Now(), &err)
	return s.AccountStore.RemoveUser(ctx, userID, passwordHash, audit)
}

func (s *instrumentedAccounts) ChangePassword(ctx context.Context, c core.PasswordChange, audit *core.AuditEntry) (ended int, err error) {
	defer s.change.observe(time.Now(), &err)
	return s.AccountStore.ChangePassword(ctx, c, audit)
}
