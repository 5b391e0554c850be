package transfer_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
)

// oddTime draws a date and time; ok is false if it is not a valid one.
func (w *world) oddTime() (genTime, bool) {
	t := genTime{at: genNow.Add(-time.Duration(w.IntN(30*24*3600)) * time.Second).Add(time.Duration(w.IntN(1000)) * time.Millisecond)}
	switch w.IntN(60) {
	case 0:
		t.at = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	case 1:
		t.at = time.Date(9999, 12, 31, 23, 59, 59, 999000000, time.UTC)
	case 2:
		t.at = t.at.Truncate(time.Second)
	case 3:
		t.at = t.at.Truncate(24 * time.Hour)
		if w.kind == inSQLite {
			t.raw = t.at.Format("2006-01-02 15:04")
		}
	case 4:
		if w.kind == inPostgres {
			t.raw, t.at = "-infinity", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
		}
	case 5:
		if w.kind == inPostgres {
			t.raw, t.at = "infinity", time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
		}
	case 6:
		if w.kind == inSQLite && w.chance(50) {
			t.raw = w.pick("yesterday", "2026-13-45 00:00:00", "1700000000")
			return t, false
		}
	}
	return t, true
}

// makeTickets draws the tokens.
func (w *world) makeTickets() {
	if w.chance(5) {
		return
	}
	filled := 0
	for _, t := range w.tokens {
		if filled > 0 && w.chance(60) || w.chance(10) {
			continue // it stays empty
		}
		before := len(w.tickets)
		w.fillTable(t)
		if len(w.tickets) > before {
			filled++
		}
	}
}

// fillTable draws the tokens of a table.
func (w *world) fillTable(t *tokenTable) {
	serial := []int64{1, 1, 0, -5, 1 << 40}[w.IntN(5)]
	for _, p := range w.people {
		many := 1
		if t.form != core.Authtoken || t.own {
			many = w.IntN(4)
		}
		if w.chance(20) {
			many = 0
		}
		for range many {
			w.addTicket(t, p, &serial)
		}
	}
	if len(w.people) > 0 && (w.kind == inSQLite || !t.checked()) && !w.naturalForeign && w.chance(30) {
		for range 1 + w.IntN(2) {
			w.orphan(t, &serial)
		}
	}
	if t.own && w.chance(40) {
		w.twins(t, &serial)
	}
	w.Shuffle(len(t.rows), func(i, j int) { t.rows[i], t.rows[j] = t.rows[j], t.rows[i] })
	if w.kind == inDump { // dumps are read in the order of their objects
		for _, k := range w.tickets {
			if k.table == t && k.twin != nil {
				k.second = t.place(k) > t.place(k.twin)
			}
		}
	}
}

// checked reports whether the database refuses tokens without a user.
func (t *tokenTable) checked() bool {
	for _, r := range t.references {
		if !r.unproven {
			return true
		}
	}
	return false
}

// addTicket adds a token of a user, or of nobody if p is nil.
func (w *world) addTicket(t *tokenTable, p *person, serial *int64) *ticket {
	k := &ticket{table: t, owner: p, row: genRow{}}
	if p != nil {
		k.row["user_id"] = p.row[w.idColumn()]
	}
	made, ok := w.oddTime()
	k.row["created"], k.made, k.bad = made, made.at, !ok
	w.otherSpelling(k)
	if t.ends != "" {
		w.setEnd(k)
	}
	w.serial++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", w.serial, w.Uint64()))
	k.text = hex.EncodeToString(sum[:])
	switch {
	case t.form != core.Authtoken:
		w.digest(k)
	case t.own:
		k.row["id"] = *serial
		*serial += 1 + int64(w.IntN(3))
		if w.chance(20) {
			k.text = w.pick("eyJhbGciOi.", "ключ ", "A'\"\\", "%_") + strings.Repeat(k.text, 1+w.IntN(3))
		}
		k.row["key"] = k.text
	default:
		k.text = k.text[:40]
		if w.chance(5) {
			k.text = k.text[:16+w.IntN(20)] // shorter than usual
		}
		k.row["key"] = k.text
	}
	t.rows, w.tickets = append(t.rows, k.row), append(w.tickets, k)
	return k
}

// setEnd draws the expiry of a token.
func (w *world) setEnd(k *ticket) {
	switch n := w.IntN(20); {
	case n < 6:
		k.row[k.table.ends] = nil
	case n < 9:
		k.ends = genNow.Add(-time.Duration(1+w.IntN(1000)) * time.Hour)
		k.row[k.table.ends] = genTime{at: k.ends}
	case n == 9:
		at, ok := w.oddTime()
		k.row[k.table.ends], k.bad, k.dead, k.ends = at, k.bad || !ok, !ok, at.at
		if k.ends.IsZero() {
			k.ends = k.ends.Add(1) // it did expire
		}
	default:
		k.ends = genNow.Add(time.Duration(1+w.IntN(1000)) * time.Hour)
		k.row[k.table.ends] = genTime{at: k.ends}
	}
}

// digest sets the token's digest in its row.
func (w *world) digest(k *ticket) {
	switch k.table.form {
	case core.Knox41:
		salt := hex.EncodeToString(fmt.Appendf(nil, "%08x", w.Uint32()))
		k.row["salt"], k.row["digest"] = salt, sha512hex(unhex(k.text), unhex(salt))
	case core.Knox42:
		k.row["digest"] = sha512hex(unhex(k.text))
	default:
		k.row["digest"] = sha512hex(k.text)
	}
	prefix := 8
	if k.table.form == core.Knox5 {
		prefix = 15
	}
	k.row["token_key"] = k.text[:prefix]
	switch {
	case w.chance(2): // as knox before 2.2.1 did
		k.row["token_key"], k.bad, k.dead = nil, true, true
	case w.chance(2): // of another hash algorithm
		k.row["digest"], k.bad, k.dead = k.row["digest"].(string)[:64], true, true
	}
}

// orphan adds a token of a user who does not exist, or of NULL.
func (w *world) orphan(t *tokenTable, serial *int64) {
	k := w.addTicket(t, nil, serial)
	k.row["user_id"] = nil
	if !t.column("user_id").null || w.chance(50) {
		switch t.column("user_id").kind {
		case "uuid":
			k.row["user_id"] = w.anything(genColumn{kind: "uuid"})
		case "varchar":
			k.row["user_id"] = fmt.Sprint("nobody", w.serial)
		default:
			k.row["user_id"] = int64(900_000_000 + w.serial)
		}
	}
}

// twins adds a token with the text of another one.
func (w *world) twins(t *tokenTable, serial *int64) {
	for _, k := range w.tickets {
		if k.table != t || k.bad || k.owner == nil || k.owner.lost || !k.ends.IsZero() || k.made.Year() < 2000 {
			continue
		}
		p := w.people[w.IntN(len(w.people))]
		if p.lost {
			return
		}
		twin := w.addTicket(t, p, serial)
		twin.text, twin.row["key"] = k.text, k.text
		twin.row["created"], twin.made, twin.bad, twin.dead, twin.ends = k.row["created"], k.made, false, false, k.ends
		if t.ends != "" {
			twin.row[t.ends] = nil
		}
		k.twin, twin.twin, twin.second = twin, k, true
		return
	}
}

// place returns the position of a token's row in the table.
func (t *tokenTable) place(k *ticket) int {
	return slices.IndexFunc(t.rows, func(r genRow) bool { return r["id"] == k.row["id"] })
}
