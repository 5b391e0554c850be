package transfer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
)

// users imports the users: first those who keep their IDs, so that no other user is
// assigned one of these; then those whose ID is invalid here or taken by another user.
func (i *importer) users(ctx context.Context, t tables.Table) error {
	i.unsure = map[string]bool{}
	i.left = map[string]bool{}
	if err := i.userPass(ctx, t, false); err != nil || len(i.left) == 0 {
		return err
	}
	read := i.report.Users.Read
	i.place.Cursor = ""
	err := i.userPass(ctx, t, true)
	i.report.Users.Read = read // the second pass has counted rows twice
	return err
}

// userRow is a user row as read.
type userRow struct {
	transfer.ImportedUser
	err    error // why the row is not a valid user
	where  string
	recent bool // whether the row is to be imported with Since
	passwordReport
}

// passwordReport is what the report says about a password.
type passwordReport struct {
	format  string
	problem string // why no login will succeed with it, if so
}

// userPass imports users: in the first pass all but those who are left for the last
// one.
func (i *importer) userPass(ctx context.Context, t tables.Table, last bool) error {
	r := i.report
	var batch []transfer.ImportedUser
	var sent []*userRow
	return readTable(ctx, i, t, i.prepareUsers, func(at string, rows []userRow) error {
		batch, sent = batch[:0], sent[:0]
		for n, row := range rows {
			user := row.ImportedUser
			r.Users.Read++
			switch {
			case last && (row.err != nil || !i.left[user.Key]):
				continue
			case row.err != nil && user.Key == "":
				r.count(&r.Users, row.where, transfer.ImportResult{Outcome: transfer.ImportRefused, Reason: user.Refused})
				continue
			case row.err == nil && !last && user.ID == 0 && user.Key != transfer.NaturalKey(user.Username) && i.decoder.Mapping.Numbered:
				i.left[user.Key] = true
				continue
			}
			if last {
				user.ID = 0
			}
			if row.recent {
				batch, sent = append(batch, user), append(sent, &rows[n])
			}
		}
		return i.userBatch(ctx, at, batch, sent)
	})
}

// prepareUsers decodes users.
func (i *importer) prepareUsers(_ context.Context, rows []tables.Row) ([]userRow, error) {
	users := make([]userRow, len(rows))
	for n, row := range rows {
		user, err := i.decoder.User(row)
		if err != nil {
			user.Refused = err.Error()
			users[n] = userRow{ImportedUser: user, err: err, where: row.Where, recent: true}
			continue
		}
		user.Fingerprint = transfer.UserFingerprint(user.Account)
		users[n] = userRow{user, nil, row.Where, i.recent(row, user.CreatedAt), reportPassword(user.PasswordHash)}
	}
	return users, nil
}

// userBatch imports a batch of users, read from these rows.
func (i *importer) userBatch(ctx context.Context, at string, batch []transfer.ImportedUser, rows []*userRow) error {
	i.place.Cursor = at
	if len(i.left) > 0 {
		i.place.Cursor = "" // a resumed run has to determine left again
	}
	results, err := i.to.ImportUsers(ctx, i.place, batch)
	if err != nil {
		return fmt.Errorf("import users: %w", err)
	}
	if i.place.Cursor != "" && !i.from.Shape().ByName {
		i.report.Resumable = i.report.Users.Read
	}
	for n, result := range results {
		if result.Outcome == transfer.ImportIDTaken {
			i.left[batch[n].Key] = true
			if result.Reason != "" {
				i.report.problem(rows[n].where, result.Reason)
			}
			continue
		}
		i.countUser(rows[n], result)
	}
	if i.from.Shape().ByName {
		return i.doubt(ctx, batch, results)
	}
	return nil
}

// countUser adds a user to the report.
func (i *importer) countUser(u *userRow, result transfer.ImportResult) {
	if u.Refused != "" {
		i.report.count(&i.report.Users, u.where, result)
		return
	}
	i.report.Formats[u.format]++
	if u.problem != "" {
		i.report.problem(u.where, u.problem)
	}
	if result.Outcome == transfer.ImportAdded && i.left[u.Key] {
		i.report.Renumbered++
	}
	i.report.count(&i.report.Users, u.where, result)
}

