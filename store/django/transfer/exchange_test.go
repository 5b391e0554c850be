package transfer_test

import (
	"context"
	"crypto/md5"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	coretransfer "github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// cutAt is a store whose process ends at the n-th step of an export that writes: before it with before, or else right after.
type cutAt struct {
	transfer.Source
	n      *int
	before bool
}

func (c cutAt) step(do func() error) error {
	*c.n--
	if *c.n < 0 || *c.n == 0 && c.before {
		return errCut
	}
	if err := do(); err != nil || *c.n > 0 {
		return err
	}
	return errCut
}

func (c cutAt) NoteExported(ctx context.Context, source int64, noted coretransfer.NotedExport) error {
	return c.step(func() error { return c.Source.NoteExported(ctx, source, noted) })
}

func (c cutAt) KeepForms(ctx context.Context, tokens []core.Token) error {
	return c.step(func() error { return c.Source.KeepForms(ctx, tokens) })
}

func (c cutAt) MarkExported(ctx context.Context, place coretransfer.Checkpoint, users []coretransfer.ImportedUser, tokens map[string][]core.Digest) error {
	return c.step(func() error { return c.Source.MarkExported(ctx, place, users, tokens) })
}

// exchanged is what the model knows of a token: on which sides it was ended after it had been on both.
type exchanged struct {
	owner          string
	both           bool
	outHere, outDj bool
}

// changed is what the model knows of a user's password: the last one that both sides had, and which sides changed it since.
type changed struct {
	same     string
	here, dj bool
}

// exchange is a model of random changes on both sides, with imports, exports, and exports that are cut off, in any order.
type exchange struct {
	*testing.T
	house
	*rand.Rand
	path   string
	db     *sql.DB
	form   *generation
	tokens map[string]*exchanged
	users  map[string]*changed
	as     map[string]string // of a password that was hashed anew here, the one before
	fresh  map[string]bool   // tokens that an export that was cut off may have written
	n      int
	log    []string
}

func (x *exchange) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err, x.log)
	}
}

func (x *exchange) newPassword(name string) string {
	x.n++
	salt := fmt.Sprint("s", x.n)
	return fmt.Sprintf("md5$%s$%x", salt, md5.Sum([]byte(salt+"pw-"+name)))
}

func (x *exchange) password(encoded string) string {
	for x.as[encoded] != "" {
		encoded = x.as[encoded]
	}
	return encoded
}

// sides returns each user's password on both sides, by name.
func (x *exchange) sides() (here, dj map[string]string) {
	here, dj = map[string]string{}, map[string]string{}
	for name := range x.users {
		if a, err := x.store.Account(x.Context(), name); err == nil {
			here[name] = x.password(a.PasswordHash)
		} else if !errors.Is(err, core.ErrNotFound) {
			x.must(err)
		}
	}
	for name, encoded := range queried(x.T, x.path, `SELECT username, password FROM auth_user`) {
		dj[name] = x.password(encoded)
	}
	return here, dj
}

// owners returns whose each token is on both sides.
func (x *exchange) owners() (here, dj map[string]string) {
	here, dj = map[string]string{}, map[string]string{}
	query := `SELECT key, username FROM authtoken_token JOIN auth_user u ON u.id = user_id`
	if x.form != nil {
		query = `SELECT digest, username FROM knox_authtoken JOIN auth_user u ON u.id = user_id`
	}
	rows := queried(x.T, x.path, query)
	for token := range x.tokens {
		if s, err := x.service.Authenticate(x.Context(), policy, core.Presented(token)); err == nil {
			here[token] = s.User.Username
		}
		if owner, ok := rows[x.row(token)]; ok {
			dj[token] = owner
		}
	}
	return here, dj
}

// row returns what a token has in its table at Django.
func (x *exchange) row(token string) string {
	if x.form == nil {
		return token
	}
	if x.form.name == core.Knox41 { // with the salt that it got by the export
		for digest, salt := range queried(x.T, x.path, `SELECT digest, salt FROM knox_authtoken WHERE token_key = '`+token[:8]+`'`) {
			if sha512hex(unhex(token), unhex(salt)) == digest {
				return digest
			}
		}
	}
	digest, _, _ := x.form.row(token)
	return digest
}

