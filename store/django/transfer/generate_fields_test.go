package transfer_test

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
)

// capitals draws whether the database considers usernames equal that differ only in
// case, and whether they are imported in lower case.
func (w *world) capitals() {
	w.blind = w.kind != inDump && w.unique && w.chance(20)
	w.lower = w.blind && w.chance(50) || w.chance(4)
	if w.lower {
		w.hint.UsernameCase = "lower"
	}
	if i := slices.IndexFunc(w.users.columns, func(c genColumn) bool { return c.name == w.username }); w.blind {
		w.users.columns[i].blind = true
	}
}

// pickField draws the user column that the tokens' foreign keys refer to: the primary
// key, or another one (Django's to_field). Without foreign keys, the hint has to name
// it.
func (w *world) pickField(refer bool) {
	if w.child != nil || !refer || w.naturalForeign || !w.chance(20) {
		return
	}
	column := genColumn{name: "staff_no", kind: "bigint", unique: true}
	switch w.IntN(3) {
	case 0:
		column = genColumn{name: "public_id", kind: "uuid", unique: true}
	case 1:
		if c := w.users.column(w.username); c.unique && !c.null {
			column = c
		}
	}
	if i := slices.IndexFunc(w.users.columns, func(c genColumn) bool { return c.name == column.name }); i < 0 {
		w.users.columns = append(w.users.columns, column)
	} else {
		w.users.columns[i] = column
	}
	w.toField, w.number, w.attachable = column.name, int64(20+w.IntN(30)), false
	if w.kind == inDump || w.users.view {
		w.hint.ID = column.name
	}
}

// nextNumber returns a number for a column by which tokens refer to users: often one
// that another user has as primary key.
func (w *world) nextNumber() int64 {
	w.number--
	return w.number
}

// idColumn returns the column by which tokens refer to users.
func (w *world) idColumn() string {
	if w.toField != "" {
		return w.toField
	}
	return w.users.key
}

// setName sets a user's name, in the source and here.
func (w *world) setName(p *person, name string) {
	p.row[w.username], p.name = name, w.nameHere(name)
}

// nameHere returns a username of the source as imported.
func (w *world) nameHere(name string) string {
	if w.lower && utf8.ValidString(name) {
		return strings.ToLower(name)
	}
	return name
}

// otherSpelling makes a token refer to its user in other case, which the database
// considers equal: this happens after a name changed only in case. The token is
// refused.
func (w *world) otherSpelling(k *ticket) {
	if !k.table.column("user_id").blind || k.owner == nil || !w.chance(15) {
		return
	}
	text, ok := k.row["user_id"].(string)
	if !ok {
		return
	}
	if other := otherCapitals(text); other != text {
		k.row["user_id"], k.respelled = other, true
	}
}

// capitalNames logs in with a username in other case: wherever that succeeds, it is the
// user that the source would find.
func (c *genCase) capitalNames(s *core.Service, beside bool) {
	for _, p := range c.people[:min(3, len(c.people))] {
		if p.bad || p.password == "" {
			continue
		}
		session, err := s.Login(c.ctx, c.policy, otherCapitals(p.name), p.password)
		if err == nil {
			p.issued = true
			if session.User.Username != p.name {
				c.errorf("login of %q with other capitals is one of %q", p.name, session.User.Username)
			}
		}
		if beside && c.blind && p.active && err != nil {
			c.errorf("login of %q with other capitals, which Django takes: %v", p.name, err)
		}
	}
}

// wantNote checks that there is a note if the source considers usernames equal that
// differ only in case, and the mapping does not say that they are imported in lower
// case.
func (c *genCase) wantNote(notes []string) {
	said := slices.ContainsFunc(notes, func(note string) bool { return strings.Contains(note, "username_case: lower") })
	if want := c.blind && !c.lower && !(c.users.view && c.kind == inSQLite); said != want {
		c.errorf("notes %q; names are case-blind: %t, in lower case: %t", notes, c.blind, c.lower)
	}
}

// otherCapitals changes the case of those letters that SQLite, and a database in the
// locale C, know the case of.
func otherCapitals(text string) string {
	change := func(from, to rune) func(rune) rune {
		return func(r rune) rune {
			if from <= r && r <= from+'z'-'a' {
				return r - from + to
			}
			return r
		}
	}
	if upper := strings.Map(change('a', 'A'), text); upper != text {
		return upper
	}
	return strings.Map(change('A', 'a'), text)
}

// genName returns a new username.
func (w *world) genName() string {
	for {
		name := w.anyName()
		lower := strings.ToLower(name)
		if !w.folded[lower] || !w.blind && !(w.lower && w.naturalForeign) {
			w.folded[lower] = true
			return name
		}
	}
}

func (w *world) anyName() string {
	w.serial++
	n := w.serial
	switch w.IntN(16) {
	case 0:
		return fmt.Sprintf("Ann%d", n)
	case 1:
		return fmt.Sprintf("ann%d", n-1) // maybe an earlier name in other case
	case 2:
		return fmt.Sprintf("Zoë %d ü", n)
	case 3:
		return fmt.Sprintf("o'brien\\%d\"", n)
	case 4:
		return fmt.Sprintf("用户😀%d", n)
	case 5:
		return fmt.Sprintf("%d", n)
	case 6:
		return fmt.Sprintf("%s%d", strings.Repeat("x", 140), n)
	case 7:
		return fmt.Sprintf("caf\u00e9%d", n)
	case 8:
		return fmt.Sprintf("cafe\u0301%d", n-1) // maybe an earlier name in another Unicode normalization form
	}
	return fmt.Sprintf("user.%d@example.org", n)
}
