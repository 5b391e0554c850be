package metrics

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
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
