package transfer_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
)

// TestLinks follows the links in mails of genuine Django here, and ours there, on one database: until
// a login at either side, or a change of the password.
func TestLinks(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "django.sqlite3")
		linksTogether(t, djangotest.Start(t, path), path)
	})
	t.Run("postgres", func(t *testing.T) {
		old, dsn := djangoOnPostgres(t)
		linksTogether(t, old, dsn)
	})
}

// linked is a user whose links are followed at both sides.
type linked struct {
	t         *testing.T
	old       *djangotest.Django
	store     *live.Store
	links     *maillink.Generator
	name, uid string
}

func linksTogether(t *testing.T, old *djangotest.Django, dsn string) {
	made := old.Make(1)
	s, err := live.Open(t.Context(), dsn, tables.Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	u := &linked{t: t, old: old, store: s, name: made[0].Username, links: &maillink.Generator{Secrets: []string{strings.Repeat("only for tests ", 4)}}}
	theirs := u.sent()
	ours := u.make()
	u.want("at first", true, theirs, ours)

	old.Ask(nil, "log_in", u.name)
	u.want("after a login there", false, theirs, ours)
	theirs, ours = u.sent(), u.make()
	u.want("sent after it", true, theirs, ours)

	account := u.account()
	key := strings.Repeat("0123456789", 4)
	login := core.Token{
		Digest: core.Presented(key).SHA256(), UserID: account.ID, Realm: core.DefaultRealm, Issuer: "api", CreatedAt: time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond),
		Reusable: true, Plaintext: core.Presented(key), Login: true,
	}
	if _, err := s.ReuseToken(t.Context(), login, account.PasswordHash, time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	if got := u.account().LastLogin; !got.Equal(login.CreatedAt) {
		t.Errorf("last login %v, want %v", got, login.CreatedAt)
	}
	u.want("after a login here", false, theirs, ours)
	theirs, ours = u.sent(), u.make()
	u.want("sent after that", true, theirs, ours)

	if err := s.UpdatePassword(t.Context(), account.ID, account.PasswordHash, "!", false, nil); err != nil {
		t.Fatal(err)
	}
	u.want("after a change of the password here", false, theirs, ours)
	theirs, ours = u.sent(), u.make()
	u.want("sent with it", true, theirs, ours)
	old.Ask(nil, "set_password", u.name, "another")
	u.want("after a change of the password there", false, theirs, ours)
}

// account returns the user's account as it is now, by the uid of a link.
func (u *linked) account() core.Account {
	u.t.Helper()
	id, err := maillink.DecodeUID(maillink.Base64, u.uid)
	if err != nil {
		u.t.Fatal(err)
	}
	account, err := u.store.Backend().Accounts.AccountByID(u.t.Context(), id)
	if err != nil || account.Username != u.name {
		u.t.Fatalf("%+v, %v", account, err)
	}
	return account
}

func (u *linked) state() maillink.User {
	u.t.Helper()
	a := u.account()
	return maillink.User{ID: a.ID, PasswordHash: a.PasswordHash, Email: a.Email, LastLogin: a.LastLogin}
}

// sent returns the token of a link that Django sends.
func (u *linked) sent() string {
	u.t.Helper()
	var link [2]string
	u.old.Ask(&link, "link", u.name)
	u.uid = link[0]
	return link[1]
}

// make returns the token of a link of ours.
func (u *linked) make() string {
	u.t.Helper()
	if uid := maillink.EncodeUID(maillink.Base64, u.account().ID); uid != u.uid {
		u.t.Errorf("uid %s, Django's is %s", uid, u.uid)
	}
	return u.links.Make(u.state(), time.Now())
}

// want checks at both sides whether the tokens are good.
func (u *linked) want(when string, good bool, tokens ...string) {
	u.t.Helper()
	for i, token := range tokens {
		if err := u.links.Check(u.state(), token, time.Now()); (err == nil) != good {
			u.t.Errorf("%s: link %d here: %v", when, i, err)
		}
		var name *string
		if u.old.Ask(&name, "follow", u.uid, token); (name != nil) != good {
			u.t.Errorf("%s: link %d there is good: %t", when, i, name != nil)
		}
	}
}
