package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func failures() []testCase {
	return []testCase{{"every call on a closed handle fails", closedFails}}
}

// call is a call of a method, whose other results don't matter if it fails.
type call struct {
	name string
	err  func() error
}

// only returns the last of a call's two results.
func only[T any](_ T, err error) error { return err }

// closedFails calls everything that a store implements: an error that is swallowed would be
// taken for an empty answer.
func closedFails(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	p.Issue(t, suite.ReusableOf(ann, "key", time.Hour))
	s := p.A
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	calls := callsOf(t, s, ann)
	if limiter, ok := s.(core.RateLimiter); ok {
		calls = append(calls, limiterCalls(t, limiter)...)
	}
	if auditor, ok := s.(core.Auditor); ok {
		calls = append(calls,
			call{"Record", func() error {
				return auditor.Record(t.Context(), core.AuditEntry{At: suite.Noon(), Action: core.ActionLogin})
			}},
			call{"AuditEntries", func() error { return only(auditor.AuditEntries(t.Context(), core.AuditFilter{}, 9)) }},
			call{"PurgeAudit", func() error { return only(auditor.PurgeAudit(t.Context(), suite.Noon(), 9)) }})
	}
	if privacy, ok := s.(core.PrivacyStore); ok {
		calls = append(calls,
			call{"DatabaseKey", func() error {
				return only(privacy.DatabaseKey(t.Context(), func() ([]byte, error) { return []byte("drawn"), nil }))
			}},
			call{"PasswordFormatCounts", func() error { return only(privacy.PasswordFormatCounts(t.Context())) }})
	}
	if clock, ok := s.(core.DatabaseClock); ok {
		calls = append(calls, call{"DatabaseTime", func() error { return only(clock.DatabaseTime(t.Context())) }})
	}
	if batcher, ok := s.(core.ExpiryBatcher); ok {
		calls = append(calls, call{"ExtendExpiries", func() error {
			return batcher.ExtendExpiries(t.Context(), []core.ExpiryUpdate{{Digest: suite.TokenOf(ann, "key").Digest, To: suite.Noon().Add(2 * time.Hour)}}, suite.Noon())
		}})
	}
	if open, ok := s.(interface{ Backend() core.Backend }); ok {
		calls = append(calls, mailCalls(t, open.Backend().Mail, ann)...)
	}
	if admin, ok := s.(core.Admin); ok {
		calls = append(calls, adminCalls(t, admin, ann)...)
	}
	if accounts, ok := s.(core.AccountStore); ok {
		calls = append(calls, accountCalls(t, accounts, ann)...)
	}
	if target, ok := s.(transfer.Store); ok {
		calls = append(calls, transferCalls(t, target, ann)...)
	}
	for _, c := range calls {
		if c.err() == nil {
			t.Errorf("%s: no error", c.name)
		}
	}
}

func callsOf(t *testing.T, s core.Store, u core.User) []call {
	ctx, digest := t.Context(), suite.TokenOf(u, "key").Digest
	return []call{
		{"CreateUser", func() error { return only(s.CreateUser(ctx, suite.NewUser("bob"), nil, nil)) }},
		{"Account", func() error { return only(s.Account(ctx, "ann")) }},
		{"IssueToken", func() error { return s.IssueToken(ctx, suite.TokenOf(u, "issued"), "", 0, nil) }},
		{"ReuseToken", func() error {
			return only(s.ReuseToken(ctx, suite.ReusableOf(u, "reused", time.Hour), "", suite.Noon(), nil))
		}},
		{"FindToken", func() error { return suite.Find(ctx, s, "key") }},
		{"ExtendExpiry", func() error { return s.ExtendExpiry(ctx, digest, suite.Noon().Add(2*time.Hour), suite.Noon()) }},
		{"DeleteToken", func() error { return s.DeleteToken(ctx, digest, nil) }},
		{"TrimTokens", func() error { return only(s.TrimTokens(ctx, u.ID, suite.Realm, 1)) }},
		{"DeleteUserTokens", func() error { return only(s.DeleteUserTokens(ctx, u.ID, suite.Realm, nil)) }},
		{"UpdatePassword", func() error { return s.UpdatePassword(ctx, u.ID, "hash of ann", "new", false, nil) }},
		{"Ping", func() error { return s.Ping(ctx) }},
	}
}

