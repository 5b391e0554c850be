package operate

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
)

// noUsers says what a store can't do.
const noUsers = "This store does not list users."

// userRow is a user in a table.
type userRow struct {
	core.User
	LastLogin time.Time
}

// Path is where the user is shown.
func (u userRow) Path() string { return userPath(u.ID) }

func userPath(id int64) string { return path("users") + strconv.FormatInt(id, 10) + "/" }

// usersPage is the list of users, or what a search has found.
type usersPage struct {
	Missing  string // why there is no list
	Query    string
	Inactive bool
	window[userRow, int64]
	Next       string
	LastLogins bool // whether the store knows when users logged in
}

// users shows users by their ids, ?after=ID, ?state=inactive, or those that a search finds, ?q=TEXT.
func (v *View) users(ctx context.Context, r *http.Request) (view, error) {
	query := r.URL.Query()
	p := usersPage{Query: strings.TrimSpace(query.Get("q")), Inactive: query.Get("state") == "inactive", LastLogins: v.Engine.Backend.Accounts != nil}
	shown := view{"users", "Users", "users", &p}
	list := v.userList()
	if list == nil {
		p.Missing = noUsers
		return shown, nil
	}
	var found []core.User
	var err error
	if p.Query != "" {
		if found, err = v.findUsers(ctx, p.Query); err != nil {
			return view{}, err
		}
	} else {
		after, err := number(query.Get("after"))
		if err != nil {
			return view{}, err
		}
		var match func(core.User) bool
		if p.Inactive {
			match = func(u core.User) bool { return !u.Active }
		}
		part, err := scan(after, func(after int64, limit int) ([]core.User, error) {
			return list(ctx, core.UserFilter{After: after}, limit)
		}, func(u core.User) int64 { return u.ID }, match, nil)
		if err != nil {
			return view{}, err
		}
		found, p.Last, p.More, p.Cut = part.Rows, part.Last, part.More, part.Cut
		if p.More {
			next := url.Values{"after": {strconv.FormatInt(p.Last, 10)}}
			if p.Inactive {
				next.Set("state", "inactive")
			}
			p.Next = "?" + next.Encode()
		}
	}
	p.Rows, err = v.withLastLogins(ctx, found)
	return shown, err
}

// userList returns what lists users; nil: nothing does. In a Django database it is not the operators' part of the store.
func (v *View) userList() func(context.Context, core.UserFilter, int) ([]core.User, error) {
	switch b := v.Engine.Backend; {
	case b.Admin != nil:
		return b.Admin.Users
	case b.Accounts != nil:
		return b.Accounts.Users
	}
	return nil
}

// withLastLogins returns users with when they last logged in, as far as the store knows that.
func (v *View) withLastLogins(ctx context.Context, users []core.User) (rows []userRow, err error) {
	for _, u := range users {
		row := userRow{User: u}
		if v.Engine.Backend.Accounts != nil {
			account, err := v.Engine.Backend.Accounts.AccountByID(ctx, u.ID)
			if err != nil && !errors.Is(err, core.ErrNotFound) { // deleted meanwhile
				return nil, err
			}
			row.LastLogin = account.LastLogin
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// findUsers returns the users of whom a text is the username or the address, whatever the case of the letters A to Z, or the
// id, also as #ID: pageRows of them at most.
func (v *View) findUsers(ctx context.Context, text string) (found []core.User, err error) {
	there := make(map[int64]bool)
	add := func(u core.User) {
		if !there[u.ID] && len(found) < pageRows {
			there[u.ID] = true
			found = append(found, u)
		}
	}
	if core.Storable(text) {
		switch u, err := v.Engine.User(ctx, text); {
		case err == nil:
			add(u)
		case core.KindOf(err) != core.KindUserUnknown:
			return nil, err
		}
	}
	if accounts := v.Engine.Backend.Accounts; accounts != nil && core.Storable(text) {
		for _, by := range []core.Identifier{core.ByUsername, core.ByEmail} {
			all, err := accounts.FindAccounts(ctx, by, text, true, pageRows)
			if err != nil {
				return nil, err
			}
			for _, a := range all {
				add(a.User)
			}
		}
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(text, "#"), 10, 64)
	if err != nil || id <= 0 {
		return found, nil
	}
	u, err := v.userByID(ctx, id)
	if err == nil {
		add(u.User)
	}
	if errors.As(err, new(*refusal)) {
		err = nil
	}
	return found, err
}

// userByID returns a user. The error for one who is not there is a refusal.
func (v *View) userByID(ctx context.Context, id int64) (userRow, error) {
	missing := notFound("There is no user with this id.")
	if b := v.Engine.Backend; b.Accounts != nil {
		account, err := b.Accounts.AccountByID(ctx, id)
		if errors.Is(err, core.ErrNotFound) {
			err = missing
		}
		return userRow{account.User, account.LastLogin}, err
	}
	list := v.userList()
	if list == nil {
		return userRow{}, notFound(noUsers)
	}
	users, err := list(ctx, core.UserFilter{After: id - 1}, 1)
	if err != nil {
		return userRow{}, err
	}
	if len(users) == 0 || users[0].ID != id {
		return userRow{}, missing
	}
	return userRow{User: users[0]}, nil
}

// ofPath returns the user of the request's path.
func (v *View) ofPath(ctx context.Context, r *http.Request) (userRow, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return userRow{}, notFound("There is no user with this id.")
	}
	return v.userByID(ctx, id)
}

// number reads a key of a page; empty: 0.
func number(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, badRequest("There is no such page of this table.")
	}
	return n, nil
}

// userPage is one user.
type userPage struct {
	userRow
	Done       string // what has just been done
	Password   string // how it is hashed, without salt and hash
	LastLogins bool
	Tokens     tokenTable
	Audited    bool   // whether there is an audit record
	Write      bool   // whether something can be changed
	ReadOnly   string // why not
}

// user shows a user, with the first of the user's tokens.
func (v *View) user(ctx context.Context, r *http.Request) (view, error) {
	row, err := v.ofPath(ctx, r)
	if err != nil {
		return view{}, err
	}
	p := userPage{userRow: row, LastLogins: v.Engine.Backend.Accounts != nil, Audited: v.Engine.Backend.Auditor != nil, Done: done(r)}
	if p.Password, err = v.Engine.PasswordFormat(ctx, row.Username); err != nil && core.KindOf(err) != core.KindUserUnknown {
		return view{}, err
	}
	if p.Tokens, err = v.tokensOf(ctx, row.User); err != nil {
		return view{}, err
	}
	p.Write, p.ReadOnly = v.changesUsers()
	return view{"user", row.Username, "users", &p}, nil
}

// changesUsers reports whether users and tokens can be changed, and if not, why.
func (v *View) changesUsers() (ok bool, why string) {
	switch {
	case v.Engine.Backend.Admin == nil:
		return false, "On Django’s own tables users and tokens are changed in Django’s own admin."
	case !v.Write:
		return false, "This console is read only (--console-write)."
	}
	return true, ""
}

// done returns what has just been done, by the words that this view itself adds to an address.
func done(r *http.Request) string {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	switch r.URL.Query().Get("done") {
	case "disable":
		return "The user is disabled."
	case "enable":
		return "The user is enabled."
	case "revoke-all":
		return "Tokens that were revoked: " + strconv.Itoa(n) + "."
	case "revoke":
		return "The token is revoked."
	case "set":
		return "The cutover is set. Servers follow within a second."
	case "rollback":
		return "Everybody is sent to the old side. Servers follow within a second."
	}
	return ""
}
