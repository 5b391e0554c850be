package transfer

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
)

// Source is the store that users and tokens are exported from.
type Source interface {
	transfer.Importer
	transfer.Exporter
}

// ExportOptions are the settings of an export.
type ExportOptions struct {
	Realm string
	// Sealer opens tokens whose text is stored.
	Sealer sealing.Sealer
	Clock  core.Clock
	// Name, if not empty, replaces the target's identity. It is the name under which
	// users and tokens were imported from the target.
	Name string
	// DeleteUsers deletes in the target the users who were deleted here since they were imported or exported, unless they
	// have changed there since. Without it they are only reported.
	DeleteUsers bool
	Progress    func(table string, done, of int)
}

// ExportReport is the result of an export.
type ExportReport struct {
	Target   string    `json:"target"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Users    Counts    `json:"users"`
	Tokens   Counts    `json:"tokens"`
	// Dropped is the number of tokens deleted in the target because they were revoked
	// here.
	Dropped int `json:"tokens_removed"`
	// Deleted and Left are the numbers of users who were deleted here: those deleted in the target, and
	// those who are still there. The latter are among the problems, each with its reason.
	Deleted   int       `json:"users_deleted"`
	Left      int       `json:"users_left"`
	Problems  []Problem `json:"problems"`
	NotListed int       `json:"problems_not_listed"`
}

func (r *ExportReport) count(c *Counts, row string, result transfer.ImportResult) {
	list := Report{Problems: r.Problems, NotListed: r.NotListed}
	list.count(c, row, result)
	r.Problems, r.NotListed = list.Problems, list.NotListed
}

// exportPage is the number of users written at once. Databases limit the number of
// parameters of a statement.
const exportPage = 500

// Export writes to Django's tables the users that are new here, everything that changed
// here since it was imported or last exported, the later one of two last logins (which is no
// change of a user), and the live tokens; it deletes the
// tokens that were revoked here. Changes made in the target in the meantime are kept. A
// second run changes nothing.
func Export(ctx context.Context, from Source, to *tables.Target, o ExportOptions) (*ExportReport, error) {
	r := &ExportReport{Target: to.Identity(), Started: o.Clock().UTC(), Problems: []Problem{}}
	e := &exporter{ExportOptions: o, from: from, to: to, report: r, drawn: map[string]bool{}, replaced: map[int64]bool{}}
	err := e.run(ctx)
	r.Finished = o.Clock().UTC()
	return r, err
}

type exporter struct {
	ExportOptions
	from   Source
	to     *tables.Target
	place  transfer.Checkpoint
	report *ExportReport
	// drawn are the keys that the target assigned to users who could not keep their
	// own.
	drawn map[string]bool
	// replaced are users whose keys now belong to other users in the target.
	replaced map[int64]bool
}

func (e *exporter) run(ctx context.Context) (err error) {
	name := e.to.Identity()
	if e.Name != "" {
		name = e.Name
	}
	if e.place, err = e.from.BeginImport(ctx, name, ""); err != nil {
		return fmt.Errorf("begin export: %w", err)
	}
	if err := e.settle(ctx); err != nil {
		return fmt.Errorf("settle an export that was cut off: %w", err)
	}
	// Revoked tokens are deleted first: with Django REST framework a user has one token,
	// and a new one may have to replace an old one.
	for _, table := range e.to.Shape().Tokens {
		if err := e.deleteRevoked(ctx, table); err != nil {
			return err
		}
	}
	if err := e.deletions(ctx); err != nil { // their names are free then
		return err
	}
	if err := e.users(ctx); err != nil {
		return err
	}
	return e.tokens(ctx)
}

// progress reports the number of rows done; the total is unknown.
func (e *exporter) progress(table string, done int) {
	if e.Progress != nil {
		e.Progress(table, done, -1)
	}
}

// users exports the users.
func (e *exporter) users(ctx context.Context) error {
	return e.eachUserPage(ctx, func(page []core.Account) error { return e.userPage(ctx, page) })
}

// eachUserPage reads the users in pages and counts those that do exported.
func (e *exporter) eachUserPage(ctx context.Context, do func([]core.Account) error) error {
	after := int64(0)
	for {
		page, err := e.from.ExportUsers(ctx, after, exportPage)
		if err != nil {
			return fmt.Errorf("read users: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		after = page[len(page)-1].ID
		if err := do(page); err != nil {
			return err
		}
		e.report.Users.Read += len(page)
		e.progress("users", e.report.Users.Read)
	}
}

func (e *exporter) userPage(ctx context.Context, page []core.Account) error {
	users, links, err := e.keyed(ctx, page)
	if err != nil {
		return err
	}
	var linked []transfer.ImportedUser
	var noted []transfer.UserLink
	err = e.to.Write(ctx, func(b *tables.Batch) error {
		there, err := e.counterparts(ctx, b, users, links)
		if err != nil {
			return err
		}
		given, err := b.Given(ctx)
		if err != nil {
			return err
		}
		batch := transfer.NewUserBatch(e.place.Source, transfer.ImportFacts{Users: there.accounts, UserLinks: links}).Export()
		byUser := make(map[int64]transfer.UserLink, len(links))
		for _, l := range links {
			byUser[l.UserID] = l
		}
		for _, u := range users {
			if here, l := there.byID[u.ID], byUser[u.ID]; here != nil && l.Key != "" && l.Replaced(*here, u.Account) {
				e.replaced[u.ID] = true
				e.report.count(&e.report.Users, fmt.Sprintf("user %d", u.ID), transfer.ImportResult{Outcome: transfer.ImportKept, Reason: "was deleted in the target, where somebody else has its key now"})
				continue
			}
			merged := batch.Merge(u)
			if merged.Result.Outcome == transfer.ImportIDTaken { // another user has the ID in the target
				other := transfer.ImportedUser{Account: u.Account}
				other.ID = 0
				merged = batch.Merge(other)
				merged.ID = u.ID
			}
			if merged.Key == "" {
				merged.Key = e.to.KeyFor(u.ID)
			}
			if merged.Insert && (there.keys[merged.Key] || e.drawn[merged.Key] || u.ID <= given && merged.Key == e.to.KeyFor(u.ID)) {
				merged.Key = "" // the target assigns a key
			}
			if merged.Write || merged.Login {
				merged.Result, merged.Key = e.put(ctx, b, &merged, there)
			}
			if merged.Fingerprint != nil && merged.Result.Outcome != transfer.ImportRefused {
				batch.Add(merged)
				fingerprint := transfer.UserFingerprint(u.Account)
				// A link that is so already stays: an import may have gone on since it was read.
				if l := byUser[u.ID]; l.Key != merged.Key || !bytes.Equal(l.Fingerprint, fingerprint) {
					linked = append(linked, transfer.ImportedUser{Key: merged.Key, Account: u.Account})
				}
				if merged.Write {
					noted = append(noted, transfer.UserLink{UserID: u.ID, Key: merged.Key, Fingerprint: fingerprint})
				}
			}
			e.report.count(&e.report.Users, fmt.Sprintf("user %d", u.ID), merged.Result)
		}
		return e.note(ctx, transfer.NotedExport{Users: noted})
	})
	if err != nil {
		e.settleFailed(ctx)
		return fmt.Errorf("write users: %w", err)
	}
	return e.from.MarkExported(ctx, e.place, linked, nil)
}

// keyed returns the users with their keys in the target, and their links to it.
func (e *exporter) keyed(ctx context.Context, page []core.Account) ([]transfer.ImportedUser, []transfer.UserLink, error) {
	ids := make([]int64, len(page))
	for i, u := range page {
		ids[i] = u.ID
	}
	links, err := e.from.LinkedFingerprints(ctx, e.place.Source, ids)
	if err != nil {
		return nil, nil, fmt.Errorf("read links: %w", err)
	}
	keys := make(map[int64]string, len(links))
	for _, l := range links {
		keys[l.UserID] = l.Key
	}
	users := make([]transfer.ImportedUser, len(page))
	for i, u := range page {
		users[i] = transfer.ImportedUser{Key: keys[u.ID], Account: u} // without a link, the key is not in use yet
	}
	return users, links, nil
}

// counterpart holds users of the target under the engine's IDs: that of the linked
// user, or else their own.
type counterpart struct {
	accounts []core.Account
	byID     map[int64]*core.Account
	keys     map[string]bool
}

// counterparts reads the users of the target that have one of the users' keys or names.
func (e *exporter) counterparts(ctx context.Context, b *tables.Batch, users []transfer.ImportedUser, links []transfer.UserLink) (c counterpart, err error) {
	keys, names := make([]string, len(users)), make([]string, len(users))
	former := make(map[string]bool)
	for _, l := range links {
		former[l.Key] = l.Former()
	}
	for i, u := range users {
		switch names[i] = u.Username; {
		case u.Key == "":
			keys[i] = e.to.KeyFor(u.ID)
		case !former[u.Key]: // a former key is not in use in the target
			keys[i] = u.Key
		}
	}
	there, err := b.Accounts(ctx, keys, names)
	if err != nil {
		return c, err
	}
	c.keys = make(map[string]bool, len(there))
	linked := make(map[string]int64, len(links))
	taken := make(map[int64]bool, len(links))
	for _, l := range links {
		linked[l.Key], taken[l.UserID] = l.UserID, true
	}
	for n, u := range there {
		id, ok := linked[u.Key]
		switch {
		case ok:
			u.ID = id
		case u.ID <= 0 || taken[u.ID]:
			u.ID = -int64(n) - 1 // stands for any other user
		}
		c.accounts = append(c.accounts, u.Account)
		c.keys[u.Key] = true
	}
	c.byID = make(map[int64]*core.Account, len(c.accounts))
	for i := range c.accounts {
		c.byID[c.accounts[i].ID] = &c.accounts[i]
	}
	return c, nil
}

// put inserts or updates one user and returns the key.
func (e *exporter) put(ctx context.Context, b *tables.Batch, m *transfer.UserMerge, there counterpart) (transfer.ImportResult, string) {
	var old *core.Account
	if !m.Insert {
		old = there.byID[m.ID]
	}
	key, err := b.PutUser(ctx, m.ImportedUser, old)
	if err != nil {
		return transfer.ImportResult{Outcome: transfer.ImportRefused, Reason: err.Error()}, m.Key
	}
	if m.Key == "" {
		e.drawn[key] = true
	}
	return m.Result, key
}

// deleteRevoked deletes the tokens of a table that were revoked here.
func (e *exporter) deleteRevoked(ctx context.Context, table tables.TokenTable) error {
	var batch []tables.ExistingToken
	flush := func() error {
		digests := make([]core.Digest, len(batch))
		for i, k := range batch {
			digests[i] = k.ID
		}
		ended, err := e.from.RevokedAmong(ctx, digests, e.Clock())
		if err != nil {
			return fmt.Errorf("read ended tokens: %w", err)
		}
		over := make(map[string]bool, len(ended))
		for _, d := range ended {
			over[string(d)] = true
		}
		err = e.to.Write(ctx, func(b *tables.Batch) error {
			for _, k := range batch {
				if !over[string(k.ID)] {
					continue
				}
				if err := b.DeleteToken(ctx, table, k); err != nil {
					return err
				}
				e.report.Dropped++
			}
			return nil
		})
		batch = batch[:0]
		if err != nil {
			return fmt.Errorf("remove tokens: %w", err)
		}
		return nil
	}
	err := e.to.EachToken(ctx, table, func(k tables.ExistingToken) error {
		if batch = append(batch, k); len(batch) < exportPage {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
