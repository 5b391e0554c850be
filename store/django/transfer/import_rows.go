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
}

// userPass imports users: in the first pass all but those who are left for the last
// one.
func (i *importer) userPass(ctx context.Context, t tables.Table, last bool) error {
	r := i.report
	decode := func(row tables.Row) userRow {
		user, err := i.decoder.User(row)
		if err == nil {
			user.Fingerprint = transfer.UserFingerprint(user.Account)
		} else {
			user.Refused = err.Error()
		}
		return userRow{user, err, row.Where, err != nil || i.recent(row, user.CreatedAt)}
	}
	var batch []transfer.ImportedUser
	var where []string
	return readTable(ctx, i, t, decode, func(at string, rows []userRow) error {
		batch, where = batch[:0], where[:0]
		for _, row := range rows {
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
				batch, where = append(batch, user), append(where, row.where)
			}
		}
		return i.userBatch(ctx, at, batch, where)
	})
}

// userBatch imports a batch of users.
func (i *importer) userBatch(ctx context.Context, at string, batch []transfer.ImportedUser, where []string) error {
	i.place.Cursor = at
	if len(i.left) > 0 {
		i.place.Cursor = "" // a resumed run has to determine left again
	}
	results, err := i.to.ImportUsers(ctx, i.place, batch)
	if err != nil {
		return fmt.Errorf("import users: %w", err)
	}
	for n, result := range results {
		if result.Outcome == transfer.ImportIDTaken {
			i.left[batch[n].Key] = true
			if result.Reason != "" {
				i.report.problem(where[n], result.Reason)
			}
			continue
		}
		i.countUser(batch[n], where[n], result)
	}
	if i.from.Shape().ByName {
		return i.doubt(ctx, batch, results)
	}
	return nil
}

// countUser adds a user to the report.
func (i *importer) countUser(u transfer.ImportedUser, where string, result transfer.ImportResult) {
	if u.Refused != "" {
		i.report.count(&i.report.Users, where, result)
		return
	}
	format, problem := passwordFormat(u.PasswordHash)
	i.report.Formats[format]++
	if problem != "" {
		i.report.problem(where, problem)
	}
	if result.Outcome == transfer.ImportAdded && i.left[u.Key] {
		i.report.Renumbered++
	}
	i.report.count(&i.report.Users, where, result)
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

// passwordFormat returns the format of a password, and why no login will succeed with
// it, if so.
func passwordFormat(encoded string) (format, problem string) {
	cost, err := password.CostOf(encoded)
	var unsupported *password.UnsupportedError
	switch {
	case err == nil:
		return string(cost.Format()), ""
	case encoded == "":
		return "empty", "it has no password: no login will work, as in Django"
	case errors.Is(err, password.ErrUnusable):
		return "unusable", ""
	case errors.As(err, &unsupported):
		return "unsupported", "its password can't be verified (" + err.Error() + "): it has to be set anew"
	}
	return "malformed", "its password can't be verified (" + err.Error() + "): no login will work"
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
	decode := func(row tables.Row) tokenRow {
		older, err := i.decoder.Token(t, row)
		return tokenRow{older, err, row.Where}
	}
	var batch []tables.Token
	var where []string
	err = readTable(ctx, i, t.Table, decode, func(at string, rows []tokenRow) error {
		batch, where = batch[:0], where[:0]
		for _, row := range rows {
			counts.Read++
			if row.err != nil {
				i.report.count(&counts, row.where, transfer.ImportResult{Outcome: transfer.ImportRefused, Reason: row.err.Error()})
				continue
			}
			if i.Since.IsZero() || !row.CreatedAt.Before(i.Since) {
				batch, where = append(batch, row.Token), append(where, row.where)
			}
		}
		i.place.Cursor = at
		return i.tokenBatch(ctx, batch, where, &counts)
	})
	i.report.Tokens[t.Name] = counts
	return err
}

// tokenBatch imports a batch of tokens: those whose users were imported from this
// source.
func (i *importer) tokenBatch(ctx context.Context, batch []tables.Token, where []string, counts *Counts) error {
	owner, err := i.owners(ctx, batch)
	if err != nil {
		return err
	}
	tokens, rows := make([]transfer.ImportedToken, 0, len(batch)), make([]int, 0, len(batch))
	outcomes := make([]transfer.ImportResult, len(batch)) // in the order of the rows, for the report
	for n, older := range batch {
		user, ok := owner(older)
		if ok && i.refused[older.Text] {
			outcomes[n] = transfer.ImportResult{Outcome: transfer.ImportRefused, Reason: "another user, who was not taken over, has the same token"}
			continue
		}
		if !ok {
			if older.Text != "" && i.twins {
				i.refused[older.Text] = true
			}
			outcomes[n] = transfer.ImportResult{Outcome: transfer.ImportRefused, Reason: transfer.UserNotImported}
			continue
		}
		token, err := i.token(older, user.ID)
		if err != nil {
			return err
		}
		tokens, rows = append(tokens, transfer.ImportedToken{Owner: user.Key, Token: token}), append(rows, n)
	}
	results, err := i.to.ImportTokens(ctx, i.place, tokens)
	if err != nil {
		return fmt.Errorf("import tokens: %w", err)
	}
	for n, result := range results {
		row := rows[n]
		outcomes[row] = result
		works := result.Outcome == transfer.ImportAdded || result.Outcome == transfer.ImportUpdated || result.Outcome == transfer.ImportUnchanged
		if batch[row].Text != "" && len(tokens[n].Sealed) == 0 && works {
			i.report.Unsealed++
		}
	}
	for n, outcome := range outcomes {
		i.report.count(counts, where[n], outcome)
	}
	return nil
}

// owners finds the users of the tokens. If keys are IDs, the store checks that the
// users exist when it imports the tokens.
func (i *importer) owners(ctx context.Context, batch []tables.Token) (func(tables.Token) (transfer.ImportedUser, bool), error) {
	byID := i.keysAreIDs && !i.twins
	var keys, names []string
	for _, t := range batch {
		switch {
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
