package operate

import (
	"bytes"
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"github.com/authcompat/authcompat/core"
)

// idBytes is how many bytes of a digest core.TokenID shows, and fewestBytes how many are enough to look for one.
const (
	idBytes     = 8
	fewestBytes = 4
)

// tokenRow is a token in a table: nothing in it leads to the text of the token.
type tokenRow struct {
	core.Token
	ID       string // core.TokenID; empty: the store gives it none
	Username string // empty: the user is gone
	Expired  bool
}

// Path is where the token can be revoked.
func (t tokenRow) Path() string { return path("tokens") + t.ID + "/revoke" }

// UserPath is where the token's user is shown.
func (t tokenRow) UserPath() string { return userPath(t.UserID) }

// tokenTable is a part of the tokens.
type tokenTable struct {
	Missing string // why there is no list, or not all of it
	window[tokenRow, core.Digest]
	Next  string
	Named bool // whether the column of users is shown
	Write bool
}

// tokensPage is a list of tokens.
type tokensPage struct {
	User, ID string
	Live     bool
	Unknown  bool // there is no such user
	tokenTable
}

// tokens shows tokens by their digests: all, or those of ?user=NAME, those whose id begins with ?id=HEX, ?state=live, after
// that with the id ?after=HEX.
func (v *View) tokens(ctx context.Context, r *http.Request) (view, error) {
	query := r.URL.Query()
	p := tokensPage{User: query.Get("user"), ID: strings.TrimSpace(query.Get("id")), Live: query.Get("state") == "live"}
	shown := view{"tokens", "Tokens", "tokens", &p}
	if v.Engine.Backend.Admin == nil {
		p.Missing = "On Django’s own tables tokens are not listed here, but for those of a user (Users). Django’s own admin has all of them."
		return shown, nil
	}
	filter, err := tokenFilter(query)
	if err != nil {
		return view{}, err
	}
	if p.User != "" {
		u, err := v.Engine.User(ctx, p.User)
		if core.KindOf(err) == core.KindUserUnknown {
			p.Unknown = true
			return shown, nil
		}
		if err != nil {
			return view{}, err
		}
		filter.UserID = u.ID
	}
	p.tokenTable, err = v.listTokens(ctx, filter, p.Live)
	p.Named = true
	if p.More {
		next := url.Values{"after": {core.TokenID(p.Last)}}
		for _, name := range []string{"user", "id", "state"} {
			if query.Get(name) != "" {
				next.Set(name, query.Get(name))
			}
		}
		p.Next = "?" + next.Encode()
	}
	return shown, err
}

// tokenFilter reads which tokens are asked for.
func tokenFilter(query url.Values) (f core.TokenFilter, err error) {
	if id := strings.TrimSpace(query.Get("id")); id != "" {
		prefix, err := hex.DecodeString(id)
		if err != nil || len(prefix) < fewestBytes || len(prefix) > idBytes {
			return f, badRequest("This is no id of a token: want 8 to 16 hex digits, an even number of them, as the table shows them.")
		}
		f.Prefix = prefix
	}
	if after := query.Get("after"); after != "" {
		first, err := hex.DecodeString(after)
		if err != nil || len(first) != idBytes {
			return f, badRequest("There is no such page of this table.")
		}
		// The id is the beginning of a digest: this is above all that begin so, whatever their length.
		f.After = append(first, bytes.Repeat([]byte{0xff}, 64)...)
	}
	return f, nil
}

// listTokens returns a part of the tokens.
func (v *View) listTokens(ctx context.Context, f core.TokenFilter, live bool) (t tokenTable, err error) {
	now := v.Now()
	var match func(core.Token) bool
	if live {
		match = func(t core.Token) bool { return !t.Expired(now) }
	}
	part, err := scan(f.After, func(after core.Digest, limit int) ([]core.Token, error) {
		f.After = after
		return v.Engine.Backend.Admin.Tokens(ctx, f, limit)
	}, func(t core.Token) core.Digest { return t.Digest }, match, nil)
	if err != nil {
		return t, err
	}
	t.Last, t.More, t.Cut = part.Last, part.More, part.Cut
	t.Write, _ = v.changesUsers()
	owners, err := v.Engine.OwnersOf(ctx, part.Rows)
	if err != nil {
		return t, err
	}
	for _, token := range part.Rows {
		t.Rows = append(t.Rows, tokenRow{Token: token, ID: core.TokenID(token.Digest), Username: owners[token.UserID].Username, Expired: token.Expired(now)})
	}
	return t, nil
}

// tokensOf returns the first tokens of a user.
func (v *View) tokensOf(ctx context.Context, u core.User) (t tokenTable, err error) {
	b := v.Engine.Backend
	switch {
	case b.Admin != nil:
		if t, err = v.listTokens(ctx, core.TokenFilter{UserID: u.ID}, false); t.More {
			t.Next = path("tokens") + "?" + url.Values{"user": {u.Username}, "after": {core.TokenID(t.Last)}}.Encode()
		}
		return t, err
	case b.Tokens == nil:
		t.Missing = "This store does not list tokens."
		return t, nil
	}
	all, _, err := b.Tokens.UserTokens(ctx, u.ID)
	if err != nil {
		return t, err
	}
	now := v.Now()
	for i, token := range all {
		if i == pageRows {
			t.Missing = "There are more: Django’s own admin has all of them."
			break
		}
		// Django's tables know tokens by what leads to their text: there is no id for people.
		t.Rows = append(t.Rows, tokenRow{Token: token, Username: u.Username, Expired: token.Expired(now)})
	}
	return t, nil
}
