package tables_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
)

// TestDeleteUser deletes a user of an inherited model with the tokens and their parts, unless rows of an application, or
// other users, refer to the user: then nothing goes, and the next user is deleted all the same.
func TestDeleteUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "django.sqlite3")
	db, err := sql.Open("sqlite", path+"?_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`
		CREATE TABLE auth_user (id integer PRIMARY KEY, password varchar(128) NOT NULL, last_login datetime NULL, username varchar(150) NOT NULL UNIQUE);
		CREATE TABLE members_member (user_ptr_id integer PRIMARY KEY REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED,
			boss_id integer NULL REFERENCES members_member (user_ptr_id) DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created datetime NOT NULL, user_id integer NOT NULL UNIQUE REFERENCES members_member (user_ptr_id) DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE app_device (token_ptr_id varchar(40) PRIMARY KEY REFERENCES authtoken_token (key) DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE auth_user_groups (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE shop_order (id integer PRIMARY KEY, buyer_id integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED);
		INSERT INTO auth_user VALUES (1, '!', NULL, 'ann'), (2, '!', NULL, 'bob'), (3, '!', NULL, 'carl'), (4, '!', NULL, 'dora');
		INSERT INTO members_member VALUES (1, NULL), (2, NULL), (3, NULL), (4, 3);
		INSERT INTO authtoken_token VALUES ('a', '2026-01-02 03:04:05', 1), ('b', '2026-01-02 03:04:05', 2);
		INSERT INTO app_device VALUES ('a'), ('b');
		INSERT INTO auth_user_groups VALUES (1, 1), (2, 2);
		INSERT INTO shop_order VALUES (1, 2)`); err != nil {
		t.Fatal(err)
	}
	to, err := tables.OpenTarget(t.Context(), path, tables.Mapping{}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if err := to.Write(t.Context(), func(b *tables.Batch) error {
		for key, want := range map[string]*tables.ReferredError{"1": nil, "2": {Table: "shop_order", Column: "buyer_id"}, "3": {Table: "members_member", Column: "boss_id"}} {
			err := b.DeleteUser(t.Context(), key, core.Account{})
			var got *tables.ReferredError
			if errors.As(err, &got); (got == nil) != (want == nil) || (err == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("user %s: %v, want %v", key, err, want)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int{"auth_user": 3, "members_member": 3, "authtoken_token": 1, "app_device": 1, "auth_user_groups": 1, "shop_order": 1} {
		var n int
		if err := db.QueryRow(`SELECT count(*) FROM ` + table).Scan(&n); err != nil || n != want {
			t.Errorf("%s has %d rows, want %d, %v", table, n, want, err)
		}
	}
}
