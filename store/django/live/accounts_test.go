package live_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
)

// memberDDL is a user model with further columns of several types.
var memberDDL = strings.Replace(djangotest.UsersDDL, "first_name varchar(150) NOT NULL)",
	"first_name varchar(150) NOT NULL, followers integer NULL, vip boolean NOT NULL, born date NULL, level smallint NOT NULL)", 1)

// TestTypedAttributes keeps attributes in columns of their types, and those without a column
// beside them.
func TestTypedAttributes(t *testing.T) {
	for name, create := range databases(memberDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			s := mustOpen(t, d.source)
			accounts := s.(core.AccountStore)
			created := map[string]string{"first_name": "Zoë", "followers": "17", "vip": "true", "born": "1999-12-31", "level": "3", "color": "red"}
			was, err := s.CreateUser(t.Context(), core.NewUser{Username: "zoe", PasswordHash: "!", CreatedAt: time.Unix(0, 0), Attributes: created}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			account, err := accounts.AccountByID(t.Context(), was.ID)
			if err != nil {
				t.Fatal(err)
			}
			was = account.User
			if vip, ok := core.ParseBoolean(was.Attributes["vip"]); !vip || !ok {
				t.Errorf("vip: %q", was.Attributes["vip"])
			}
			created["vip"] = was.Attributes["vip"]
			if diff := cmp.Diff(created, was.Attributes); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
			set := func(attributes map[string]string) (core.User, error) {
				to := was
				to.Attributes = attributes
				return accounts.UpdateUser(t.Context(), core.UserChange{Was: was, To: to, Distinct: core.Distinct{}}, nil)
			}
			for attribute, text := range map[string]string{"followers": "many", "vip": "maybe", "born": "31/12/1999", "level": "40000"} {
				bad := map[string]string{"first_name": "Zoë", "followers": "17", "vip": "true", "born": "1999-12-31", "level": "3"}
				bad[attribute] = text
				if _, err := set(bad); !errors.Is(err, core.ErrInvalidUser) {
					t.Errorf("%s %s: %v", attribute, text, err)
				}
				if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "new", PasswordHash: "!", Attributes: map[string]string{attribute: text}}, nil, nil); !errors.Is(err, core.ErrInvalidUser) {
					t.Errorf("create with %s %s: %v", attribute, text, err)
				}
			}
			if _, err := set(map[string]string{"first_name": "Zoë"}); !errors.Is(err, core.ErrInvalidUser) {
				t.Errorf("no level, where the column has no empty value: %v", err)
			}
			got, err := set(map[string]string{"vip": "false", "level": "4"})
			if err != nil {
				t.Fatal(err)
			}
			if vip, ok := core.ParseBoolean(got.Attributes["vip"]); vip || !ok || got.Attributes["level"] != "4" || len(got.Attributes) != 2 {
				t.Errorf("attributes: %v", got.Attributes)
			}
			if n := d.count(t, `SELECT count(*) FROM auth_user WHERE first_name = '' AND followers IS NULL AND NOT vip AND born IS NULL AND level = 4`); n != 1 {
				t.Error("Django's row is another")
			}
		})
	}
}

// TestRefusedValues gives attributes values that the database alone knows to be wrong: it is the client who
// is told, and not that Django's tables don't fit.
func TestRefusedValues(t *testing.T) {
	checkedDDL := strings.Replace(djangotest.UsersDDL, "first_name varchar(150) NOT NULL)",
		"first_name varchar(150) NOT NULL, followers integer NULL CHECK (followers >= 0), ref uuid NULL, ratio numeric(5,2) NULL)", 1)
	for name, create := range databases(checkedDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			s := mustOpen(t, create(t).source)
			was, err := s.CreateUser(t.Context(), core.NewUser{Username: "zoe", PasswordHash: "!", Attributes: map[string]string{"followers": "1"}}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			refused := map[string]string{"followers": "-1"}
			if name == "postgres" {
				refused["ref"], refused["ratio"] = "hush", "12345.6"
			}
			for attribute, text := range refused {
				bad := map[string]string{attribute: text}
				_, created := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!", Attributes: bad}, nil, nil)
				to := was
				to.Attributes = bad
				_, updated := s.(core.AccountStore).UpdateUser(t.Context(), core.UserChange{Was: was, To: to}, nil)
				for call, err := range map[string]error{"create": created, "update": updated} {
					if !errors.Is(err, core.ErrInvalidUser) || errors.Is(err, core.ErrUnavailable) || strings.Contains(fmt.Sprint(err), text) {
						t.Errorf("%s with %s %s: %v", call, attribute, text, err)
					}
				}
			}
		})
	}
}