// compare checks what must never be, after a run that was complete or not.
func (x *exchange) compare(op string, complete bool) {
	x.Helper()
	here, dj := x.owners()
	for token, known := range x.tokens {
		for side, owners := range map[string]map[string]string{"here": here, "there": dj} {
			if owner := owners[token]; owner != "" && owner != known.owner {
				x.Errorf("%s: a token of %s is %s's %s: %v", op, known.owner, owner, side, x.log)
			}
		}
		if known.outHere && here[token] != "" || known.outDj && dj[token] != "" {
			x.Errorf("%s: a token that has ended lives again: %+v %v", op, *known, x.log)
		}
		if complete && (known.outHere && known.both && op == "give" && dj[token] != "" || known.outDj && known.both && op == "take" && here[token] != "") {
			x.Errorf("%s: a token that has ended on the other side lives: %+v %v", op, *known, x.log)
		}
		known.both = known.both || here[token] != "" && dj[token] != ""
	}
	ours, theirs := x.sides()
	for name, c := range x.users {
		h, d := ours[name], theirs[name]
		if h == "" || d == "" {
			continue
		}
		switch {
		case c.dj && !c.here && d == c.same, c.here && !c.dj && h == c.same:
			x.Errorf("%s: an older password of %s replaced a newer one: %v", op, name, x.log)
		case complete && c.dj != c.here && h != d && (op == "take") == c.dj:
			x.Errorf("%s: a new password of %s was not taken: %v", op, name, x.log)
		}
		if h == d {
			*c = changed{same: h}
		}
	}
}

func (x *exchange) cut() {
	to, err := tables.OpenTarget(x.Context(), x.path, tables.Mapping{}, time.UTC)
	x.must(err)
	defer to.Close()
	_, before := x.owners()
	n := 1 + x.IntN(6)
	_, err = transfer.Export(x.Context(), cutAt{x.store, &n, x.IntN(2) == 0}, to, transfer.ExportOptions{Realm: policy.Realm, Sealer: x.sealer, Clock: time.Now})
	if err != nil && !errors.Is(err, errCut) {
		x.must(err)
	}
	_, after := x.owners()
	for token := range after {
		if before[token] == "" && err != nil {
			x.fresh[token] = true
		}
	}
	x.compare("cut", err == nil)
}

