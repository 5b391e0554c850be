package transfer_test

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
)

// genNow is the time of everything in generated cases.
var genNow = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// The kinds of generated sources.
const (
	inSQLite   = "sqlite"
	inPostgres = "postgres"
	inDump     = "dump"
)

// world is a generated user base with the truth about it.
type world struct {
	*rand.Rand
	kind   string
	wal    bool // the file is in WAL mode
	tables []*genTable

	users *genTable // the table with the passwords
	child *genTable // whose rows are the users, if that is another one
	// The columns; empty where there is none.
	username, email, active, created string
	unique                           bool            // no two usernames are the same
	blind                            bool            // nor differ in capitals alone
	lower                            bool            // they come over in lower case
	folded                           map[string]bool // usernames so far, in lower case, where no two may be the same
	// toField is the column that tokens name their users by; empty: the primary key.
	toField string
	number  int64 // the next of those in such a column
	keys    string
	next    int64 // the number of the next key
	people  []*person

	tokens  []*tokenTable
	tickets []*ticket

	// How a dump names users.
	naturalForeign, naturalPrimary, twoFiles bool

	// hint is what has to be told; without it no import begins, if refused.
	hint    tables.Mapping
	refused bool
	// unclear tells that it may be asked which table the users are in.
	unclear bool
	// vendorKeys tells that there are keys of others than the users.
	vendorKeys bool
	// attachable tells that the shape can be worked on.
	attachable bool
	serial     int    // for names
	spelled    string // the last key that is a number as text
	// taken are names of users who were here before any import; left, of those who
	// are still here and were deleted at the source.
	taken, left map[string]bool
}

// tokenTable is a table of tokens.
type tokenTable struct {
	*genTable
	form  core.LegacyFormat
	own   bool
	meant bool // an import takes it
	ends  string
}

// person is a row of a user with what is true of it.
type person struct {
	row, childRow genRow
	key           string // at the source
	name          string
	password      string // empty: no login works
	active        bool
	bad           bool // can't be taken over by itself
	lost          bool // is not taken over
	weak          bool // a login makes the password anew
	heir          bool // has the key of somebody who was deleted at the source
	// came tells that an import took it over, and changed that the source has changed
	// it since; issued, that a login here gave a new token.
	came, changed, issued bool
}

// ticket is a token.
type ticket struct {
	table *tokenTable
	row   genRow
	text  string
	owner *person // nil: nobody
	bad   bool    // can't be taken over by itself
	// respelled tells that the row names its owner in other capitals.
	respelled bool
	dead      bool // its own server refuses it too
	ends      time.Time
	made      time.Time
	twin      *ticket
	second    bool // of two twins the one with the later row
	came      bool // an import took it over
}

func (w *world) chance(percent int) bool { return w.IntN(100) < percent }

func (w *world) pick(of ...string) string { return of[w.IntN(len(of))] }

// newWorld draws a user base of a case.
func newWorld(seed, number uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, number)), kind: inSQLite, attachable: true, folded: map[string]bool{}, left: map[string]bool{}}
	switch n := w.IntN(100); {
	case n < 15:
		w.kind = inPostgres
	case n < 35:
		w.kind = inDump
		w.twoFiles = w.chance(25)
		w.naturalForeign = w.chance(60)
		w.naturalPrimary = w.naturalForeign && w.chance(50)
	}
	w.wal = w.chance(10)
	w.userTables()
	w.tokenTables()
	w.makePeople()
	w.makeTickets()
	w.decoys()
	w.hints()
	return w
}

