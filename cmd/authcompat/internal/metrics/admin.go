package metrics

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/core/cutover"
)

// instrumentedAuditor is a core.Auditor whose calls by a server are counted.
type instrumentedAuditor struct {
	core.Auditor
	record, purge operation
}

// instrumentedAdmin is a core.Admin whose calls by a server are counted.
type instrumentedAdmin struct {
	core.Admin
	count, purge, sealed, reseal operation
}

// instrumentedPrivacyStore is a core.PrivacyStore whose calls by a server are counted.
type instrumentedPrivacyStore struct {
	core.PrivacyStore
	formats operation
}

// instrumentedCutoverStore is a core.CutoverStore whose calls are counted.
type instrumentedCutoverStore struct {
	core.CutoverStore
	state, set operation
}

// instrumentedCallerStore is a callers.Store whose calls by a server are counted.
type instrumentedCallerStore struct {
	callers.Store
	add, purge operation
}

func (m *Metrics) instrumentCallerStore(c callers.Store) callers.Store {
	if c == nil {
		return nil
	}
	return &instrumentedCallerStore{c, m.operation("add_calls"), m.operation("purge_calls")}
}

func (c *instrumentedCallerStore) AddCalls(ctx context.Context, batch string, calls []callers.Calls) (err error) {
	defer c.add.observe(time.Now(), &err)
	return c.Store.AddCalls(ctx, batch, calls)
}

func (c *instrumentedCallerStore) PurgeCalls(ctx context.Context, before callers.Day, limit int) (n int, err error) {
	defer c.purge.observe(time.Now(), &err)
	return c.Store.PurgeCalls(ctx, before, limit)
}

func (m *Metrics) instrumentAuditor(a core.Auditor) core.Auditor {
	if a == nil {
		return nil
	}
	return &instrumentedAuditor{a, m.operation("record"), m.operation("purge_audit")}
}

func (m *Metrics) instrumentAdmin(a core.Admin) core.Admin {
	if a == nil {
		return nil
	}
	return &instrumentedAdmin{
		a, m.operation("count_tokens"), m.operation("purge_tokens"), m.operation("sealed_tokens"), m.operation("reseal"),
	}
}

func (m *Metrics) instrumentPrivacyStore(d core.PrivacyStore) core.PrivacyStore {
	if d == nil {
		return nil
	}
	return &instrumentedPrivacyStore{d, m.operation("password_format_counts")}
}

func (m *Metrics) instrumentCutoverStore(s core.CutoverStore) core.CutoverStore {
	if s == nil {
		return nil
	}
	return &instrumentedCutoverStore{s, m.operation("cutover_state"), m.operation("set_cutover")}
}

func (a *instrumentedAuditor) Record(ctx context.Context, entry core.AuditEntry) (err error) {
	defer a.record.observe(time.Now(), &err)
	return a.Auditor.Record(ctx, entry)
}

func (a *instrumentedAuditor) PurgeAudit(ctx context.Context, before time.Time, limit int) (n int, err error) {
	defer a.purge.observe(time.Now(), &err)
	return a.Auditor.PurgeAudit(ctx, before, limit)
}

func (a *instrumentedAdmin) CountTokens(ctx context.Context, now time.Time) (live int64, err error) {
	defer a.count.observe(time.Now(), &err)
	return a.Admin.CountTokens(ctx, now)
}

func (a *instrumentedAdmin) PurgeTokens(ctx context.Context, before time.Time, issuers []string, limit int) (n int, err error) {
	defer a.purge.observe(time.Now(), &err)
	return a.Admin.PurgeTokens(ctx, before, issuers, limit)
}

func (a *instrumentedAdmin) SealedTokens(ctx context.Context, key string, after core.Digest, limit int) (tokens []core.Token, err error) {
	defer a.sealed.observe(time.Now(), &err)
	return a.Admin.SealedTokens(ctx, key, after, limit)
}

func (a *instrumentedAdmin) Reseal(ctx context.Context, was string, tokens []core.Token) (err error) {
	defer a.reseal.observe(time.Now(), &err)
	return a.Admin.Reseal(ctx, was, tokens)
}

func (d *instrumentedPrivacyStore) PasswordFormatCounts(ctx context.Context) (counts []core.PasswordFormatCount, err error) {
	defer d.formats.observe(time.Now(), &err)
	return d.PrivacyStore.PasswordFormatCounts(ctx)
}

func (s *instrumentedCutoverStore) CutoverState(ctx context.Context) (state cutover.State, err error) {
	defer s.state.observe(time.Now(), &err)
	return s.CutoverStore.CutoverState(ctx)
}

func (s *instrumentedCutoverStore) SetCutover(ctx context.Context, previous int64, state cutover.State, audit *core.AuditEntry) (err error) {
	defer s.set.observe(time.Now(), &err)
	return s.CutoverStore.SetCutover(ctx, previous, state, audit)
}