// step changes one side, or moves.
func (x *exchange) step() {
	here, dj := x.owners()
	ours, theirs := x.sides()
	pick := func(m map[string]string) string {
		if keys := slices.Sorted(maps.Keys(m)); len(keys) > 0 {
			return keys[x.IntN(len(keys))]
		}
		return ""
	}
	op := []string{"djlogin", "djlogin", "djlogout", "djlogout", "login", "login", "login", "logout", "logout", "djpw", "djpw", "pw", "pw", "djdelete", "delete", "djnew", "take", "take", "give", "give", "give", "cut", "cut", "cut"}[x.IntN(24)]
	x.log = append(x.log, op)
	exec := func(query string, args ...any) {
		_, err := x.db.Exec(query, args...)
		x.must(err)
	}
	remove := func(token string) {
		if x.form == nil {
			exec(`DELETE FROM authtoken_token WHERE key = ?`, token)
		} else {
			exec(`DELETE FROM knox_authtoken WHERE digest = ?`, x.row(token))
		}
		x.tokens[token].outDj = true
		delete(x.fresh, token)
	}
	switch op {
	case "djlogin":
		name := pick(theirs)
		if name == "" {
			return
		}
		id, _ := strconv.Atoi(queried(x.T, x.path, `SELECT username, id FROM auth_user`)[name])
		token := fmt.Sprintf("%016x%016x%08x", x.Uint64(), x.Uint64(), x.Uint32())
		if x.form != nil {
			x.form.insert(x.T, x.db, id, token, "")
		} else if _, err := x.db.Exec(`INSERT INTO authtoken_token VALUES (?, '2026-01-02 03:04:05', ?)`, token, id); err != nil {
			return // has one
		}
		x.tokens[token] = &exchanged{owner: name}
	case "djlogout":
		// Where nothing is left of what was written last, nobody can tell whether it ever was.
		if token := pick(dj); token != "" && !(x.fresh[token] && len(x.fresh) == 1) {
			remove(token)
		}
	case "login":
		name := pick(ours)
		if name == "" {
			return
		}
		before, err := x.store.Account(x.Context(), name)
		x.must(err)
		s, err := x.service.Login(x.Context(), policy, name, "pw-"+name)
		x.must(err)
		after, err := x.store.Account(x.Context(), name)
		x.must(err)
		if after.PasswordHash != before.PasswordHash {
			x.as[after.PasswordHash] = before.PasswordHash
		}
		if known := x.tokens[s.Key]; known == nil {
			x.tokens[s.Key] = &exchanged{owner: name}
		} else if known.owner != name || known.outHere {
			x.Errorf("login of %s shows %+v: %v", name, *known, x.log)
		}
	case "logout":
		if token := pick(here); token != "" {
			x.logout(x.T, token)
			x.tokens[token].outHere = true
		}
	case "djpw":
		if name := pick(theirs); name != "" {
			exec(`UPDATE auth_user SET password = ? WHERE username = ?`, x.newPassword(name), name)
			x.users[name].dj = true
		}
	case "pw":
		if name := pick(ours); name != "" {
			a, err := x.store.Account(x.Context(), name)
			x.must(err)
			x.must(x.store.UpdatePassword(x.Context(), a.ID, a.PasswordHash, x.newPassword(name), false, nil))
			x.users[name].here = true
		}
	case "djdelete":
		if name := pick(theirs); name != "" && x.IntN(3) == 0 && len(x.fresh) == 0 {
			for token, owner := range dj {
				if owner == name {
					remove(token)
				}
			}
			exec(`DELETE FROM auth_user WHERE username = ?`, name)
		}
	case "delete":
		if name := pick(ours); name != "" && x.IntN(3) == 0 {
			a, err := x.store.Account(x.Context(), name)
			x.must(err)
			x.must(x.store.DeleteUser(x.Context(), a.ID, nil))
			for token, owner := range here {
				if owner == name {
					x.tokens[token].outHere = true
				}
			}
		}
	case "djnew":
		x.newUser()
	case "take":
		_, err := x.try(x.T, tables.Mapping{}, func(o *transfer.Options) { o.EndTokens = true }, x.path)
		if errors.Is(err, transfer.ErrExportCutOff) {
			x.log = append(x.log, "refused")
			return
		}
		x.must(err)
		x.compare(op, true)
		clear(x.fresh)
	case "give":
		x.give(x.T, x.path)
		x.compare(op, true)
		clear(x.fresh)
	case "cut":
		if len(x.fresh) == 0 {
			x.cut()
		}
	}
}

func (x *exchange) newUser() {
	x.n++
	name := fmt.Sprint("u", x.n)
	_, err := x.db.Exec(`INSERT INTO auth_user SELECT (SELECT coalesce(max(id), 0) + 1 FROM auth_user), ` + user(name))
	x.must(err)
	_, err = x.db.Exec(`UPDATE auth_user SET password = ?, date_joined = ? WHERE username = ?`, x.newPassword(name), time.Unix(1700000000+int64(x.n), 0).UTC().Format(time.DateTime), name)
	x.must(err)
	x.users[name] = &changed{}
}

// TestExchanges moves users and tokens to and fro while both sides change them: nobody gets another's token, what has ended on either side
// stays so, and a newer password is never replaced by an older one.
func TestExchanges(t *testing.T) {
	rounds, seed := 10, uint64(1)
	if n, err := strconv.Atoi(os.Getenv("EXCHANGES")); err == nil {
		rounds, seed = n, rand.Uint64()
	}
	forms := generations()
	for i := range rounds {
		t.Run(fmt.Sprint(seed, i), func(t *testing.T) {
			x := &exchange{T: t, house: mustHouse(t), Rand: rand.New(rand.NewPCG(seed, uint64(i))), tokens: map[string]*exchanged{}, users: map[string]*changed{}, as: map[string]string{}, fresh: map[string]bool{}}
			table := `CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL UNIQUE)`
			if n := x.IntN(6); n < len(forms) {
				x.form, table = &forms[n], forms[n].table
			}
			x.path = mustSQL(t, `CREATE TABLE auth_user (id integer PRIMARY KEY, `+columns+`)`, table)
			db, err := sql.Open("sqlite", x.path)
			x.must(err)
			t.Cleanup(func() { db.Close() })
			x.db = db
			for range 3 {
				x.newUser()
			}
			x.take(t, x.path)
			x.compare("take", true)
			for range 40 {
				if x.step(); t.Failed() {
					return
				}
			}
		})
	}
}
