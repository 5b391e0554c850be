package transfer_test

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
)

// genNow is the current time in generated cases.
var genNow = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// The kinds of generated sources.
const (
	inSQLite   = "sqlite"
	inPostgres = "postgres"
	inDump     = "dump"
)

// world is a generated user base and what is known about it.
type world struct {
	*rand.Rand
	kind   string
	wal    bool // whether the file is in WAL mode
	tables []*genTable

	users *genTable // the table with the passwords
	child *genTable // if not nil, the table whose rows are the users
	// The columns; empty if there is none.
	username, email, active, created string
	unique                           bool            // no two usernames are equal
	blind                            bool            // nor equal except for case
	lower                            bool            // usernames are imported in lower case
	folded                           map[string]bool // lower-case usernames so far, if they have to be unique
	// toField is the column by which tokens refer to users; empty for the primary key.
	toField string
	number  int64 // the next number for such a column
	keys    string
	next    int64 // the number of the next key
	people  []*person

	tokens  []*tokenTable
	tickets []*ticket

	// How a dump refers to users.
	naturalForeign, naturalPrimary, twoFiles bool

	// hint has the required options; without them an import is refused, if refused is
	// set.
	hint    tables.Mapping
	refused bool
	// unclear is set if the user table may have to be named.
	unclear bool
	// vendorKeys is set if some foreign keys refer to other tables than users.
	vendorKeys bool
	// attachable is set if it is possible to attach to the shape.
	attachable bool
	serial     int    // for names
	spelled    string // the last key that is a number stored as text
	// taken are names of users who existed here before the first import; left, of those
	// who still exist here and were deleted in the source.
	taken, left map[string]bool
}

// tokenTable is a token table.
type tokenTable struct {
	*genTable
	form  core.LegacyFormat
	own   bool
	meant bool // whether an import uses it
	ends  string
}

// person is a user row and what is known about it.
type person struct {
	row, childRow genRow
	key           string // in the source
	name          string
	password      string // empty if no login succeeds
	active        bool
	bad           bool // invalid in itself
	lost          bool // not imported
	weak          bool // a login rehashes the password
	heir          bool // has the key of a user deleted in the source
	// came is set if the user was imported, changed if the source has changed it since,
	// and issued if a login here issued a new token.
	came, changed, issued bool
}

// ticket is a token.
type ticket struct {
	table     *tokenTable
	row       genRow
	text      string
	owner     *person // nil for none
	bad       bool    // invalid in itself
	respelled bool    // names its owner in other capitals
	dead      bool    // refused by its own server too
	ends      time.Time
	made      time.Time
	twin      *ticket
	second    bool // of two twins the one with the later row
	came      bool // was imported
}

func (w *world) chance(percent int) bool { return w.IntN(100) < percent }

func (w *world) pick(of ...string) string { return of[w.IntN(len(of))] }

// newWorld draws the user base of a case.
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

// userTables draws the user tables.
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
	case 0: // only an address
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
	w.attachable = w.keys == "serial" && (w.blind || !w.lower) // otherwise Django has names that do not exist here
	if w.kind != inDump && w.child == nil && w.chance(6) {
		t.view, w.attachable = true, false
		w.hint.UserTable, w.hint.ID, w.hint.Username = t.name, t.key, w.username
	}
}

// bothNames draws a username and an address, one of which is the login name.
func (w *world) bothNames(t *genTable, add func(string, string, int) *genColumn) {
	add("username", "varchar", 300)
	add("email", w.pick("varchar", "varchar", "text"), 300)
	w.username, w.email = "username", "email"
	name, address := &t.columns[len(t.columns)-2], &t.columns[len(t.columns)-1]
	name.unique = true
	switch w.IntN(8) {
	case 0, 1: // both are unique, so that either may be the one
		address.unique, address.null = true, w.chance(50)
		if w.chance(50) {
			w.username, w.hint.Username, address.null = "email", "email", false
			w.hint.Defaults = map[string]string{"username": "$uuid"}
		}
	case 2: // only the address is unique
		name.unique, address.unique = false, true
		w.username = "email"
		if w.kind == inDump { // dumps do not say what is unique
			w.hint.Username = "email"
		}
	case 3: // neither is unique
		name.unique, w.unique = false, false
	default:
		address.null = w.chance(15)
	}
}

// furtherColumns draws columns that do not matter.
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

// childTable makes the users the rows of an inheriting table.
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

// named returns the table whose rows are the users.
func (w *world) named() *genTable {
	if w.child != nil {
		return w.child
	}
	return w.users
}

// tokenTables draws the token tables.
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

// knoxTable draws a table of one of the generations of knox.
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
