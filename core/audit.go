package core

import (
	"context"
	"encoding/hex"
	"time"
)

// Auditor keeps a record of what was done to users and tokens. It is added to at
// its end, and cut at its beginning if the operator wants it so; nothing in it is
// ever changed. Errors are those of [Store].
//
// A method of the store that changes something adds the entry of its context
// ([WithAudit]) in the same transaction: what was done is recorded, what is
// recorded was done. CreateUser puts the new user's id into the entry, and
// ReuseToken the token that is shown again.
type Auditor interface {
	// Record adds an entry for what changes nothing in the store.
	Record(ctx context.Context, e AuditEntry) error

	// AuditEntries gives at most limit entries that match, the newest first.
	AuditEntries(ctx context.Context, f AuditFilter, limit int) ([]AuditEntry, error)

	// PurgeAudit removes the oldest entries from before a moment, at most limit, and
	// gives their number.
	PurgeAudit(ctx context.Context, before time.Time, limit int) (int, error)
}

// Act is what was done.
type Action string

// The acts.
const (
	ActionRegister     Action = "register"
	ActionLogin        Action = "login"
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
	ActionImport       Action = "import"
	ActionExport       Action = "export"
)

// Acts gives all acts.
func Actions() []Action {
	return []Action{
		ActionRegister, ActionLogin, ActionLogout, ActionLogoutAll, ActionCreateUser, ActionDisableUser, ActionEnableUser, ActionSetPassword, ActionDeleteUser,
		ActionRevokeToken, ActionRevokeTokens, ActionRotateSecret, ActionDropSecrets, ActionPurgeTokens, ActionPurgeAudit, ActionImport, ActionExport,
	}
}

// Operator is who acts from the command line.
const Operator = "operator"

// AuditEntry is one line of the record. It holds no password, no token and no
// hash.
type AuditEntry struct {
	ID     int64 // rises; the store's
	At     time.Time
	Action Action
	// Outcome is "ok", or the name of the Kind that a login failed with.
	Outcome string
	// UserID and Username say on whom: 0 and empty where there is no such user.
	UserID   int64
	Username string
	// Unknown is the keyed digest of a name that nobody has. The name itself is
	// not kept: people type passwords there.
	UsernamePseudonym string
	Profile           string // through which API; empty from the command line
	Actor             string // Operator, or empty for the user
	Address           string // of the client
	Request           string // its id in the logs
	Token             string // TokenID of the token that was issued or ended
}

// AuditFilter says which entries are wanted; zero fields match all.
type AuditFilter struct {
	Username          string
	UsernamePseudonym string // entries of Username or of this digest
	Action            Action
	Failed            bool // those whose outcome is not "ok"
	Since, Until      time.Time
	Before            int64 // those with a smaller ID
}

// OK is the Outcome of what was done.
const OK = "ok"

type auditKey struct{}

// WithAudit gives a context for one call of a store that changes something.
func WithAudit(ctx context.Context, e *AuditEntry) context.Context {
	return context.WithValue(ctx, auditKey{}, e)
}

// AuditOf gives the entry that the store has to add when it changes something,
// or nil.
func AuditOf(ctx context.Context) *AuditEntry {
	e, _ := ctx.Value(auditKey{}).(*AuditEntry)
	return e
}

// tokenIDSize is how many bytes of a digest name a token.
const tokenIDSize = 8

// TokenID names a token to people: 16 hex digits that tell nothing about its
// text.
func TokenID(d Digest) string { return hex.EncodeToString(d[:min(len(d), tokenIDSize)]) }

// entry begins an entry about a request.
func (s *Service) newEntry(ctx context.Context, act Action, profile string) AuditEntry {
	c := ClientOf(ctx)
	e := AuditEntry{At: s.now(), Action: act, Outcome: OK, Profile: profile, Request: c.RequestID}
	if c.Address.IsValid() {
		e.Address = c.Address.Unmap().String()
	}
	return e
}

// Pseudonym is how the record calls a name that nobody has.
func (s *Service) Pseudonym(username string) string {
	return hex.EncodeToString(KeyedDigest(s.pseudonymKey, "unknown", username)[:tokenIDSize])
}

// audited gives the context for the store's call that does what e says.
func (s *Service) withAudit(ctx context.Context, e *AuditEntry) context.Context {
	if s.audit == nil {
		return ctx
	}
	return WithAudit(ctx, e)
}

// told tells what came of an act to whoever counts.
func (s *Service) emit(act Action, profile, outcome string) {
	if s.onEvent != nil {
		s.onEvent(act, profile, outcome)
	}
}

// recordFailure records a login that failed. It changes nothing in the store, so
// that the record stands alone; where it can't be written the answer stays what
// it is, and the log says so.
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
