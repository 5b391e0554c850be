package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
)

// tokens exports the live tokens, user by user.
func (e *exporter) tokens(ctx context.Context) error {
	tokenTables := e.to.Shape().Tokens
	if len(tokenTables) == 0 {
		e.report.problem("tokens", "the target has no table of tokens: users alone were handed over")
		return nil
	}
	return eachUser(ctx, e.from, e.Realm, func(page []core.Token) error {
		e.report.Tokens.Read += len(page)
		e.progress("tokens", e.report.Tokens.Read)
		return e.tokenPage(ctx, tokenTables, page)
	})
}

// problem adds a row and the reason to the problems.
func (r *ExportReport) problem(row, reason string) {
	r.count(&Counts{}, row, transfer.ImportResult{Outcome: transfer.ImportRefused, Reason: reason})
}

// eachUser reads the tokens of the realm in pages. All tokens of a user are in the same
// page.
func eachUser(ctx context.Context, from transfer.Exporter, realm string, do func([]core.Token) error) error {
	var held []core.Token
	var last core.Token
	for {
		page, err := from.ExportTokens(ctx, realm, last, exportPage)
		if err != nil {
			return fmt.Errorf("read tokens: %w", err)
		}
		if len(page) == 0 {
			break
		}
		last = page[len(page)-1]
		held = append(held, page...)
		whole := slices.IndexFunc(held, func(t core.Token) bool { return t.UserID == last.UserID })
		if whole == 0 {
			continue
		}
		if err := do(held[:whole]); err != nil {
			return err
		}
		held = slices.Clone(held[whole:])
	}
	if len(held) == 0 {
		return nil
	}
	return do(held)
}

// tokenPage exports the tokens of some users.
func (e *exporter) tokenPage(ctx context.Context, tokenTables []tables.TokenTable, page []core.Token) error {
	exported, added := map[string][]core.Digest{}, map[string][]core.Digest{}
	var formed []core.Token
	owners, err := e.owners(ctx, page)
	if err != nil {
		return err
	}
	// Before the target is read: what another export marks has come there by then.
	linked, err := e.linked(ctx, tokenTables, page)
	if err != nil {
		return err
	}
	err = e.to.Write(ctx, func(b *tables.Batch) error {
		if err := removeDeleted(ctx, b, owners); err != nil {
			return err
		}
		states, err := e.existing(ctx, b, tokenTables, owners)
		if err != nil {
			return err
		}
		for _, t := range byPreference(page) {
			if t.Expired(e.Clock()) {
				e.report.Tokens.Expired++
				continue
			}
			result, table, digest := e.exportToken(ctx, b, states, t, owners[t.UserID], linked[string(t.Digest)])
			if digest != nil {
				exported[table] = append(exported[table], digest)
				if result.Outcome == transfer.ImportAdded {
					added[table] = append(added[table], digest)
				}
				if formOf, ok := e.newForm(states, table, t); ok {
					formed = append(formed, formOf)
				}
			}
			e.report.count(&e.report.Tokens, fmt.Sprintf("a token of user %d, issued %s", t.UserID, t.CreatedAt.Format("2006-01-02 15:04:05")), result)
		}
		// Before they are there: a logout here would not be known to be theirs.
		if err := e.from.KeepForms(ctx, formed); err != nil {
			return err
		}
		return e.note(ctx, transfer.NotedExport{Tokens: added})
	})
	if err != nil {
		e.settleFailed(ctx)
		return fmt.Errorf("write tokens: %w", err)
	}
	return e.from.MarkExported(ctx, e.place, nil, exported)
}

// byPreference sorts each user's tokens: reusable ones, which a login returns again,
// come first, then the newest. If a user can have only one token, it is the first.
func byPreference(page []core.Token) []core.Token {
	sorted := slices.Clone(page)
	slices.SortStableFunc(sorted, func(a, b core.Token) int {
		switch {
		case a.UserID != b.UserID:
			return int(a.UserID - b.UserID)
		case a.Reusable != b.Reusable && a.Reusable:
			return -1
		case a.Reusable != b.Reusable:
			return 1
		}
		return b.CreatedAt.Compare(a.CreatedAt)
	})
	return sorted
}

// owners returns the keys in the target of a page's users, for those who were exported
// to it or imported from it.
func (e *exporter) owners(ctx context.Context, page []core.Token) (map[int64]string, error) {
	var ids []int64
	for _, t := range page {
		if len(ids) == 0 || ids[len(ids)-1] != t.UserID {
			ids = append(ids, t.UserID)
		}
	}
	links, err := e.from.LinkedFingerprints(ctx, e.place.Source, ids)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	owners := make(map[int64]string, len(links))
	for _, l := range links {
		if !l.Former() && !e.replaced[l.UserID] {
			owners[l.UserID] = l.Key
		}
	}
	return owners, nil
}

// linked returns the digests of those of a page's tokens that were in the target's tables when they were last imported
// or exported, and of those that have ended here since the page was read: by a logout, or by an import, which ends what was
// ended there.
func (e *exporter) linked(ctx context.Context, tokenTables []tables.TokenTable, page []core.Token) (map[string]bool, error) {
	var names []string
	for _, t := range tokenTables {
		names = append(names, t.Name)
	}
	digests := make([]core.Digest, len(page))
	linked := make(map[string]bool, len(page))
	for i, t := range page {
		digests[i], linked[string(t.Digest)] = t.Digest, true
	}
	unlinked, err := e.from.UnlinkedTokens(ctx, e.place.Source, names, digests)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	for _, d := range unlinked {
		delete(linked, string(d))
	}
	return linked, nil
}