// userTables draws the tables of the users.
func (w *world) userTables() {
	name := w.pick("auth_user", "auth_user", "accounts_user", "users_customuser", "core_account", "Members")
	if w.kind == inDump {
		name = w.pick("auth_user", "accounts_user", "users_customuser")
	}
	model := strings.Replace(name, "_", ".", 1)
	t := &genTable{name: name, model: strings.ToLower(model), key: "id"}
	if w.kind == inPostgres && w.chance(15) {
		t.schema = "app"
	}
	w.keys = w.pick("serial", "serial", "serial", "bigint", "uuid", "varchar")
	if w.kind != inDump {
		t.key = w.pick("id", "id", "id", "user_id", "uid", "pk_id")
	}
	add := func(name, kind string, length int) *genColumn {
		t.columns = append(t.columns, genColumn{name: name, kind: kind, length: length})
		return &t.columns[len(t.columns)-1]
	}
	add(t.key, w.keys, 40)
	add("password", "varchar", 200)
	add("last_login", "datetime", 0).null = true
	w.unique = true
	switch w.IntN(5) {
	case 0: // an address alone
		w.username, w.email = "email", "email"
		add("email", "varchar", 300).unique = true
	case 1: // no address
		w.username = "username"
		add("username", "varchar", 300).unique = true
	default:
		w.bothNames(t, add)
	}
	if w.chance(80) {
		w.active = "is_active"
		add("is_active", "bool", 0).null = w.chance(25)
	}
	if w.chance(80) {
		w.created = w.pick("date_joined", "date_joined", "created_at")
		add(w.created, "datetime", 0)
	}
	w.furtherColumns(add)
	w.users = t
	w.capitals()
	w.tables = append(w.tables, t)
	if w.kind != inDump && w.chance(20) && (w.keys == "serial" || w.keys == "uuid") {
		w.childTable()
	}
	if w.chance(70) {
		w.Shuffle(len(t.columns), func(i, j int) { t.columns[i], t.columns[j] = t.columns[j], t.columns[i] })
	}
	w.attachable = w.keys == "serial" && (w.blind || !w.lower) // else Django knows names that are none here
	if w.kind != inDump && w.child == nil && w.chance(6) {
		t.view, w.attachable = true, false
		w.hint.UserTable, w.hint.ID, w.hint.Username = t.name, t.key, w.username
	}
}

// bothNames draws a username and an address, of which one is logged in with.
func (w *world) bothNames(t *genTable, add func(string, string, int) *genColumn) {
	add("username", "varchar", 300)
	add("email", w.pick("varchar", "varchar", "text"), 300)
	w.username, w.email = "username", "email"
	name, address := &t.columns[len(t.columns)-2], &t.columns[len(t.columns)-1]
	name.unique = true
	switch w.IntN(8) {
	case 0, 1: // both unique, and one of them may be meant
		address.unique, address.null = true, w.chance(50)
		if w.chance(50) {
			w.username, w.hint.Username, address.null = "email", "email", false
			w.hint.Defaults = map[string]string{"username": "$uuid"}
		}
	case 2: // the address alone is unique
		name.unique, address.unique = false, true
		w.username = "email"
		if w.kind == inDump { // where that can't be seen
			w.hint.Username = "email"
		}
	case 3: // neither is
		name.unique, w.unique = false, false
	default:
		address.null = w.chance(15)
	}
}

// furtherColumns draws columns that are nobody's business.
func (w *world) furtherColumns(add func(string, string, int) *genColumn) {
	further := []genColumn{
		{name: "first_name", kind: "varchar", length: 150}, {name: "last_name", kind: "varchar", length: 150},
		{name: "is_staff", kind: "bool"}, {name: "is_superuser", kind: "bool"}, {name: "bio", kind: "text", null: true},
		{name: "followers", kind: "integer"}, {name: "score", kind: "real", null: true}, {name: "api_key", kind: "varchar", length: 40, null: true},
		{name: "otp_secret", kind: "varchar", length: 32}, {name: "public_id", kind: "uuid"}, {name: "born", kind: "datetime", null: true},
		{name: "order", kind: "integer", null: true}, {name: "phone", kind: "varchar", length: 20, null: true, unique: true},
		{name: "rowid", kind: "integer", null: true}, {name: `odd "name"`, kind: "text", null: true},
	}
	if w.kind != inDump {
		further = append(further, genColumn{name: "shown", kind: "generated", expression: "coalesce(" + w.username + ", '')"})
	}
	for _, c := range further {
		if w.chance(40) {
			*add(c.name, c.kind, c.length) = c
		}
	}
}

