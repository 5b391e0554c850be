package sqlite

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
)

// statements draws statements as another program may run them, about few tokens and users, so that many are in each other's way.
type statements struct {
	*rand.Rand
	digests []string // as SQL
}

const drawnUsers = 8

func (s statements) of(texts ...string) string { return texts[s.IntN(len(texts))] }

func (s statements) user() string { return fmt.Sprint(1 + s.IntN(drawnUsers+2)) }

func (s statements) digest() string { return s.of(s.digests...) }

// draw returns a statement; most that are in the way of another row say what is to happen then.
func (s statements) draw(legacy string) string {
	or := s.of("", "OR REPLACE", "OR REPLACE", "OR IGNORE", "OR FAIL")
	where := s.of("digest = "+s.digest(), "digest = "+s.digest(), "user_id = "+s.user(), "user_id IN ("+s.user()+", "+s.user()+")")
	insert := ` INTO tokens (digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, seal_key) VALUES (` +
		s.digest() + `, ` + s.user() + `, ` + s.of(`'default'`, `'x'`) + `, ` + s.of(`'a'`, `'b'`) + `, 1, ` + fmt.Sprint(s.IntN(1e6)) + `, 0, ` + s.of("0", "1") + `, '')`
	return s.of(
		`INSERT `+or+insert, `INSERT `+or+insert, `INSERT `+or+insert, `INSERT`+insert+` ON CONFLICT (digest) DO UPDATE SET user_id = excluded.user_id`,
		`REPLACE INTO tokens SELECT * FROM tokens WHERE `+where,
		`DELETE FROM tokens WHERE digest = `+s.digest(),
		`UPDATE `+or+` tokens SET expires_at = expires_at + 1 WHERE `+where,
		`UPDATE `+or+` tokens SET digest = `+s.digest()+` WHERE digest = `+s.digest(),
		`UPDATE `+or+` tokens SET user_id = `+s.user()+` WHERE `+where,
		`UPDATE `+or+` tokens SET realm = `+s.of(`'default'`, `'x'`)+`, reusable = `+s.of("0", "1")+` WHERE `+where,
		`UPDATE `+or+` tokens SET twin = `+s.of("NULL", s.digest())+` WHERE `+where,
		`UPDATE tokens SET `+legacy+` WHERE digest = `+s.digest(),
		`INSERT `+or+` INTO users (`+s.of("id", "rowid")+`, username, email, password_hash, active, created_at) VALUES (`+s.user()+`, 'u`+s.user()+`', '', '!', 1, 1)`,
		`DELETE FROM users WHERE id = `+s.user()+` AND `+s.of("0", "0", "0", "0", "0", "1"),
		`UPDATE `+or+` users SET username = 'u`+s.user()+`' WHERE id = `+s.user(),
		`UPDATE `+or+` users SET `+s.of("id", "rowid", "_rowid_", "oid")+` = `+s.user()+` WHERE id = `+s.user(),
		`UPDATE users SET active = 1 - active, attributes = '{"a": "`+s.user()+`"}' WHERE id IN (`+s.user()+`, `+s.user()+`)`,
	)
}

// around returns the statement as it is run: by itself, in a transaction, in a part of one, or undone; or what is run beside it.
func (s statements) around(statement string) []string {
	switch s.IntN(24) {
	case 0, 1:
		return []string{`BEGIN IMMEDIATE`, statement, `ROLLBACK`}
	case 2, 3:
		return []string{`BEGIN IMMEDIATE`, `SAVEPOINT part`, statement, s.of(`ROLLBACK TO part`, `RELEASE part`), `COMMIT`}
	case 4:
		return []string{`PRAGMA foreign_keys = ` + s.of("ON", "OFF"), statement}
	case 5:
		return []string{`PRAGMA recursive_triggers = ` + s.of("ON", "OFF"), statement}
	case 6:
		return []string{statement, s.of(`VACUUM`, `PRAGMA wal_checkpoint(TRUNCATE)`, moveOn(8189+s.IntN(6)), `DELETE FROM changes`)}
	}
	return []string{statement}
}

// TestCacheMakesNoDifferenceToStatements runs statements of another program, drawn at random, and compares what is found of each
// token, in both forms in which it is cached, with what is in the database.
func TestCacheMakesNoDifferenceToStatements(t *testing.T) {
	const seed, rounds = 1, 1500
	path := filepath.Join(t.TempDir(), "x.db")
	plain := openCachedAt(t, path)
	plain.cache.Unpacked = drawnUsers // so that they are dropped for want of room, too
	packed := openCachedAt(t, path)
	packed.PackTokens()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	const lower, upper = "01234567abcdef00", "01234567ABCDEF00"
	l, err := core.NewLegacy(core.Knox42, nil, lower)
	if err != nil {
		t.Fatal(err)
	}
	digest := fmt.Sprintf("x'%x'", []byte(l.Digest))
	legacy := fmt.Sprintf("(digest, generation, prefix) = (%s, '%s', '%s')", digest, l.Format, l.Prefix)
	texts := []string{lower, upper}
	s := statements{rand.New(rand.NewPCG(seed, seed)), []string{digest}}
	for i := range drawnUsers {
		text := fmt.Sprint("u", i+1)
		plain.add(t, text)
		texts = append(texts, text)
		s.digests = append(s.digests, "x'"+hexDigest(text)+"'")
	}
	done, remembered := []string{}, 0
	for range rounds {
		for _, statement := range s.around(s.draw(legacy)) {
			// Many fail, as they may: for another row, or a user that is not there.
			if _, err := db.ExecContext(t.Context(), statement); err == nil {
				done = append(done, statement)
			}
		}
		for _, text := range texts {
			for _, c := range []*cached{plain, packed} {
				if c.remembers(text) {
					remembered++
				}
				c.compare(t, text)
			}
		}
		if t.Failed() {
			t.Fatalf("after:\n%s", strings.Join(done[max(0, len(done)-10):], "\n"))
		}
	}
	if remembered < rounds || len(done) < rounds/2 {
		t.Errorf("%d statements were run, and what was compared was remembered %d times", len(done), remembered)
	}
}
