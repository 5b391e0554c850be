package maillink

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// secret and the users are those of testdata/vectors.py, which made the vectors.
const secret = "k3y-ü-with $ympols and more than sixty-four bytes, which HMAC would hash itself"

func ann() User {
	return User{ID: 1, PasswordHash: "pbkdf2_sha256$260000$salt$aGFzaA==", Email: "ann@example.org"}
}

func loggedIn() User {
	return User{ID: 46656, PasswordHash: "!unusable", Email: "bürger@example.org", LastLogin: time.Date(2026, 2, 3, 4, 5, 6, 789012000, time.UTC)}
}

func noAddress() User {
	return User{ID: 9223372036854775807, PasswordHash: "md5$s$1", LastLogin: time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)}
}

func now() time.Time { return time.Date(2026, 11, 30, 8, 33, 54, 999999000, time.UTC) }

func TestTokensAreDjangos(t *testing.T) {
	for _, c := range []struct {
		name    string
		user    User
		format  Format
		allauth bool
		want    string
	}{
		{"ann", ann(), Django31, false, "diul4i-19deb59b29f888e2ebd41e9a8657e9de"},
		{"ann", ann(), Django31SHA1, false, "diul4i-36d314c71f9de661e54b"},
		{"ann", ann(), Django22, false, "7aw-1c1d078dcbc87c0d4233"},
		{"ann", ann(), Django31, true, "diul4i-d8a001cdb4f7bf2d3568cda31cdeaef0"},
		{"logged in", loggedIn(), "", false, "diul4i-51bd1f8deea2277bfa0e63946ae38db3"},
		{"logged in", loggedIn(), Django31SHA1, false, "diul4i-a9235080b04d707f4701"},
		{"logged in", loggedIn(), Django22, false, "7aw-f04095a3b6f14686fa3d"},
		{"logged in", loggedIn(), Django31, true, "diul4i-a9264f4d31664784b981be6c8fdc7d09"},
		{"no address", noAddress(), Django31, false, "diul4i-6a8306ae647e97db90d02eae8c78eb28"},
		{"no address", noAddress(), Django31SHA1, false, "diul4i-dd55457a239c935d47e7"},
		{"no address", noAddress(), Django22, false, "7aw-da15c16e64810b1b4a1e"},
		{"no address", noAddress(), Django31, true, "diul4i-72ee51df14b46e75021754bc21dde78a"},
	} {
		t.Run(c.name+" "+string(c.format), func(t *testing.T) {
			g := &Generator{Secrets: []string{secret}, Format: c.format, AllEmails: c.allauth}
			if c.allauth {
				c.user.Emails = []string{"zoe@example.org", "ann@example.org", "a@example.org"}
			}
			if got := g.Make(c.user, now()); got != c.want {
				t.Errorf("made %s, want %s", got, c.want)
			}
			if err := g.Check(c.user, c.want, now()); err != nil {
				t.Errorf("its own: %v", err)
			}
			later := &Generator{Secrets: []string{"new", secret}, AllEmails: c.allauth}
			if err := later.Check(c.user, c.want, now()); err != nil {
				t.Errorf("after a change of the key: %v", err)
			}
			if strings.HasPrefix(later.Make(c.user, now()), c.want) {
				t.Error("made with the old key")
			}
		})
	}
}

// TestTokensEnd holds what ends a token.
func TestTokensEnd(t *testing.T) {
	changed := func(change func(*User)) User {
		u := loggedIn()
		change(&u)
		return u
	}
	for _, f := range Formats() {
		g := &Generator{Secrets: []string{secret}, Format: f}
		token := g.Make(loggedIn(), now())
		for name, c := range map[string]struct {
			user User
			want error
		}{
			"nothing":                    {loggedIn(), nil},
			"the fraction of the second": {changed(func(u *User) { u.LastLogin = u.LastLogin.Truncate(time.Second) }), nil},
			"a password":                 {changed(func(u *User) { u.PasswordHash += "x" }), ErrInvalid},
			"a login":                    {changed(func(u *User) { u.LastLogin = u.LastLogin.Add(time.Second) }), ErrInvalid},
			"another user":               {changed(func(u *User) { u.ID++ }), ErrInvalid},
		} {
			if err := g.Check(c.user, token, now()); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v, want %v", f, name, err, c.want)
			}
		}
		moved := changed(func(u *User) { u.Email = "new@example.org" })
		if err := g.Check(moved, token, now()); (err == nil) != (f == Django22) {
			t.Errorf("%s, another address: %v", f, err)
		}
		strict := &Generator{Secrets: []string{secret}, Accepted: []Format{Django31}}
		if err := strict.Check(loggedIn(), token, now()); (err == nil) != (f == Django31) {
			t.Errorf("%s where only 3.1 is accepted: %v", f, err)
		}
	}
}

