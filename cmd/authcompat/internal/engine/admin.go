package engine

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

// FindUser returns the user with a name, or an error in plain words if there is none.
func (e *Engine) FindUser(ctx context.Context, name string) (core.User, error) {
	u, err := e.User(ctx, name)
	if err != nil && core.KindOf(err) == core.KindUserUnknown {
		return core.User{}, fmt.Errorf("there is no user %q", name)
	}
	return u, err
}

// EachUser runs do for each user that matches, in the order of their ids, until it
// fails.
func (e *Engine) EachUser(ctx context.Context, f core.UserFilter, do func(core.User) error) error {
	for {
		users, err := e.Backend.Admin.Users(ctx, f, pageSize)
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

// EachOwnedToken runs do for each token that matches, with its user, in the order of their digests, until it
// fails. Of a user who has been deleted meanwhile, all but the id is empty.
func (e *Engine) EachOwnedToken(ctx context.Context, f core.TokenFilter, do func(OwnedToken) error) error {
	return e.eachPage(ctx, f, func(tokens []core.Token) error {
		owners, err := e.OwnersOf(ctx, tokens)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			owner := owners[t.UserID]
			owner.ID = t.UserID
			if err := do(OwnedToken{t, owner}); err != nil {
				return err
			}
		}
		return nil
	})
}

// OwnersOf returns the users of at most 500 tokens by their ids, those who are still there, with one query: a list of a
// million tokens would else ask for a million users.
func (e *Engine) OwnersOf(ctx context.Context, tokens []core.Token) (map[int64]core.User, error) {
	ids := make([]int64, 0, len(tokens))
	for _, t := range tokens {
		ids = append(ids, t.UserID)
	}
	slices.Sort(ids)
	users, err := e.Backend.Admin.Users(ctx, core.UserFilter{IDs: slices.Compact(ids)}, pageSize)
	owners := make(map[int64]core.User, len(users))
	for _, u := range users {
		owners[u.ID] = u
	}
	return owners, err
}

// EachToken runs do for each token that matches, in the order of their digests, until
// it fails.
func (e *Engine) EachToken(ctx context.Context, f core.TokenFilter, do func(core.Token) error) error {
	return e.eachPage(ctx, f, func(tokens []core.Token) error {
		for _, t := range tokens {
			if err := do(t); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachPage runs do for pages of the tokens that match, of at most pageSize.
func (e *Engine) eachPage(ctx context.Context, f core.TokenFilter, do func([]core.Token) error) error {
	for {
		tokens, err := e.Backend.Admin.Tokens(ctx, f, pageSize)
		if err != nil {
			return err
		}
		if len(tokens) > 0 {
			f.After = tokens[len(tokens)-1].Digest
			if err := do(tokens); err != nil {
				return err
			}
		}
		if len(tokens) < pageSize {
			return nil
		}
	}
}

// RevokeAll revokes all tokens of a user, in every realm, and returns how many. If one
// realm fails, it goes on with the others.
func (e *Engine) RevokeAll(ctx context.Context, u core.User) (int, error) {
	realms := make(map[string]bool)
	err := e.EachToken(ctx, core.TokenFilter{UserID: u.ID}, func(t core.Token) error {
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

// OwnedToken is a token with its user.
type OwnedToken struct {
	Token core.Token
	User  core.User
}

// TokenIDError is an id that is not that of one token.
type TokenIDError struct{ message string }

// Error says what is wrong with the id.
func (e *TokenIDError) Error() string { return e.message }

func noToken(format string, id string) error { return &TokenIDError{fmt.Sprintf(format, id)} }

// FindTokens returns the tokens with the ids, each once. The error names every id that is
// invalid, ambiguous or unknown, as a [TokenIDError]: a command does nothing if one of its ids is.
func (e *Engine) FindTokens(ctx context.Context, ids []string) (all []OwnedToken, err error) {
	var problems []error
	for _, id := range ids {
		t, err := e.findToken(ctx, id)
		switch {
		case err != nil:
			problems = append(problems, err)
		case !slices.ContainsFunc(all, func(o OwnedToken) bool { return string(o.Token.Digest) == string(t.Token.Digest) }):
			all = append(all, t)
		}
	}
	if len(problems) > 0 && len(ids) > 1 {
		problems = append(problems, errors.New("no token is revoked"))
	}
	return all, errors.Join(problems...)
}

// findToken returns the token with an id.
func (e *Engine) findToken(ctx context.Context, id string) (OwnedToken, error) {
	prefix, err := hex.DecodeString(id)
	if err != nil || len(prefix) < 4 {
		return OwnedToken{}, noToken("%q is no id of a token: want at least 8 hex digits, as token list shows them", id)
	}
	found, err := e.Backend.Admin.Tokens(ctx, core.TokenFilter{Prefix: prefix}, 2)
	switch {
	case err != nil:
		return OwnedToken{}, err
	case len(found) == 0:
		return OwnedToken{}, noToken("there is no token %s", id)
	case len(found) > 1:
		return OwnedToken{}, noToken("%s is the beginning of several tokens: give more digits", id)
	}
	users, err := e.Backend.Admin.Users(ctx, core.UserFilter{After: found[0].UserID - 1}, 1)
	if err != nil {
		return OwnedToken{}, err
	}
	if len(users) == 0 {
		return OwnedToken{}, noToken("there is no token %s", id)
	}
	return OwnedToken{found[0], users[0]}, nil
}

// EachEntry runs do for the entries of the audit record that match, the newest first,
// until it fails; for at most limit of them unless that is 0.
func (e *Engine) EachEntry(ctx context.Context, f core.AuditFilter, limit int, do func(core.AuditEntry) error) error {
	for left := limit; ; left -= pageSize {
		page := pageSize
		if limit > 0 {
			page = min(page, left)
		}
		if page <= 0 {
			return nil
		}
		entries, err := e.Backend.Auditor.AuditEntries(ctx, f, page)
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