// TestRightsUnderOtherNames refuses attributes whose columns hold rights, whatever a mapping calls them.
func TestRightsUnderOtherNames(t *testing.T) {
	names := map[string]string{"staff": "is_staff", "root": "is_superuser", "enabled": "is_active", "hash": "password", "number": "id", "given": "first_name"}
	for name, create := range databases(djangotest.UsersDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			s, err := live.Open(t.Context(), d.source, tables.Mapping{Attributes: names})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			zoe, err := s.CreateUser(t.Context(), core.NewUser{Username: "zoe", PasswordHash: "!", Attributes: map[string]string{"given": "Zoë"}}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			account, err := s.AccountByID(t.Context(), zoe.ID)
			if err != nil {
				t.Fatal(err)
			}
			set := func(attribute, text string) error {
				to := account.User
				to.Attributes = maps.Clone(to.Attributes)
				to.Attributes[attribute] = text
				_, err := s.UpdateUser(t.Context(), core.UserChange{Was: account.User, To: to}, nil)
				return err
			}
			for attribute, text := range map[string]string{"staff": "true", "root": "true", "enabled": "false", "hash": "x", "number": "7"} {
				if err := set(attribute, text); !errors.Is(err, core.ErrInvalidUser) {
					t.Errorf("update with %s: %v", attribute, err)
				}
				if _, err := s.CreateUser(t.Context(), core.NewUser{Username: attribute, PasswordHash: "!", Attributes: map[string]string{attribute: text}}, nil, nil); !errors.Is(err, core.ErrInvalidUser) {
					t.Errorf("create with %s: %v", attribute, err)
				}
			}
			if err := set("given", "Zoe"); err != nil {
				t.Error(err)
			}
			if n := d.count(t, `SELECT count(*) FROM auth_user WHERE first_name = 'Zoe' AND NOT is_staff AND NOT is_superuser AND is_active AND password = '!'`); n != 1 {
				t.Error("Django's row is another")
			}
		})
	}
}

// TestRemoveUserWithRows deletes a user to whom rows refer: those of Django's own models and of
// tokens go too; with those of an application, nothing goes.
func TestRemoveUserWithRows(t *testing.T) {
	const refers = `integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED)`
	ddl := []string{
		djangotest.UsersDDL, djangotest.KnoxDDL, djangotest.AuthtokenDDL,
		`CREATE TABLE auth_user_groups (id ID, group_id integer NOT NULL, user_id ` + refers,
		`CREATE TABLE auth_user_user_permissions (id ID, permission_id integer NOT NULL, user_id ` + refers,
		`CREATE TABLE django_admin_log (id ID, object_repr varchar(200) NOT NULL, user_id ` + refers,
		djangotest.AddressesDDL, djangotest.ConfirmationsDDL,
		`CREATE TABLE shop_order (id ID, total integer NOT NULL, buyer_id ` + refers,
	}
	for name, create := range databases(ddl...) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			if err := d.exec(t, `INSERT INTO auth_user (id, password, is_superuser, username, last_name, email, is_staff, is_active, date_joined, first_name)
				SELECT n, 'hash', false, 'user ' || n, '', '', false, true, '2026-01-02 03:04:05', '' FROM (SELECT 101 AS n UNION SELECT 102) AS x`); err != nil {
				t.Fatal(err)
			}
			for _, user := range []int{101, 102} {
				for _, statement := range []string{
					`INSERT INTO knox_authtoken (digest, created, expiry, token_key, user_id) VALUES ('%[1]d', '2026-01-02 03:04:05', NULL, 'x', %[1]d)`,
					`INSERT INTO auth_user_groups (group_id, user_id) VALUES (1, %[1]d)`,
					`INSERT INTO auth_user_user_permissions (permission_id, user_id) VALUES (1, %[1]d)`,
					`INSERT INTO django_admin_log (object_repr, user_id) VALUES ('x', %[1]d)`,
					`INSERT INTO shop_order (total, buyer_id) VALUES (1, %[1]d)`,
					`INSERT INTO account_emailaddress (id, email, verified, "primary", user_id) VALUES (%[1]d, '', true, true, %[1]d)`,
					`INSERT INTO account_emailconfirmation (created, "key", email_address_id) VALUES ('2026-01-02 03:04:05', '%[1]d', %[1]d)`,
				} {
					if err := d.exec(t, fmt.Sprintf(statement, user)); err != nil {
						t.Fatal(err)
					}
				}
			}
			s := mustOpen(t, d.source).(core.AccountStore)
			rows := func(user int) (n int) {
				for _, where := range []string{`auth_user WHERE id`, `knox_authtoken WHERE user_id`, `auth_user_groups WHERE user_id`, `auth_user_user_permissions WHERE user_id`, `django_admin_log WHERE user_id`, `account_emailaddress WHERE user_id`, `account_emailconfirmation WHERE email_address_id`} {
					n += d.count(t, fmt.Sprintf(`SELECT count(*) FROM %s = %d`, where, user))
				}
				return n
			}
			err := s.RemoveUser(t.Context(), 101, "hash", nil)
			if !errors.Is(err, core.ErrUnsupported) || !strings.Contains(err.Error(), "shop_order") || rows(101) != 7 {
				t.Errorf("with an order: %v, %d rows are left", err, rows(101))
			}
			if err := d.exec(t, `DELETE FROM shop_order WHERE buyer_id = 101`); err != nil {
				t.Fatal(err)
			}
			if err := s.RemoveUser(t.Context(), 101, "hash", nil); err != nil || rows(101) != 0 {
				t.Errorf("without: %v, %d rows are left", err, rows(101))
			}
			if n := rows(102) + d.count(t, `SELECT count(*) FROM shop_order`); n != 8 {
				t.Errorf("another user has %d rows", n)
			}
		})
	}
}