// newForm returns the token with its form in the table that it is exported to, if that is knox's and was made from
// the token's text: the store has to know it by that too.
func (e *exporter) newForm(states []tableState, table string, t core.Token) (core.Token, bool) {
	for _, r := range states {
		if r.table.Name != table || r.table.Format == core.Authtoken || t.Legacy.Format == r.table.Format {
			continue
		}
		if form, _, err := e.form(r.table.Format, t); err == nil {
			t.Legacy = form.Legacy
			return t, true
		}
	}
	return t, false
}

// removeDeleted removes the keys of users who were deleted in the target. Without a
// foreign key there, a token of theirs would belong to whoever gets the key next.
func removeDeleted(ctx context.Context, b *tables.Batch, owners map[int64]string) error {
	accounts, err := b.Accounts(ctx, slices.Sorted(maps.Values(owners)), nil)
	if err != nil {
		return err
	}
	there := make(map[string]bool, len(accounts))
	for _, u := range accounts {
		there[u.Key] = true
	}
	maps.DeleteFunc(owners, func(_ int64, key string) bool { return !there[key] })
	return nil
}

// tableState is a token table of the target with the tokens in it that belong to the
// users of a page.
type tableState struct {
	table   tables.TokenTable
	byID    map[string]tables.ExistingToken // by the engine's digest
	byOwner map[string]int
}

// existing reads the target's tokens of a page's users.
func (e *exporter) existing(ctx context.Context, b *tables.Batch, tokenTables []tables.TokenTable, owners map[int64]string) ([]tableState, error) {
	keys := slices.Sorted(maps.Values(owners))
	var states []tableState
	for _, table := range tokenTables {
		r := tableState{table: table, byID: map[string]tables.ExistingToken{}, byOwner: map[string]int{}}
		kept, err := b.TokensOf(ctx, table, keys)
		if err != nil {
			return nil, err
		}
		for _, k := range kept {
			r.byID[string(k.ID)] = k
			r.byOwner[k.Owner]++
		}
		states = append(states, r)
	}
	return states, nil
}

// exportToken writes one token into the table for its format. It returns the table and
// the digest that identifies the token in that format. A token that was there before, as linked says, and no longer is, was
// ended there, such as by a logout: it stays so.
func (e *exporter) exportToken(ctx context.Context, b *tables.Batch, states []tableState, t core.Token, owner string, linked bool) (transfer.ImportResult, string, core.Digest) {
	refused := func(reason string) (transfer.ImportResult, string, core.Digest) {
		return transfer.ImportResult{Outcome: transfer.ImportRefused, Reason: reason}, "", nil
	}
	if owner == "" {
		return refused("its user was not handed over, or was deleted there")
	}
	var why error
	looked := false // without its form, nobody knows whether it is there
	for _, r := range states {
		_, id, err := e.form(r.table.Format, t)
		looked = looked || err == nil
		if k, ok := r.byID[string(id)]; ok && err == nil {
			if !t.ExpiresAt.IsZero() && t.ExpiresAt.After(k.Expires) && !k.Expires.IsZero() {
				if err := b.ExtendToken(ctx, r.table, k, t.ExpiresAt); err != nil {
					return refused(err.Error())
				}
				return transfer.ImportResult{Outcome: transfer.ImportUpdated}, r.table.Name, id
			}
			return transfer.ImportResult{Outcome: transfer.ImportUnchanged}, r.table.Name, id
		}
	}
	if linked && looked {
		return transfer.ImportResult{Outcome: transfer.ImportKept}, "", nil
	}
	for _, r := range states {
		form, id, err := e.form(r.table.Format, t)
		if err != nil {
			why = err
			continue
		}
		form.Owner = owner
		if !r.table.Many && r.byOwner[owner] > 0 {
			why = errors.New("a user has one token there, and this one has another already")
			continue
		}
		if err := b.PutToken(ctx, r.table, form); err != nil {
			why = err
			continue
		}
		r.byID[string(id)] = tables.ExistingToken{Token: form, ID: id}
		r.byOwner[owner]++
		return transfer.ImportResult{Outcome: transfer.ImportAdded}, r.table.Name, id
	}
	return refused(why.Error())
}

// form converts a token to a legacy format, and returns it with the digest that
// identifies it there. It uses the stored digest, or else the token's text.
func (e *exporter) form(g core.LegacyFormat, t core.Token) (tables.Token, core.Digest, error) {
	form := tables.Token{UserID: t.UserID, CreatedAt: t.CreatedAt, Expires: t.ExpiresAt}
	if g != core.Authtoken && t.Legacy.Format == g {
		form.Legacy, form.Digest = t.Legacy, t.Legacy.Digest
		if len(form.Digest) == 0 {
			form.Digest = t.Digest
		}
		return form, form.Digest, nil
	}
	if len(t.Sealed) == 0 {
		return form, nil, fmt.Errorf("its form there is not known: the profile that issued it has to have legacy_format: %s", g)
	}
	text, err := e.Sealer.Open(t.SealKey, t.UserID, t.Digest, t.Sealed)
	if err != nil {
		return form, nil, err
	}
	if g == core.Authtoken {
		form.Text = text
		return form, t.Digest, nil
	}
	// Each token has a salt of its own, which is the same in every export.
	if form.Legacy, err = core.NewLegacy(g, saltOf(t.Digest), text); err != nil {
		return form, nil, err
	}
	form.Digest = form.Legacy.Digest
	return form, form.Digest, nil
}

// saltOf derives a salt from a digest.
func saltOf(d core.Digest) *bytes.Reader { return bytes.NewReader(d) }
