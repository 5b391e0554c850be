package transfer_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/django/transfer"
)

// TestExportMeetsChanges has Django change users whom an export has read and not written yet: what Django has
// acknowledged stays, and the export says so. One of them has a new password, whose old one was only hashed anew here; one,
// who was deleted here, a new address. Whoever did not change is written.
func TestExportMeetsChanges(t *testing.T) {
	const heirs = `CREATE TABLE members_member (user_ptr_id integer NOT NULL PRIMARY KEY REFERENCES auth_user (id))`
	const tokens = `CREATE TABLE authtoken_token (key varchar(40) NOT NULL PRIMARY KEY, created timestamp NOT NULL, user_id integer NOT NULL UNIQUE REFERENCES members_member (user_ptr_id))`
	for _, inherited := range []bool{false, true} {
		t.Run(fmt.Sprint("PostgreSQL ", inherited), func(t *testing.T) {
			dsn, exec := pgUsers(t, 5, "serial")
			if exec(`DROP TABLE authtoken_token`); inherited {
				exec(heirs, tokens, `INSERT INTO members_member SELECT id FROM auth_user`)
			}
			db, err := sql.Open("postgres", dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			meetChanges(t, dsn, db, `SELECT count(*) FROM pg_stat_activity a WHERE wait_event_type = 'Lock' AND EXISTS
				(SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.relation = 'auth_user'::regclass)`)
		})
	}
	for _, inherited := range []bool{false, true} {
		t.Run(fmt.Sprint("MariaDB ", inherited), func(t *testing.T) {
			m := mustMariaUsers(t, "u0", "u1", "u2", "u3", "u4")
			if m.exec(t, "DROP TABLE authtoken_token"); inherited {
				m.exec(t, "CREATE TABLE members_member (user_ptr_id integer NOT NULL PRIMARY KEY, FOREIGN KEY (user_ptr_id) REFERENCES auth_user (id))",
					fmt.Sprintf(mysqlTokens, "integer", "members_member (user_ptr_id)"), "INSERT INTO members_member SELECT id FROM auth_user")
			}
			meetChanges(t, m.dsn, m.db, "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
		})
	}
}

// meetChanges tests exports to users u0 to u4 with the ids 1 to 5. waiting is a query that counts who waits for a lock.
func meetChanges(t *testing.T, dsn string, db *sql.DB, waiting string) {
	h := mustHouse(t)
	h.take(t, dsn)
	for _, name := range []string{"u0", "u1", "u2"} {
		if _, err := h.service.Login(t.Context(), policy, name, "pw-"+name); err != nil { // replaces the weak hash
			t.Fatal(err)
		}
	}
	for _, name := range []string{"u3", "u4"} {
		account, err := h.store.Account(t.Context(), name)
		if err == nil {
			err = h.store.DeleteUser(t.Context(), account.ID, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// meet exports, and changes a row when the export waits for that of another user, which somebody has locked.
	meet := func(locked int, remove bool, change string) *transfer.ExportReport {
		t.Helper()
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.Exec(fmt.Sprintf(`UPDATE auth_user SET email = 'x' WHERE id = %d`, locked)); err != nil {
			t.Fatal(err)
		}
		done := make(chan *transfer.ExportReport)
		go func() {
			defer close(done)
			done <- h.giveWith(t, dsn, func(o *transfer.ExportOptions) { o.DeleteUsers = remove })
		}()
		for n, tries := 0, 0; n == 0; tries++ {
			if err := db.QueryRow(waiting).Scan(&n); err != nil || tries > 200 {
				t.Fatalf("the export does not wait: %v", err)
			}
			time.Sleep(200 * time.Millisecond) // MariaDB renews what it says of transactions once nobody has asked for a tenth of a second
		}
		if _, err := db.Exec(change); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		report, ok := <-done
		if !ok {
			t.FailNow()
		}
		return report
	}
	is := func(what string, query, want string) {
		t.Helper()
		var got string
		if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q, %v", what, got, want, err)
		}
	}
	report := meet(1, false, `UPDATE auth_user SET password = 'md5$salt$another' WHERE id = 2`)
	is("the new password", `SELECT password FROM auth_user WHERE id = 2`, "md5$salt$another")
	if u := report.Users; u.Updated != 2 || u.Refused != 1 {
		t.Errorf("%+v: %v", u, report.Problems)
	}
	report = meet(4, true, `UPDATE auth_user SET email = 'another@example.org' WHERE id = 5`)
	is("the sum of the ids that are left", `SELECT sum(id) FROM auth_user`, "11")
	if report.Deleted != 1 || report.Left != 1 {
		t.Errorf("%d deleted, %d left: %v", report.Deleted, report.Left, report.Problems)
	}
}