// TestExactAddresses has a column of addresses that takes several texts for one: an address that is
// to be compared exactly is found in its own spelling alone, since each counts guesses of its own.
func TestExactAddresses(t *testing.T) {
	const email = "email varchar(254) NOT NULL"
	if !strings.Contains(djangotest.UsersDDL, email) {
		t.Fatal("the table has another column")
	}
	for name, c := range map[string]struct{ database, column, before string }{
		"nocase": {database: "sqlite", column: "varchar(254) COLLATE NOCASE"},
		"rtrim":  {database: "sqlite", column: "varchar(254) COLLATE RTRIM"},
		"citext": {database: "postgres", column: "public.citext", before: `CREATE EXTENSION IF NOT EXISTS citext SCHEMA public`},
		"icu":    {database: "postgres", column: "varchar(254) COLLATE blind", before: collation("und-u-ks-level2")},
	} {
		t.Run(name, func(t *testing.T) {
			var ddl []string
			if c.before != "" {
				ddl = append(ddl, c.before)
			}
			users := strings.Replace(djangotest.UsersDDL, email, "email "+c.column+" NOT NULL", 1)
			s := mustOpen(t, databases(append(ddl, users, djangotest.KnoxDDL)...)[c.database](t).source)
			for _, u := range []core.NewUser{{Username: "ann", Email: "Ann@example.org"}, {Username: "bob", Email: "bob@example.org"}} {
				u.PasswordHash, u.CreatedAt = "!", time.Unix(0, 0)
				if _, err := s.CreateUser(t.Context(), u, nil, nil); err != nil {
					t.Fatal(err)
				}
			}
			for text, want := range map[string]string{
				"Ann@example.org": "ann", "ann@example.org": "", "ANN@example.org": "", "Ann@example.org ": "", "bob@example.org": "bob", "": "",
			} {
				found, err := s.(core.AccountStore).FindAccounts(t.Context(), core.ByEmail, text, false, 2)
				if err != nil || len(found) > 1 || (len(found) == 1) != (want != "") || want != "" && found[0].Username != want {
					t.Errorf("%q: %v, %v", text, found, err)
				}
			}
		})
	}
}

// TestAddressAsTheUsername has the address in the place of the username (USERNAME_FIELD): who changes
// it may not have another's in other capitals, since neither could log in then with the case ignored.
func TestAddressAsTheUsername(t *testing.T) {
	users := strings.Replace(djangotest.UsersDDL, "username varchar(150) NOT NULL UNIQUE, ", "", 1)
	for name, create := range databases(users, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			s, err := live.Open(t.Context(), create(t).source, tables.Mapping{Username: "email"})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			hasher, err := hashing.NewDjangoHasher(1)
			if err != nil {
				t.Fatal(err)
			}
			engine := core.New(core.Config{Backend: s.Backend(), Hasher: hasher})
			p := core.Policy{UsernameCaseBlind: true}
			add := func(email string) core.User {
				u, err := engine.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: email, Email: email, Password: "secret"})
				if err != nil {
					t.Fatal(err)
				}
				return u
			}
			ann := add("ann@example.org")
			add("victim@example.org")
			for email, want := range map[string]core.Kind{"Victim@example.org": core.KindUsernameTaken, "victim@example.org": core.KindUsernameTaken} {
				if _, err := engine.UpdateUser(t.Context(), p, ann.ID, core.UserUpdate{Email: &email}); err == nil || core.KindOf(err) != want {
					t.Errorf("%s: %v", email, err)
				}
			}
			free := "ANN@example.org"
			if u, err := engine.UpdateUser(t.Context(), p, ann.ID, core.UserUpdate{Email: &free}); err != nil || u.Username != free || u.Email != free {
				t.Errorf("one's own: %+v, %v", u, err)
			}
		})
	}
}