func limiterCalls(t *testing.T, s core.RateLimiter) []call {
	ctx, key := t.Context(), core.LimitKey{Key: []byte("key"), Limit: core.Limit{Burst: 5, Window: time.Hour}}
	return []call{
		{"Reserve", func() error { return only(s.Reserve(ctx, suite.Noon(), key)) }},
		{"WaitTimes", func() error { return only(s.WaitTimes(ctx, suite.Noon(), key)) }},
		{"Refund", func() error { return s.Refund(ctx, suite.Noon(), key) }},
		{"ClearLimits", func() error { return only(s.ClearLimits(ctx, nil, key.Key)) }},
		{"PruneLimits", func() error { return only(s.PruneLimits(ctx, suite.Noon(), 9)) }},
	}
}

func mailCalls(t *testing.T, s core.MailStore, u core.User) []call {
	ctx, m := t.Context(), core.Mail{Kind: core.MailActivation, Profile: suite.Issuer, UserID: u.ID, Email: u.Email, CreatedAt: suite.Noon(), DueAt: suite.Noon(), ID: "mail"}
	return []call{
		{"EnqueueMail", func() error { return s.EnqueueMail(ctx, m, nil) }},
		{"ClaimMail", func() error { return unlessNone(only(s.ClaimMail(ctx, suite.Noon(), suite.Noon()))) }},
		{"UpdateMail", func() error { return unlessNone(s.UpdateMail(ctx, m)) }},
		{"RemoveMail", func() error { return unlessNone(s.RemoveMail(ctx, m, nil)) }},
		{"CountMails", func() error { return only(s.CountMails(ctx)) }},
	}
}

// unlessNone drops the error that says of an open store that there is none.
func unlessNone(err error) error {
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	return err
}

func adminCalls(t *testing.T, s core.Admin, u core.User) []call {
	ctx := t.Context()
	return []call{
		{"Users", func() error { return only(s.Users(ctx, core.UserFilter{}, 9)) }},
		{"SetActive", func() error { return s.SetActive(ctx, u.ID, false, nil) }},
		{"DeleteUser", func() error { return s.DeleteUser(ctx, u.ID, nil) }},
		{"Tokens", func() error { return only(s.Tokens(ctx, core.TokenFilter{}, 9)) }},
		{"CountTokens", func() error { return only(s.CountTokens(ctx, suite.Noon())) }},
		{"PurgeTokens", func() error { return only(s.PurgeTokens(ctx, suite.Noon(), nil, 9)) }},
		{"RevokeTokens", func() error {
			_, _, err := s.RevokeTokens(ctx, suite.Noon(), nil, 9, nil)
			return err
		}},
		{"TokenOwners", func() error { return only(s.TokenOwners(ctx)) }},
		{"SealKeys", func() error { return only(s.SealKeys(ctx)) }},
		{"SealedTokens", func() error { return only(s.SealedTokens(ctx, "key-1", nil, 9)) }},
		{"Reseal", func() error { return s.Reseal(ctx, "key-1", []core.Token{suite.ReusableOf(u, "key", time.Hour)}) }},
	}
}