// childTable lets the users be the rows of a table that inherits.
func (w *world) childTable() {
	key := w.pick("user_ptr_id", "member_ptr_id", "person_ptr_id")
	kind := w.keys
	if kind == "serial" {
		kind = "bigint"
	}
	w.child = &genTable{
		schema: w.users.schema, name: w.pick("members_member", "accounts_customer"), key: key,
		columns:    []genColumn{{name: key, kind: kind, length: 40}, {name: "company", kind: "varchar", length: 80}, {name: "level", kind: "integer", null: true}},
		references: []genReference{{column: key, to: w.users, late: w.chance(70)}},
	}
	w.tables = append(w.tables, w.child)
}

// named is the table whose rows are the users.
func (w *world) named() *genTable {
	if w.child != nil {
		return w.child
	}
	return w.users
}

// tokenTables draws which tables of tokens there are.
func (w *world) tokenTables() {
	refer := w.child != nil || w.chance(80)
	late := w.chance(70)
	kind := w.keys
	if kind == "serial" {
		kind = "bigint"
	}
	w.pickField(refer)
	user := genColumn{name: "user_id", kind: kind, length: 40}
	if w.toField != "" {
		of := w.users.column(w.toField)
		user.kind, user.length, user.blind = of.kind, of.length, of.blind
	}
	make := func(name, model, key string, form core.LegacyFormat, columns ...genColumn) *tokenTable {
		t := &tokenTable{form: form, genTable: &genTable{schema: w.users.schema, name: name, model: model, key: key, columns: columns}}
		t.columns = append(t.columns, genColumn{name: "created", kind: "datetime"}, user)
		if refer && w.kind != inDump {
			t.references = []genReference{{column: "user_id", to: w.named(), field: w.toField, late: late, unproven: w.kind == inPostgres && w.chance(30)}}
		}
		return t
	}
	var all []*tokenTable
	authtoken := w.chance(60)
	if authtoken {
		t := make("authtoken_token", "authtoken.token", "key", core.Authtoken, genColumn{name: "key", kind: "varchar", length: 40})
		t.columns[2].unique = w.chance(90)
		all = append(all, t)
	}
	if w.chance(40) {
		all = append(all, w.knoxTable(make))
	}
	if w.chance(25) {
		t := make(w.pick("api_accesskey", "zz_session"), "", "id", core.Authtoken,
			genColumn{name: "id", kind: "serial"}, genColumn{name: "key", kind: "varchar", length: 300})
		t.model, t.own = strings.Replace(t.name, "_", ".", 1), true
		t.columns[3].null = w.chance(30)
		if w.chance(30) {
			t.ends = w.pick("expires", "expiry")
			t.columns = append(t.columns, genColumn{name: t.ends, kind: "datetime", null: true})
		}
		all = append(all, t)
	}
	for _, t := range all {
		if w.chance(50) {
			w.Shuffle(len(t.columns), func(i, j int) { t.columns[i], t.columns[j] = t.columns[j], t.columns[i] })
		}
		w.tables = append(w.tables, t.genTable)
	}
	w.tokens = all
}

// knoxTable draws a table of one of knox's generations.
func (w *world) knoxTable(make func(name, model, key string, form core.LegacyFormat, columns ...genColumn) *tokenTable) *tokenTable {
	form := []core.LegacyFormat{core.Knox41, core.Knox42, core.Knox5}[w.IntN(3)]
	name, model := "knox_authtoken", "knox.authtoken"
	if w.chance(20) {
		name, model = "accounts_devicetoken", "accounts.devicetoken"
	}
	prefix := 8
	if form == core.Knox5 {
		prefix = 25
	}
	t := make(name, model, "digest", form, genColumn{name: "digest", kind: "varchar", length: 128}, genColumn{name: "token_key", kind: "varchar", length: prefix, null: true})
	if form == core.Knox41 {
		t.columns = append(t.columns, genColumn{name: "salt", kind: "varchar", length: 16, unique: true})
	}
	t.ends = "expiry"
	if form == core.Knox41 && w.chance(20) {
		t.ends = "expires"
	}
	t.columns = append(t.columns, genColumn{name: t.ends, kind: "datetime", null: true})
	return t
}
