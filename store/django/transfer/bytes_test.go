package transfer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestBytesThatAreNoText imports users of whom one has a column that is not valid
// UTF-8: only this user is refused, and no bytes are replaced. A store on PostgreSQL
// can't store them in any column.
func TestBytesThatAreNoText(t *testing.T) {
	// They come last in the order of names, and an import stores the name in its
	// checkpoint.
	bytes := `CAST(X'7aff' AS TEXT)`
	for name, test := range map[string]struct {
		sql, field string
		m          tables.Mapping
	}{
		"a name":                    {`UPDATE auth_user SET username = ` + bytes + ` WHERE id = 2`, "", tables.Mapping{}},
		"a name, in lower case":     {`UPDATE auth_user SET username = ` + bytes + ` WHERE id = 2`, "", tables.Mapping{UsernameCase: "lower"}},
		"a name that tokens have":   {`UPDATE auth_user SET username = ` + bytes + ` WHERE id = 2; UPDATE authtoken_token SET user_id = ` + bytes + ` WHERE user_id = 'u1'`, "username", tables.Mapping{}},
		"an address":                {`UPDATE auth_user SET email = ` + bytes + ` WHERE id = 2`, "", tables.Mapping{}},
		"a password":                {`UPDATE auth_user SET password = ` + bytes + ` WHERE id = 2`, "", tables.Mapping{}},
		"a column that is kept too": {`ALTER TABLE auth_user ADD city text; UPDATE auth_user SET city = ` + bytes + ` WHERE id = 2`, "", tables.Mapping{}},
	} {
		t.Run(name, func(t *testing.T) {
			key, kind := "id", "integer"
			if test.field != "" {
				key, kind = test.field, "varchar(150)"
			}
			statements := []string{`CREATE TABLE auth_user (id integer PRIMARY KEY, ` + columns + `)`,
				strings.Replace(fmt.Sprintf(authtoken, "auth_user ("+key+")"), "user_id integer", "user_id "+kind, 1)}
			for i := range 3 {
				name := fmt.Sprint("u", i)
				owner := fmt.Sprint(i + 1)
				if test.field != "" {
					owner = "'" + name + "'"
				}
				statements = append(statements, fmt.Sprintf(`INSERT INTO auth_user VALUES (%d, %s)`, i+1, user(name)),
					fmt.Sprintf(`INSERT INTO authtoken_token VALUES ('%s', %s, %s)`, text(name), joined, owner))
			}
			path := mustSQL(t, append(statements, test.sql)...)
			h := mustHouse(t)
			report, err := h.both(t, test.m, nil, path)
			wantOneRefused(t, report, err)
			h.wantOwners(t, map[string]string{text("u0"): "u0", text("u1"): "", text("u2"): "u2"})
			to, err := postgres.Open(t.Context(), postgrestest.Schema(t))
			if err != nil {
				t.Fatal(err)
			}
			defer to.Close()
			from, err := tables.Open(t.Context(), test.m, path)
			if err != nil {
				t.Fatal(err)
			}
			defer from.Close()
			report, err = transfer.Import(t.Context(), from, to, transfer.Options{Policy: policy, Sealer: h.sealer, Random: fixed{}, Zone: utc, Clock: policyTime})
			wantOneRefused(t, report, err)
		})
	}
}

// wantOneRefused checks that two of three users were imported with their tokens.
func wantOneRefused(t *testing.T, r *transfer.Report, err error) {
	t.Helper()
	if n := r.Tokens["authtoken_token"]; err != nil || r.Users.Added != 2 || r.Users.Refused != 1 || n.Added != 2 || n.Refused != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}