func accountCalls(t *testing.T, s core.AccountStore, u core.User) []call {
	ctx := t.Context()
	return []call{
		{"AccountByID", func() error { return only(s.AccountByID(ctx, u.ID)) }},
		{"ActivateUser", func() error {
			return s.ActivateUser(ctx, u.ID, core.LinkUse{PasswordHash: "hash of ann", Email: u.Email, At: suite.Noon()}, nil)
		}},
		{"FindRecipients", func() error { return only(s.FindRecipients(ctx, u.Email, false, true, 9)) }},
		{"FindAccounts", func() error { return only(s.FindAccounts(ctx, core.ByEmail, u.Email, true, 9)) }},
		{"Users", func() error { return only(s.Users(ctx, core.UserFilter{}, 9)) }},
		{"UpdateUser", func() error {
			return only(s.UpdateUser(ctx, core.UserChange{Was: u, To: update(u, "bob", "", nil), Distinct: core.Distinct{}}, nil))
		}},
		{"RemoveUser", func() error { return s.RemoveUser(ctx, u.ID, "hash of ann", nil) }},
		{"ChangePassword", func() error {
			return only(s.ChangePassword(ctx, core.PasswordChange{UserID: u.ID, Old: "hash of ann", New: "new"}, nil))
		}},
	}
}

func transferCalls(t *testing.T, s transfer.Store, u core.User) []call {
	ctx, place := t.Context(), transfer.Checkpoint{Source: 1, Run: 1, Now: suite.Noon(), Stage: "tokens"}
	const source = "somewhere"
	bob := core.User{ID: 7, Username: "bob", Active: true, CreatedAt: suite.Noon()}
	users := []transfer.ImportedUser{{Key: "7", Account: core.Account{User: bob, PasswordHash: "hash of bob"}}}
	tokens := []transfer.ImportedToken{{Owner: "7", Token: suite.TokenOf(users[0].User, "theirs")}}
	digests := []core.Digest{tokens[0].Digest}
	return []call{
		{"FindImport", func() error { return only(s.FindImport(ctx, source)) }},
		{"ImportOwners", func() error {
			_, _, err := s.ImportOwners(ctx, 1, []string{"7"}, []string{"bob"})
			return err
		}},
		{"UserFacts", func() error { return only(s.UserFacts(ctx, 1, users)) }},
		{"KeysAreIDs", func() error { return only(s.KeysAreIDs(ctx, 1)) }},
		{"TokenFacts", func() error { return only(s.TokenFacts(ctx, 1, tokens)) }},
		{"CountImported", func() error {
			_, _, err := s.CountImported(ctx, place, []string{"tokens"})
			return err
		}},
		{"BeginImport", func() error { return only(s.BeginImport(ctx, source, "options")) }},
		{"ImportUsers", func() error { return only(s.ImportUsers(ctx, place, users)) }},
		{"ImportTokens", func() error { return only(s.ImportTokens(ctx, place, tokens)) }},
		{"FinishImport", func() error { return only(s.FinishImport(ctx, place, []string{"tokens"})) }},
		{"ExportUsers", func() error { return only(s.ExportUsers(ctx, 0, 9)) }},
		{"ExportTokens", func() error { return only(s.ExportTokens(ctx, suite.Realm, core.Token{}, 9)) }},
		{"LinkedFingerprints", func() error { return only(s.LinkedFingerprints(ctx, 1, []int64{u.ID})) }},
		{"UnlinkedTokens", func() error { return only(s.UnlinkedTokens(ctx, 1, []string{"tokens"}, digests)) }},
		{"KeepForms", func() error { return s.KeepForms(ctx, []core.Token{{Digest: digests[0]}}) }},
		{"NoteExported", func() error {
			return s.NoteExported(ctx, 1, transfer.NotedExport{Tokens: map[string][]core.Digest{"tokens": digests}})
		}},
		{"NotedExport", func() error { return only(s.NotedExport(ctx, 1)) }},
		{"DeletedUsers", func() error { return only(s.DeletedUsers(ctx, 1, 0, 9)) }},
		{"MarkExported", func() error { return s.MarkExported(ctx, place, users, map[string][]core.Digest{"tokens": digests}) }},
		{"RevokedAmong", func() error { return only(s.RevokedAmong(ctx, digests, suite.Noon())) }},
	}
}