// doubt collects the names of users who do not have them here: a token that refers to
// its user by such a name could go to another user.
func (i *importer) doubt(ctx context.Context, batch []transfer.ImportedUser, results []transfer.ImportResult) error {
	var keys []string
	for n, result := range results {
		switch result.Outcome {
		case transfer.ImportRefused:
			i.unsure[batch[n].Username] = true
		case transfer.ImportKept:
			keys = append(keys, batch[n].Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	byKey, _, err := i.to.ImportOwners(ctx, i.place.Source, keys, nil)
	if err != nil {
		return fmt.Errorf("look for users: %w", err)
	}
	for n, result := range results {
		if u := batch[n]; result.Outcome == transfer.ImportKept && byKey[u.Key].Username != u.Username {
			i.unsure[u.Username] = true
		}
	}
	return nil
}

// recent reports whether a user is to be imported with Since: one who joined or last
// logged in since then.
func (i *importer) recent(row tables.Row, created time.Time) bool {
	if i.Since.IsZero() || !created.Before(i.Since) {
		return true
	}
	login, ok := i.decoder.LastLogin(row)
	return ok && !login.Before(i.Since)
}

func reportPassword(encoded string) passwordReport {
	cost, err := password.CostOf(encoded)
	var unsupported *password.UnsupportedError
	switch {
	case err == nil:
		return passwordReport{string(cost.Format()), ""}
	case encoded == "":
		return passwordReport{"empty", "it has no password: no login will work, as in Django"}
	case errors.Is(err, password.ErrUnusable):
		return passwordReport{"unusable", ""}
	case errors.As(err, &unsupported):
		return passwordReport{"unsupported", "its password can't be verified (" + err.Error() + "): it has to be set anew"}
	}
	return passwordReport{"malformed", "its password can't be verified (" + err.Error() + "): no login will work"}
}

// tokenRow is a token row as read.
type tokenRow struct {
	tables.Token
	err   error // why the row is not a valid token
	where string
}

// tokens imports the tokens of a table.
func (i *importer) tokens(ctx context.Context, t tables.TokenTable) (err error) {
	if i.keysAreIDs, err = i.to.KeysAreIDs(ctx, i.place.Source); err != nil {
		return fmt.Errorf("look for users: %w", err)
	}
	counts := i.report.Tokens[t.Name]
	i.twins = t.Own && !t.Table.Distinct("key")
	prepare := func(ctx context.Context, rows []tables.Row) (tokenBatch, error) { return i.prepareTokens(ctx, t, rows) }
	err = readTable(ctx, i, t.Table, prepare, func(at string, batch tokenBatch) error {
		i.place.Cursor = at
		counts.Read += batch.read
		return i.importTokens(ctx, batch, &counts)
	})
	i.report.Tokens[t.Name] = counts
	return err
}

// tokenBatch is a batch of tokens for the store: those whose users were imported from
// this source.
type tokenBatch struct {
	rows   []tokenRow
	tokens []transfer.ImportedToken // of the rows that are not refused, in their order
	read   int                      // rows that are not to be imported with Since count as well
	// refused are the outcomes of rows that the store does not get, by index into rows.
	refused map[int]transfer.ImportResult
}

// prepareTokens decodes tokens, finds their owners and seals them.
func (i *importer) prepareTokens(ctx context.Context, t tables.TokenTable, rows []tables.Row) (tokenBatch, error) {
	b := tokenBatch{
		rows: make([]tokenRow, 0, len(rows)), tokens: make([]transfer.ImportedToken, 0, len(rows)), read: len(rows),
		refused: map[int]transfer.ImportResult{},
	}
	for _, row := range rows {
		older, err := i.decoder.Token(t, row)
		if t.Undated() {
			older.CreatedAt = i.place.Now // the first run that sees it; later ones leave it
		}
		if err != nil || i.Since.IsZero() || !older.CreatedAt.Before(i.Since) {
			b.rows = append(b.rows, tokenRow{older, err, row.Where})
		}
	}
	owner, err := i.owners(ctx, b.rows)
	if err != nil {
		return b, err
	}
	refuse := func(n int, reason string) {
		b.refused[n] = transfer.ImportResult{Outcome: transfer.ImportRefused, Reason: reason}
	}
	for n, row := range b.rows {
		if row.err != nil {
			refuse(n, row.err.Error())
			continue
		}
		user, ok := owner(row.Token)
		switch {
		case ok && i.refused[row.Text]:
			refuse(n, "another user, who was not taken over, has the same token")
			continue
		case !ok && row.Text != "" && i.twins:
			i.refused[row.Text] = true
			fallthrough
		case !ok:
			refuse(n, transfer.UserNotImported)
			continue
		}
		token, err := i.token(row.Token, user.ID)
		if err != nil {
			return b, err
		}
		b.tokens = append(b.tokens, transfer.ImportedToken{Owner: user.Key, Token: token, Undated: t.Undated() && row.Expires.IsZero()})
	}
	return b, nil
}

// importTokens imports a batch of tokens.
func (i *importer) importTokens(ctx context.Context, b tokenBatch, counts *Counts) error {
	results, err := i.to.ImportTokens(ctx, i.place, b.tokens)
	if err != nil {
		return fmt.Errorf("import tokens: %w", err)
	}
	next := 0 // of the results, which are in the order of the rows
	for n, row := range b.rows {
		outcome, refused := b.refused[n]
		if !refused {
			outcome = results[next]
			works := outcome.Outcome == transfer.ImportAdded || outcome.Outcome == transfer.ImportUpdated || outcome.Outcome == transfer.ImportUnchanged
			if row.Text != "" && len(b.tokens[next].Sealed) == 0 && works {
				i.report.Unsealed++
			}
			next++
		}
		i.report.count(counts, row.where, outcome)
	}
	return nil
}

// owners finds the users of the tokens. If keys are IDs, the store checks that the
// users exist when it imports the tokens.
func (i *importer) owners(ctx context.Context, rows []tokenRow) (func(tables.Token) (transfer.ImportedUser, bool), error) {
	byID := i.keysAreIDs && !i.twins
	var keys, names []string
	for _, t := range rows {
		switch {
		case t.err != nil: // it has none
		case t.Username != "":
			names = append(names, i.named(t.Username))
		case !byID:
			keys = append(keys, t.Owner)
		}
	}
	byKey, byName := map[string]transfer.ImportedUser{}, map[string]transfer.ImportedUser{}
	if len(keys)+len(names) > 0 {
		var err error
		if byKey, byName, err = i.to.ImportOwners(ctx, i.place.Source, keys, names); err != nil {
			return nil, fmt.Errorf("look for users: %w", err)
		}
	}
	return func(t tables.Token) (u transfer.ImportedUser, ok bool) {
		if t.Username == "" && byID {
			id, err := strconv.ParseInt(t.Owner, 10, 64)
			u.Key, u.ID = t.Owner, id
			return u, err == nil && id > 0 && strconv.FormatInt(id, 10) == t.Owner
		}
		if t.Username == "" {
			u, ok = byKey[t.Owner]
			return u, ok
		}
		name := i.named(t.Username)
		u, ok = byName[name]
		return u, ok && !i.unsure[name]
	}, nil
}

// named returns a username as it was imported.
func (i *importer) named(username string) string { return i.decoder.Mapping.Named(username) }

// token converts an older server's token of a user to the engine's.
func (i *importer) token(older tables.Token, userID int64) (core.Token, error) {
	t := core.Token{
		UserID: userID, Digest: older.Digest, Legacy: older.Legacy,
		Realm: i.Policy.Realm, Issuer: i.Policy.Issuer,
		CreatedAt: older.CreatedAt, ExpiresAt: older.Expires,
	}
	if older.Text != "" {
		if err := i.seal(&t, older.Text); err != nil {
			return t, err
		}
		if i.Policy.TTL > 0 && t.ExpiresAt.IsZero() {
			t.ExpiresAt = t.CreatedAt.Add(i.Policy.TTL)
		}
	}
	if i.Policy.Sliding && !t.ExpiresAt.IsZero() {
		t.Sliding = i.Policy.TTL
	}
	return t, nil
}

// seal seals a token's text, so that a login can return it again if the profile says
// so, and an export can write it.
func (i *importer) seal(t *core.Token, text string) (err error) {
	t.Digest = core.Presented(text).SHA256()
	if i.Sealer.KeyID() == "" {
		return nil // reported once the token is known to be imported
	}
	t.SealKey, t.Reusable = i.Sealer.KeyID(), i.Policy.Reuse
	if t.Sealed, err = i.Sealer.Seal(i.Random, t.UserID, t.Digest, text); err != nil {
		return fmt.Errorf("seal token: %w", err)
	}
	return nil
}
