package main

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
)

// measuredAudit is a core.Auditor whose calls by a server are counted.
type measuredAudit struct {
	core.Auditor
	record, purge operation
}

// measuredAdmin is a core.Admin whose calls by a server are counted.
type measuredAdmin struct {
	core.Admin
	count, purge, sealed, reseal operation
}

// measuredDisguises is a core.Disguises whose calls by a server are counted.
type measuredDisguises struct {
	core.Disguises
	mix operation
}

// measureOperation counts the calls of what a store has for operators, as far as
// a running server makes them.
func (m *metrics) measureOperation(e *engine) {
	if e.audit != nil {
		e.audit = &measuredAudit{e.audit, m.operation("record"), m.operation("purge_audit")}
	}
	if e.admin != nil {
		e.admin = &measuredAdmin{
			e.admin, m.operation("count_tokens"), m.operation("purge_tokens"), m.operation("sealed_tokens"), m.operation("reseal"),
		}
	}
	if e.disguises != nil {
		e.disguises = &measuredDisguises{e.disguises, m.operation("password_mix")}
	}
}

func (a *measuredAudit) Record(ctx context.Context, entry core.AuditEntry) (err error) {
	defer a.record.done(time.Now(), &err)
	return a.Auditor.Record(ctx, entry)
}

func (a *measuredAudit) PurgeAudit(ctx context.Context, before time.Time, limit int) (n int, err error) {
	defer a.purge.done(time.Now(), &err)
	return a.Auditor.PurgeAudit(ctx, before, limit)
}

func (a *measuredAdmin) CountTokens(ctx context.Context, now time.Time) (live int64, err error) {
	defer a.count.done(time.Now(), &err)
	return a.Admin.CountTokens(ctx, now)
}

func (a *measuredAdmin) PurgeTokens(ctx context.Context, before time.Time, issuers []string, limit int) (n int, err error) {
	defer a.purge.done(time.Now(), &err)
	return a.Admin.PurgeTokens(ctx, before, issuers, limit)
}

func (a *measuredAdmin) SealedTokens(ctx context.Context, key string, after core.Digest, limit int) (tokens []core.Token, err error) {
	defer a.sealed.done(time.Now(), &err)
	return a.Admin.SealedTokens(ctx, key, after, limit)
}

func (a *measuredAdmin) Reseal(ctx context.Context, was string, tokens []core.Token) (err error) {
	defer a.reseal.done(time.Now(), &err)
	return a.Admin.Reseal(ctx, was, tokens)
}

func (d *measuredDisguises) PasswordMix(ctx context.Context) (mix []core.PasswordGroup, err error) {
	defer d.mix.done(time.Now(), &err)
	return d.Disguises.PasswordMix(ctx)
}
