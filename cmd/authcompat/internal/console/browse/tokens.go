package browse

import (
	"fmt"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/profiles"
)

// Tokens are the tokens of an API, in words.
type Tokens struct {
	Looks string   // what one consists of
	Shown []string // headers with which a client says who it is
	Lasts string   // how long
	Moves string   // whether use makes it longer; empty: it does not
	Each  string   // how many a user has
	Ends  []string // what ends one before its time
}

func tokens(p *profiles.Profile) Tokens {
	t := Tokens{Looks: fmt.Sprintf("%d lower-case hex digits", p.Tokens.Hex), Lasts: lasts(p.Tokens), Moves: moves(p.Tokens), Ends: ends(p)}
	if p.Tokens.Prefix != "" {
		t.Looks = p.Tokens.Prefix + " and " + t.Looks
	}
	if p.Tokens.Match == profiles.MatchKnox42 {
		t.Looks += "; of those behind the eighth, capitals are taken, too"
	}
	for _, a := range p.Authentications() {
		switch a.Kind {
		case profiles.AuthenticateToken:
			t.Shown = append(t.Shown, "Authorization: "+a.Word+" "+p.Tokens.Prefix+"…")
		case profiles.AuthenticateBasic:
			t.Shown = append(t.Shown, "Authorization: Basic …")
		}
	}
	switch {
	case p.Tokens.PerUser == profiles.OnePerUser:
		t.Each = "One a user: each login shows the live one again"
	case p.Tokens.Limit > 0:
		t.Each = fmt.Sprintf("A new one at each login, and a user has at most %d that is live", p.Tokens.Limit)
	default:
		t.Each = "A new one at each login, any number a user"
	}
	return t
}

// lasts says how long a token is good.
func lasts(t profiles.Tokens) string {
	if t.TTL == 0 {
		return "For ever"
	}
	return inWords(t.TTL) + " from the login"
}

// moves says what use does to the end of a token.
func moves(t profiles.Tokens) string {
	if !t.Sliding {
		return ""
	}
	text := "Each use moves the end to " + inWords(t.TTL) + " from then"
	if t.PerUser == profiles.OnePerUser {
		text = "Each use and each login moves the end to " + inWords(t.TTL) + " from then"
	}
	if t.Interval > 0 {
		text += ", once that is more than " + inWords(t.Interval) + " later"
	}
	if t.Max > 0 {
		text += ", and never beyond " + inWords(t.Max) + " from the login"
	}
	return text
}

// ends says what ends tokens before their time.
func ends(p *profiles.Profile) []string {
	var all []string
	for _, e := range p.Endpoints {
		at := e.Methods[0] + " " + e.Path
		switch {
		case e.Action == profiles.Logout:
			all = append(all, at+": the token of the request")
		case e.Action == profiles.LogoutAll:
			all = append(all, at+": all tokens of the user")
		case e.Action == profiles.Delete:
			all = append(all, at+": the user, with all tokens")
		case e.Action == profiles.SetPassword && e.Logout:
			all = append(all, at+": all tokens of the user, with the new password")
		}
	}
	return append(all, "An operator who revokes it; while its user is inactive it is refused")
}

// inWords writes a length of time with all of its units.
func inWords(d time.Duration) string { return page.Length(d, 4) }
