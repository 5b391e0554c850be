package transfer_test

import (
	"cmp"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// makePeople draws the users.
func (w *world) makePeople() {
	n := w.IntN(41)
	switch {
	case w.chance(5):
		n = 0
	case w.IntN(300) == 0:
		n = 5001 + w.IntN(200) // more than a page
	}
	if w.kind == inDump && n == 0 {
		n = 1 // otherwise the dump does not have the users' model
	}
	w.next = []int64{1, 1, 1, 0, -3, 1000, 1 << 31, 1 << 53}[w.IntN(8)]
	if w.naturalPrimary {
		w.next = 1
	}
	for range n {
		w.addPerson(w.newKey())
	}
	if !w.unique && w.chance(50) {
		w.twinNames()
	}
	if w.child == nil {
		w.Shuffle(len(w.users.rows), func(i, j int) {
			w.users.rows[i], w.users.rows[j] = w.users.rows[j], w.users.rows[i]
		})
	}
	w.judgeNames()
}

// newKey returns an unused primary key.
func (w *world) newKey() any {
	id := w.next
	w.next += 1 + int64(w.IntN(3))
	switch w.keys {
	case "uuid":
		raw := fmt.Sprintf("%032x", uint64(id)) // some parse it as a small number
		if w.chance(80) {
			raw = fmt.Sprintf("%016x%016x", w.Uint64(), w.Uint64())
		}
		if w.kind == inSQLite {
			return raw
		}
		return strings.Join([]string{raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]}, "-")
	case "varchar":
		w.serial++
		if w.chance(60) {
			return fmt.Sprintf("u%d-x", w.serial)
		}
		// Numbers in different spellings, so that no two are the same text.
		if w.spelled != "" && w.chance(20) {
			w.spelled = "0" + w.spelled
		} else {
			w.spelled = w.pick("", "0", "00", "+") + strconv.FormatInt(id, 10)
		}
		return w.spelled
	}
	return id
}

// addPerson adds a user with a key.
func (w *world) addPerson(key any) *person {
	p := &person{key: fmt.Sprint(key), active: true, row: genRow{w.users.key: key, "last_login": nil}}
	if w.chance(50) {
		p.row["last_login"] = genTime{at: genNow.AddDate(0, -1, 0)}
	}
	w.setPassword(p)
	w.setNames(p, w.genName())
	if w.active != "" {
		p.active = w.chance(85)
		p.row[w.active] = p.active
		if !p.active && w.users.column(w.active).null && w.chance(60) {
			p.row[w.active] = nil
		}
		if w.kind == inSQLite && w.chance(1) {
			p.row[w.active], p.bad, p.active = "perhaps", true, false
		}
	}
	if w.created != "" {
		at, ok := w.oddTime()
		p.row[w.created], p.bad = at, p.bad || !ok
	}
	if w.users.has("staff_no") {
		p.row["staff_no"] = w.nextNumber()
	}
	for _, c := range w.users.columns {
		if _, ok := p.row[c.name]; !ok && c.kind != "generated" {
			p.row[c.name] = w.anything(c)
		}
	}
	w.users.rows = append(w.users.rows, p.row)
	if w.child != nil {
		if w.chance(15) {
			return p // only in the base table: not a user
		}
		p.childRow = genRow{w.child.key: key, "company": "ACME", "level": nil}
		w.child.rows = append(w.child.rows, p.childRow)
	}
	w.people = append(w.people, p)
	return p
}

// setNames sets a user's name, possibly to one that can't be imported, and address.
func (w *world) setNames(p *person, name string) {
	w.setName(p, name)
	switch {
	case w.chance(1):
		none := func(r genRow) bool { return r[w.username] == "" }
		if !slices.ContainsFunc(w.users.rows, none) { // at most one, if it is unique
			w.setName(p, "")
			p.bad = true
		}
	case w.chance(1):
		long := fmt.Sprint(strings.Repeat("long", 63), w.serial, ".")
		w.setName(p, strings.Repeat("l", max(0, 255-len(long)))+long)
		p.bad = true
	case w.kind == inSQLite && w.chance(1):
		p.bad, p.name = true, "\xff"+name
		p.row[w.username] = genBytes(p.name)
	}
	if w.email == "" || w.email == w.username {
		if w.username == "email" && w.users.has("username") {
			p.row["username"] = fmt.Sprint("shown ", p.key)
		}
		return
	}
	c := w.users.column("email")
	address := fmt.Sprintf("mail%d@example.org", w.serial)
	switch {
	case c.null && w.chance(30):
		p.row["email"] = nil
		return
	case !c.unique && w.chance(30):
		address = w.pick("", "same@example.org")
	case w.chance(1):
		address, p.bad = strings.Repeat("m", 255)+address, true
	}
	p.row["email"] = address
}

