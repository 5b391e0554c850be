package moving

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/store/django"
)

// users takes over the users.
func (i *importer) users(ctx context.Context, t django.Table) error {
	var (
		batch []core.Account
		where []string
		r     = i.report
	)
	take := func(row django.Row) {
		r.Users.Read++
		account, err := i.Decoder.Account(row)
		if err != nil {
			r.count(&r.Users, row.Where, core.ImportResult{Outcome: core.ImportRefused, Reason: err.Error()})
			return
		}
		if !i.recent(row, account.CreatedAt) {
			return
		}
		format, problem := passwordFormat(account.PasswordHash)
		r.Formats[format]++
		if problem != "" {
			r.problem(row.Where, problem)
		}
		batch, where = append(batch, account), append(where, row.Where)
	}
	return i.read(ctx, t, take, func(at string) error {
		i.place.Reached = at
		results, err := i.to.ImportUsers(ctx, i.place, batch)
		if err != nil {
			return fmt.Errorf("import users: %w", err)
		}
		for n, result := range results {
			r.count(&r.Users, where[n], result)
		}
		batch, where = batch[:0], where[:0]
		return nil
	})
}

// recent tells whether a user is to be read with Since: who joined, or logged
// in, since then.
func (i *importer) recent(row django.Row, created time.Time) bool {
	if i.Since.IsZero() || !created.Before(i.Since) {
		return true
	}
	login, ok := i.Decoder.LastLogin(row)
	return ok && !login.Before(i.Since)
}

// passwordFormat names the format of a password, and why no login will work
// with it, if that is so.
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

// tokens takes over the tokens of a table.
func (i *importer) tokens(ctx context.Context, t django.TokenTable) error {
	var (
		batch  []core.Token
		where  []string
		r      = i.report
		counts = r.Tokens[t.Name]
	)
	refuse := func(row django.Row, err error) {
		r.count(&counts, row.Where, core.ImportResult{Outcome: core.ImportRefused, Reason: err.Error()})
	}
	var failed error
	take := func(row django.Row) {
		counts.Read++
		older, err := i.Decoder.Token(t, row)
		if err != nil {
			refuse(row, err)
			return
		}
		if !i.Since.IsZero() && older.CreatedAt.Before(i.Since) {
			return
		}
		token, err := i.token(ctx, older)
		switch {
		case errors.Is(err, core.ErrNotFound):
			refuse(row, errors.New("its user was not taken over"))
		case err != nil:
			failed = err
		default:
			batch, where = append(batch, token), append(where, row.Where)
		}
	}
	err := i.read(ctx, t.Table, take, func(at string) error {
		if failed != nil {
			return failed
		}
		i.place.Reached = at
		results, err := i.to.ImportTokens(ctx, i.place, batch)
		if err != nil {
			return fmt.Errorf("import tokens: %w", err)
		}
		for n, result := range results {
			r.count(&counts, where[n], result)
		}
		batch, where = batch[:0], where[:0]
		return nil
	})
	r.Tokens[t.Name] = counts
	return err
}

// token gives an older server's token as the engine keeps it.
func (i *importer) token(ctx context.Context, older django.Token) (core.Token, error) {
	t := core.Token{
		UserID: older.UserID, Digest: older.Digest, Legacy: older.Legacy,
		Realm: i.Policy.Realm, Issuer: i.Policy.Issuer,
		CreatedAt: older.CreatedAt, ExpiresAt: older.Expires,
	}
	switch {
	case older.Username != "" && i.DryRun:
		t.UserID = 1 // whoever it will be
	case older.Username != "":
		account, err := i.to.Account(ctx, older.Username)
		if err != nil {
			return t, err
		}
		t.UserID = account.ID
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

// seal keeps a token's text sealed: to be shown again where the profile does so,
// and to be handed back by an export.
func (i *importer) seal(t *core.Token, text string) (err error) {
	t.Digest = core.Presented(text).SHA256()
	if i.Sealer.KeyID() == "" {
		i.report.Unsealed++
		return nil
	}
	t.SealKey, t.Reusable = i.Sealer.KeyID(), i.Policy.Reuse
	if t.Sealed, err = i.Sealer.Seal(i.Random, t.UserID, t.Digest, text); err != nil {
		return fmt.Errorf("seal token: %w", err)
	}
	return nil
}
