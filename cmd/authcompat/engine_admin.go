package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/authcompat/authcompat/core"
)

// pageSize is how many rows are read at a time.
const pageSize = 500

// user finds the user whom a command names.
func (e *engine) user(ctx context.Context, name string) (core.User, error) {
	u, err := e.User(ctx, name)
	if err != nil && core.KindOf(err) == core.KindUserUnknown {
		return core.User{}, fmt.Errorf("there is no user %q", name)
	}
	return u, err
}

// eachUser runs do for each user that matches.
func (e *engine) eachUser(ctx context.Context, f core.UserFilter, do func(core.User) error) error {
	for {
		users, err := e.admin.Users(ctx, f, pageSize)
		if err != nil {
			return err
		}
		for _, u := range users {
			f.After = u.ID
			if err := do(u); err != nil {
				return err
			}
		}
		if len(users) < pageSize {
			return nil
		}
	}
}

// eachToken runs do for each token that matches.
func (e *engine) eachToken(ctx context.Context, f core.TokenFilter, do func(core.Token) error) error {
	for {
		tokens, err := e.admin.Tokens(ctx, f, pageSize)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			f.After = t.Digest
			if err := do(t); err != nil {
				return err
			}
		}
		if len(tokens) < pageSize {
			return nil
		}
	}
}

// revokeAll ends all tokens of a user, in every realm.
func (e *engine) revokeAll(ctx context.Context, u core.User) (int, error) {
	realms := make(map[string]bool)
	err := e.eachToken(ctx, core.TokenFilter{UserID: u.ID}, func(t core.Token) error {
		realms[t.Realm] = true
		return nil
	})
	n := 0
	for realm := range realms {
		ended, revoking := e.RevokeTokens(ctx, u, realm)
		n += ended
		err = errors.Join(err, revoking)
	}
	return n, err
}

// owned is a token and whose it is.
type owned struct {
	token core.Token
	user  core.User
}

// findTokens finds the tokens with the ids, each once: a command that names one
// which is not there does nothing.
func (e *engine) findTokens(ctx context.Context, ids []string) (all []owned, err error) {
	var problems []error
	for _, id := range ids {
		t, err := e.findToken(ctx, id)
		switch {
		case err != nil:
			problems = append(problems, err)
		case !slices.ContainsFunc(all, func(o owned) bool { return string(o.token.Digest) == string(t.token.Digest) }):
			all = append(all, t)
		}
	}
	if len(problems) > 0 && len(ids) > 1 {
		problems = append(problems, errors.New("no token is revoked"))
	}
	return all, errors.Join(problems...)
}

// findToken finds the token with an id.
func (e *engine) findToken(ctx context.Context, id string) (owned, error) {
	prefix, err := hex.DecodeString(id)
	if err != nil || len(prefix) < 4 {
		return owned{}, fmt.Errorf("%q is no id of a token: want at least 8 hex digits, as token list shows them", id)
	}
	found, err := e.admin.Tokens(ctx, core.TokenFilter{Prefix: prefix}, 2)
	switch {
	case err != nil:
		return owned{}, err
	case len(found) == 0:
		return owned{}, fmt.Errorf("there is no token %s", id)
	case len(found) > 1:
		return owned{}, fmt.Errorf("%s is the beginning of several tokens: give more digits", id)
	}
	users, err := e.admin.Users(ctx, core.UserFilter{After: found[0].UserID - 1}, 1)
	if err != nil {
		return owned{}, err
	}
	if len(users) == 0 {
		return owned{}, fmt.Errorf("there is no token %s", id)
	}
	return owned{found[0], users[0]}, nil
}

// eachEntry runs do for the entries that match, at most limit unless it is 0.
func (e *engine) eachEntry(ctx context.Context, f core.AuditFilter, limit int, do func(core.AuditEntry) error) error {
	for left := limit; ; left -= pageSize {
		page := pageSize
		if limit > 0 {
			page = min(page, left)
		}
		if page <= 0 {
			return nil
		}
		entries, err := e.audit.AuditEntries(ctx, f, page)
		if err != nil {
			return err
		}
		for _, a := range entries {
			f.Before = a.ID
			if err := do(a); err != nil {
				return err
			}
		}
		if len(entries) < page {
			return nil
		}
	}
}