// anything returns a value that a column may have.
func (w *world) anything(c genColumn) any {
	if c.null && w.chance(40) {
		return nil
	}
	w.serial++
	switch c.kind {
	case "bool":
		return w.chance(20)
	case "integer", "bigint":
		return int64(w.IntN(100))
	case "real":
		return float64(w.IntN(100)) / 4
	case "datetime":
		return genTime{at: genNow.AddDate(-20, 0, 0)}
	case "uuid":
		raw := fmt.Sprintf("%016x%016x", w.Uint64(), w.Uint64())
		if w.kind == inSQLite {
			return raw
		}
		return strings.Join([]string{raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]}, "-")
	}
	return w.pick("", "text ", "J. ", "ä ") + fmt.Sprint(w.serial)
}

// setPassword draws a password in any of the formats.
func (w *world) setPassword(p *person) {
	w.serial++
	plain := fmt.Sprintf("correct horse %d ü", w.serial)
	salt := fmt.Sprintf("salt%d", w.serial)
	p.password, p.weak = plain, false
	n := w.IntN(20)
	switch n {
	case 0, 1:
		p.password = ""
	case 2, 3:
		p.weak = true
	}
	p.row["password"] = encoded(n, plain, salt, w)
}

// encoded returns a password as Django stores it.
func encoded(form int, plain, salt string, w *world) string {
	sum := func(prefix, salt string, raw []byte) string { return prefix + salt + hex.EncodeToString(raw) }
	m, s := md5.Sum([]byte(salt+plain)), sha1.Sum([]byte(salt+plain))
	switch form {
	case 0, 1:
		return w.pick("", "!", "!abcdefgh", "pbkdf2_sha256$x$y", "pbkdf2_sha256$1$salt", "mine$1$x$y", "crypt$$ab",
			"pbkdf2_wrapped_sha1$1$salt$aGFzaA==", "pbkdf2_sha256$99999999999$a$b", "argon2$nothing", "bcrypt$$2b$12$short", "plain text")
	case 2:
		return sum("md5$", salt+"$", m[:])
	case 3:
		if w.chance(50) {
			m = md5.Sum([]byte(plain))
			return sum(w.pick("", "md5$$"), "", m[:])
		}
		return sum("sha1$", salt+"$", s[:])
	}
	raw, err := pbkdf2.Key(sha256.New, plain, []byte(salt), 1, sha256.Size)
	if err != nil {
		panic(err)
	}
	return "pbkdf2_sha256$1$" + salt + "$" + base64.StdEncoding.EncodeToString(raw)
}

// twinNames gives a user the name of another.
func (w *world) twinNames() {
	var good []*person
	for _, p := range w.people {
		if !p.bad {
			good = append(good, p)
		}
	}
	if len(good) < 2 || w.naturalForeign {
		return
	}
	w.setName(good[1], good[0].row[w.username].(string))
}

// keyOrder is the order in which users are imported.
func (w *world) keyOrder(a, b *person) int {
	if x, y := w.idOf(a), w.idOf(b); (x > 0) != (y > 0) { // users who can't keep their ID come last
		return cmp.Compare(y, x)
	}
	if w.kind == inDump {
		at := func(p *person) int {
			return slices.IndexFunc(w.users.rows, func(r genRow) bool { return r[w.users.key] == p.row[w.users.key] })
		}
		return at(a) - at(b)
	}
	id := w.idColumn()
	if x, ok := a.row[id].(int64); ok {
		return cmp.Compare(x, b.row[id].(int64))
	}
	return cmp.Compare(fmt.Sprint(a.row[id]), fmt.Sprint(b.row[id]))
}

// idOf returns the ID that a user has here if it can be kept: the primary key, or else
// the number by which tokens refer to the user; 0 if neither is one.
func (w *world) idOf(p *person) int64 {
	for _, column := range []string{w.users.key, w.idColumn()} {
		if column == w.users.key && w.users.view && w.toField != "" {
			continue // unknown for a view
		}
		if column != w.users.key && w.kind == inDump {
			continue // dumps have no types
		}
		if n, ok := p.row[column].(int64); ok {
			return n
		}
	}
	return 0
}

// judgeNames determines who is not imported: of two users with the same name the
// second.
func (w *world) judgeNames() {
	byName := map[string]*person{}
	sorted := w.people
	if !w.unique || w.lower {
		sorted = slices.SortedFunc(slices.Values(w.people), w.keyOrder)
	}
	for _, p := range sorted {
		if p.lost = p.bad || w.taken[p.name] || w.left[p.name]; p.lost {
			continue
		}
		if byName[p.name] != nil {
			p.lost = true
			continue
		}
		byName[p.name] = p
	}
}
