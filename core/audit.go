package core

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/authcompat/authcompat/core/clients"
)

// Auditor keeps the audit log: a record of what was done to users and tokens, and of who
// was sent to which side of a cutover. Entries are appended and never changed; operators may
// remove the oldest. Errors are those of [Store], whose methods append entries about what
// they change.
type Auditor interface {
	// Record appends an entry about something that changes nothing in the store.
	Record(ctx context.Context, e AuditEntry) error

	// AuditEntries returns at most limit matching entries, the newest first.
	AuditEntries(ctx context.Context, f AuditFilter, limit int) ([]AuditEntry, error)

	// PurgeAudit removes the oldest entries from before a time, at most limit, and returns
	// their number.
	PurgeAudit(ctx context.Context, before time.Time, limit int) (int, error)
}

// Action says what was done.
type Action string

// The actions.
const (
	ActionRegister     Action = "register"
	ActionLogin        Action = "login"
	ActionAdopt        Action = "adopt" // a login that another server vouched for: the user, or another password, was kept
	ActionLogout       Action = "logout"
	ActionLogoutAll    Action = "logout-all"
	ActionCreateUser   Action = "create-user"
	ActionDisableUser  Action = "disable-user"
	ActionEnableUser   Action = "enable-user"
	ActionSetPassword  Action = "set-password"
	ActionDeleteUser   Action = "delete-user"
	ActionRevokeToken  Action = "revoke-token"
	ActionRevokeTokens Action = "revoke-tokens"
	ActionRotateSecret Action = "rotate-secret"
	ActionDropSecrets  Action = "drop-secrets"
	ActionPurgeTokens  Action = "purge-tokens"
	ActionPurgeAudit   Action = "purge-audit"
	ActionClearLimits  Action = "clear-limits"
	ActionUpdateUser   Action = "update-user"      // the username, the address or attributes, by the user
	ActionConfirm      Action = "confirm-password" // a wrong one of somebody who is logged in
	ActionAuthenticate Action = "authenticate"     // a wrong password without a login (HTTP Basic)
	ActionImport       Action = "import"
	ActionExport       Action = "export"
	ActionBackup       Action = "backup"
	ActionRestore      Action = "restore"
	ActionCutover      Action = "cutover"
	ActionRollback     Action = "rollback"
	ActionAskMail      Action = "ask-mail"
	ActionSendMail     Action = "send-mail"
	ActionVerifyEmail  Action = "verify-email"
)

// Actions returns all actions.
func Actions() []Action {
	return []Action{
		ActionRegister, ActionLogin, ActionAdopt, ActionLogout, ActionLogoutAll, ActionCreateUser, ActionDisableUser, ActionEnableUser, ActionSetPassword, ActionDeleteUser,
		ActionRevokeToken, ActionRevokeTokens, ActionRotateSecret, ActionDropSecrets, ActionPurgeTokens, ActionPurgeAudit, ActionClearLimits, ActionUpdateUser, ActionConfirm, ActionAuthenticate, ActionImport, ActionExport,
		ActionBackup, ActionRestore, ActionCutover, ActionRollback, ActionAskMail, ActionSendMail, ActionVerifyEmail,
	}
}

// Who has done something, if not the user.
const (
	Operator = "operator" // on the command line
	Console  = "console"  // an operator in the console
	Server   = "server"   // by itself
)

type actorKey struct{}

// WithActor returns a context for what an operator does elsewhere than on the command line: entries of
// the audit log have this Actor in the place of Operator.
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// operatorOf returns the Actor of what an operator does.
func operatorOf(ctx context.Context) string {
	if actor, ok := ctx.Value(actorKey{}).(string); ok {
		return actor
	}
	return Operator
}

// AuditEntry is an entry of the audit log. It contains no password, token or hash.
type AuditEntry struct {
	ID     int64 // rises; the store's
	At     time.Time
	Action Action
	// Outcome is "ok", or the name of the Kind that a login failed with.
	Outcome string
	// UserID and Username are the user concerned; 0 and empty if there is no such user.
	UserID   int64
	Username string
	// UsernamePseudonym is a digest of a username that nobody has, with a key that is not in
	// the store (see [Service.Pseudonyms]). The username itself is not kept, because people
	// type passwords there by mistake.
	UsernamePseudonym string
	Profile           string // through which API; empty from the command line
	Actor             string // Operator, Console, Server, or empty for the user
	Address           string // of the client
	Request           string // its id in the logs
	Token             string // TokenID of the token that was issued or ended
	// Detail says what was changed, where the action does not; some hundred bytes at most. It has
	// no name of a user. Tables in which nothing could add a column for it lose it.
	Detail string
}

// AuditFilter selects entries; zero fields match all.
type AuditFilter struct {
	Username           string
	UsernamePseudonyms []string // entries of Username or of one of these
	Action             Action
	Failed             bool // those whose outcome is not "ok"
	Since, Until       time.Time
	Before             int64 // those with a smaller ID
}

// OK is the Outcome of an action that succeeded.
const OK = "ok"

// tokenIDSize is how many bytes of a digest make a token's id.
const tokenIDSize = 8

// TokenID returns an id of a token for people: 16 hex digits that reveal nothing of its
// text.
func TokenID(d Digest) string { return hex.EncodeToString(d[:min(len(d), tokenIDSize)]) }

// NewOperation returns an entry about an operator's action that is not about one user, for
// what is done without a Service.
func NewOperation(act Action, at time.Time) AuditEntry {
	return AuditEntry{At: at.UTC().Truncate(time.Microsecond), Action: act, Outcome: OK, Actor: Operator}
}

// newEntry makes an entry about a request.
func (s *Service) newEntry(ctx context.Context, act Action, profile string) AuditEntry {
	c := clients.Of(ctx)
	e := AuditEntry{At: s.now(), Action: act, Outcome: OK, Profile: profile, Request: c.RequestID}
	if c.Address.IsValid() {
		e.Address = c.Address.Unmap().String()
	}
	return e
}

// audited returns the entry for a call of the store that does what it says, or nil if
// nobody keeps the log.
func (s *Service) audited(e *AuditEntry) *AuditEntry {
	if s.audit == nil {
		return nil
	}
	return e
}

// emit reports the outcome of an action to OnEvent.
func (s *Service) emit(act Action, profile, outcome string) {
	if s.onEvent != nil {
		s.onEvent(act, profile, outcome)
	}
}

// recordFailure records a failed login. If it cannot be written, that is logged, and the
// response stays the same.
func (s *Service) recordFailure(ctx context.Context, e AuditEntry) {
	if s.audit == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), followUpTimeout)
	defer cancel()
	if err := s.audit.Record(ctx, e); err != nil {
		s.log.Warn("a failed login is not in the audit record", "outcome", e.Outcome, "error", err)
	}
}
