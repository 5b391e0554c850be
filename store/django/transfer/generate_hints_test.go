package transfer_test

import (
	"fmt"
	"slices"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
)

// decoys draws tables that look like users or tokens but are not.
func (w *world) decoys() {
	if w.chance(30) {
		w.vendors()
	}
	if w.kind != inDump && w.chance(20) {
		key := w.keys
		if key == "serial" {
			key = "bigint"
		}
		t := &genTable{name: "shop_profile", schema: w.users.schema, key: "user_ptr_id", columns: []genColumn{
			{name: "user_ptr_id", kind: key, length: 40}, {name: "password", kind: "varchar", length: 128},
		}, references: []genReference{{column: "user_ptr_id", to: w.users}}}
		for _, p := range w.people {
			if w.chance(30) {
				t.rows = append(t.rows, genRow{"user_ptr_id": p.row[w.users.key], "password": "pbkdf2_sha256$1$x$y"})
			}
		}
		w.tables = append(w.tables, t)
	}
	if w.kind != inDump && w.chance(20) {
		w.tables = append(w.tables, &genTable{name: "wifi_login", schema: w.users.schema, key: "id", columns: []genColumn{
			{name: "id", kind: "serial"}, {name: "user_id", kind: "integer"}, {name: "password", kind: "varchar", length: 128},
		}, rows: []genRow{{"id": int64(1), "user_id": int64(1), "password": "plain"}}})
	}
}

// vendors adds other rows with passwords.
func (w *world) vendors() {
	t := &genTable{name: "a_vendor", model: "a.vendor", schema: w.users.schema, key: "id", columns: []genColumn{
		{name: "id", kind: "serial"}, {name: "username", kind: "varchar", length: 150, unique: true},
		{name: "password", kind: "varchar", length: 128}, {name: "last_login", kind: "datetime", null: true},
		{name: "is_active", kind: "bool"},
	}}
	for n := range 1 + w.IntN(3) {
		t.rows = append(t.rows, genRow{
			"id": int64(n + 1), "username": fmt.Sprint("vendor", n), "password": encoded(9, "vendor's", "v", w), "last_login": nil, "is_active": true,
		})
	}
	w.tables = append(w.tables, t)
	known := slices.ContainsFunc(w.tokens, func(t *tokenTable) bool { return len(t.references) > 0 })
	if !known {
		w.refused, w.hint.UserTable = true, w.named().name
		if w.kind == inDump {
			w.hint.UserTable = w.named().model
		}
	}
	if w.kind == inDump || !known || !w.chance(30) {
		return
	}
	keys := &genTable{name: "a_vendorkey", schema: w.users.schema, key: "id", columns: []genColumn{
		{name: "id", kind: "serial"}, {name: "key", kind: "varchar", length: 60}, {name: "created", kind: "datetime"}, {name: "user_id", kind: "bigint"},
	}, references: []genReference{{column: "user_id", to: t}}}
	for n := range t.rows {
		keys.rows = append(keys.rows, genRow{"id": int64(n + 1), "key": fmt.Sprint("vendor's key ", n), "created": genTime{at: genNow}, "user_id": int64(n + 1)})
	}
	w.tables, w.vendorKeys = append(w.tables, keys), true
}

// hints determines which options are required.
func (w *world) hints() {
	var filled, known []string
	own := false
	for _, t := range w.tokens {
		name := t.name
		if w.kind == inDump {
			name = t.model
		} else if t.schema != "" {
			name = t.schema + "." + t.name
		}
		if len(t.rows) > 0 {
			filled, own = append(filled, name), own || t.own
			t.meant = true
		} else if !t.own && w.kind != inDump {
			known = append(known, name)
		}
	}
	if len(filled) > 1 || own || w.vendorKeys {
		w.refused, w.hint.TokenTables = true, filled
		w.attachable = w.attachable && len(filled) == 1
	}
	switch {
	case len(filled) == 0 && w.vendorKeys:
		w.hint.TokenTables = tables.Names{tables.NoTokens}
	case len(filled) == 0:
		for _, t := range w.tokens {
			t.meant = !t.own && w.kind != inDump
		}
		w.attachable = w.attachable && len(known) == 1
	}
	own = !slices.ContainsFunc(w.tokens, func(t *tokenTable) bool { return !t.own })
	if own && len(filled) == 0 && w.hint.ID == "" { // then nothing contradicts the primary key
		w.toField = ""
		w.judgeNames()
	}
	// If no tokens refer to users, the user table may have to be named.
	w.unclear = len(filled) == 0
	if w.child != nil && len(filled) == 0 && len(known) == 0 {
		w.hint.UserTable = w.child.name
	}
	if w.users.schema != "" {
		w.refused, w.hint.UserTable = true, w.users.schema+"."+w.named().name
	}
	if w.kind == inDump {
		w.dumpHints()
		w.attachable = false
	}
}

// dumpHints determines which options a dump requires.
func (w *world) dumpHints() {
	byName := w.naturalForeign && slices.ContainsFunc(w.tokens, func(t *tokenTable) bool { return t.meant })
	both := w.users.has("username") && w.users.has("email") && w.users.name != "auth_user"
	if byName && both {
		w.refused, w.hint.Username = true, w.username
	}
}

// over reports whether a token has expired under a policy.
func (k *ticket) over(p core.Policy) bool {
	end := k.ends
	if end.IsZero() && k.table.form == core.Authtoken && p.TTL > 0 {
		end = k.made.Add(p.TTL)
	}
	return !end.IsZero() && !end.After(genNow)
}