func TestTokensExpire(t *testing.T) {
	for _, c := range []struct {
		name    string
		format  Format
		timeout time.Duration
		after   time.Duration
		want    error
	}{
		{"the last second", Django31, 0, 72 * time.Hour, nil},
		{"a second later", Django31, 0, 72*time.Hour + time.Second, ErrExpired},
		{"another timeout", Django31SHA1, time.Minute, time.Minute, nil},
		{"a second after it", Django31SHA1, time.Minute, 61 * time.Second, ErrExpired},
		{"from a clock ahead", Django31, time.Minute, -time.Hour, nil},
		{"the end of the third day", Django22, 0, 87*time.Hour + 26*time.Minute, nil},
		{"the fourth day", Django22, 0, 87*time.Hour + 27*time.Minute, ErrExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &Generator{Secrets: []string{secret}, Format: c.format, Timeout: c.timeout}
			if err := g.Check(ann(), g.Make(ann(), now()), now().Add(c.after)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// TestTokensZone holds that the timestamp is what the clock on Django's wall shows.
func TestTokensZone(t *testing.T) {
	chicago := time.FixedZone("CST", -6*60*60)
	there := &Generator{Secrets: []string{secret}, Zone: chicago, LoginZone: chicago}
	login := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	u := loggedIn()
	u.LastLogin = login.Add(6 * time.Hour)
	if got, want := there.Make(u, now().Add(6*time.Hour)), "diul4i-51bd1f8deea2277bfa0e63946ae38db3"; got != want {
		t.Errorf("made %s, want %s", got, want)
	}
}

func TestTokensMalformed(t *testing.T) {
	g := &Generator{Secrets: []string{secret}}
	good := g.Make(ann(), now())
	for _, token := range []string{"", "-", "set-password", "diul4i", "diul4i-", "-19deb59b29f888e2ebd41e9a8657e9de", good + "-", good + " ", "0" + good, strings.ToUpper(good),
		"+" + good, "-" + good, good[:len(good)-1], "zzzzzzzzzzzzzz" + good, "é-" + good, good + "\x00"} {
		if err := g.Check(ann(), token, now()); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", token, err)
		}
	}
}

func TestUID(t *testing.T) {
	for _, c := range []struct {
		format UIDFormat
		uid    string
		want   int64 // 0: none
		sent   bool  // made so, too
	}{
		{Base64, "MQ", 1, true},
		{Base64, "NDY2NTY", 46656, true},
		{Base64, "OTIyMzM3MjAzNjg1NDc3NTgwNw", 9223372036854775807, true},
		{Base64, "MQ==", 1, false},
		{Base64, "NDY2NTY=", 46656, false},
		{Base64, "MA", 0, false},
		{Base64, "LTE", 0, false},
		{Base64, "", 0, false},
		{Base64, "1", 0, false},
		{Base64, "x", 0, false},
		{Base64, "Zm9v", 0, false},
		{Base64, "é", 0, false},
		{Base64, "OTIyMzM3MjAzNjg1NDc3NTgwOA", 0, false},
		{Base64, strings.Repeat("MQ", 30), 0, false},
		{Base36, "1", 1, true},
		{Base36, "1000", 46656, true},
		{Base36, "1y2p0ij32e8e7", 9223372036854775807, true},
		{Base36, "1Y2P0IJ32E8E7", 9223372036854775807, false},
		{Base36, "1y2p0ij32e8e8", 0, false},
		{Base36, "0", 0, false},
		{Base36, "-1", 0, false},
		{Base36, "", 0, false},
		{Base36, "NDY2NTY=", 0, false},
	} {
		id, err := DecodeUID(c.format, c.uid)
		if id != c.want || (err == nil) != (c.want != 0) {
			t.Errorf("%s %q: %d, %v, want %d", c.format, c.uid, id, err, c.want)
		}
		if c.sent && EncodeUID(c.format, c.want) != c.uid {
			t.Errorf("%s of %d: %q, want %q", c.format, c.want, EncodeUID(c.format, c.want), c.uid)
		}
	}
}

// FuzzLinks holds that nothing in a link but what was made is good.
func FuzzLinks(f *testing.F) {
	g := &Generator{Secrets: []string{secret}}
	good := g.Make(ann(), now())
	f.Add("MQ", good)
	f.Add("1", "7aw-1c1d078dcbc87c0d4233")
	f.Fuzz(func(t *testing.T, uid, token string) {
		for _, format := range []UIDFormat{Base64, Base36} {
			if id, err := DecodeUID(format, uid); err == nil {
				if back, err := DecodeUID(format, EncodeUID(format, id)); err != nil || back != id {
					t.Errorf("%s %q: %d, then %d, %v", format, uid, id, back, err)
				}
			}
		}
		if err := g.Check(loggedIn(), token, now()); err == nil {
			t.Errorf("%q is good", token)
		}
	})
}
