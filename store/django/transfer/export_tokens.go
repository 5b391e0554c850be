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
	"github.com/authcompat/authcompat/store/django"
)

// tokens hands over the live tokens, user by user.
func (e *exporter) tokens(ctx context.Context) error {
	tables := e.to.Shape().Tokens
	if len(tables) == 0 {
		e.report.problem("tokens", "the target has no table of tokens: users alone were handed over")
		return nil
	}
	return eachUser(ctx, e.from, e.Realm, func(page []core.Token) error {
		e.report.Tokens.Read += len(page)
		e.progress("tokens", e.report.Tokens.Read)
		return e.tokenPage(ctx, tables, page)
	})
}

// problem lists a row with its reason.
func (r *ExportReport) problem(row, reason string) {
	r.count(&Counts{}, row, transfer.ImportResult{Outcome: transfer.ImportRefused, Reason: reason})
}

// eachUser gives the tokens of the realm in pages that never part the tokens of
// one user.
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

// tokenPage hands over the tokens of some users.
func (e *exporter) tokenPage(ctx context.Context, tables []django.TokenTable, page []core.Token) error {
	handed := map[string][]core.Digest{}
	owners, err := e.owners(ctx, page)
	if err != nil {
		return err
	}
	err = e.to.Write(ctx, func(b *django.Batch) error {
		if err := forget(ctx, b, owners); err != nil {
			return err
		}
		there, err := e.there(ctx, b, tables, owners)
		if err != nil {
			return err
		}
		for _, t := range bestFirst(page) {
			if t.Expired(e.Clock()) {
				e.report.Tokens.Expired++
				continue
			}
			result, table, digest := e.hand(ctx, b, there, t, owners[t.UserID])
			if digest != nil {
				handed[table] = append(handed[table], digest)
			}
			e.report.count(&e.report.Tokens, fmt.Sprintf("a token of user %d, issued %s", t.UserID, t.CreatedAt.Format("2006-01-02 15:04:05")), result)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	return e.from.MarkExported(ctx, e.place, nil, handed)
}

// bestFirst puts those first that are shown again at login, then the newest:
// where a user can have one token only, it is the first.
func bestFirst(page []core.Token) []core.Token {
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

// owners gives the keys in the target of the users of a page, for those who were
// handed over or came from there.
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

// forget leaves out the keys of users who were deleted in the target: without a
// foreign key there a token of theirs would be whoever's gets the key next.
func forget(ctx context.Context, b *django.Batch, owners map[int64]string) error {
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

// room is a table of the target with the tokens that users of a page have there.
type room struct {
	table   django.TokenTable
	byID    map[string]django.Kept // by the engine's digest
	byOwner map[string]int
}

// there reads what the users of a page have in the target.
func (e *exporter) there(ctx context.Context, b *django.Batch, tables []django.TokenTable, owners map[int64]string) ([]room, error) {
	keys := slices.Sorted(maps.Values(owners))
	var rooms []room
	for _, table := range tables {
		r := room{table: table, byID: map[string]django.Kept{}, byOwner: map[string]int{}}
		kept, err := b.TokensOf(ctx, table, keys)
		if err != nil {
			return nil, err
		}
		for _, k := range kept {
			r.byID[string(k.ID)] = k
			r.byOwner[k.Owner]++
		}
		rooms = append(rooms, r)
	}
	return rooms, nil
}

// hand writes one token into the table whose form it has, and gives what names
// it in that form.
func (e *exporter) hand(ctx context.Context, b *django.Batch, rooms []room, t core.Token, owner string) (transfer.ImportResult, string, core.Digest) {
	refused := func(reason string) (transfer.ImportResult, string, core.Digest) {
		return transfer.ImportResult{Outcome: transfer.ImportRefused, Reason: reason}, "", nil
	}
	if owner == "" {
		return refused("its user was not handed over, or was deleted there")
	}
	var why error
	for _, r := range rooms {
		_, id, err := e.form(r.table.Generation, t)
		if k, ok := r.byID[string(id)]; ok && err == nil {
			if !t.ExpiresAt.IsZero() && t.ExpiresAt.After(k.Expires) && !k.Expires.IsZero() {
				if err := b.MoveToken(ctx, r.table, k, t.ExpiresAt); err != nil {
					return refused(err.Error())
				}
				return transfer.ImportResult{Outcome: transfer.ImportUpdated}, r.table.Name, id
			}
			return transfer.ImportResult{Outcome: transfer.ImportUnchanged}, r.table.Name, id
		}
	}
	for _, r := range rooms {
		form, id, err := e.form(r.table.Generation, t)
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
		r.byID[string(id)] = django.Kept{Token: form, ID: id}
		r.byOwner[owner]++
		return transfer.ImportResult{Outcome: transfer.ImportAdded}, r.table.Name, id
	}
	return refused(why.Error())
}

// form gives a token as a generation keeps it, and what names it there: from the
// form that is kept, else from its text.
func (e *exporter) form(g core.LegacyFormat, t core.Token) (django.Token, core.Digest, error) {
	form := django.Token{UserID: t.UserID, CreatedAt: t.CreatedAt, Expires: t.ExpiresAt}
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
	text, err := e.Sealer.Open(t)
	if err != nil {
		return form, nil, err
	}
	if g == core.Authtoken {
		form.Text = text
		return form, t.Digest, nil
	}
	// A salt of its own for each token, and the same at each export.
	if form.Legacy, err = core.NewLegacy(g, saltOf(t.Digest), text); err != nil {
		return form, nil, err
	}
	form.Digest = form.Legacy.Digest
	return form, form.Digest, nil
}

// saltOf draws a salt from a digest.
func saltOf(d core.Digest) *bytes.Reader { return bytes.NewReader(d) }
