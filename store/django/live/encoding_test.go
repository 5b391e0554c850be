package live_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestEncoding works on databases that do not have all characters: what they can't hold is
// not found, and no user is made of it.
func TestEncoding(t *testing.T) {
	const foreign = "\u0416\U0001F600"
	for _, encoding := range []string{"LATIN1", "EUC_JP", "SQL_ASCII", "UTF8"} {
		for table, ddl := range map[string]string{"knox": djangotest.KnoxDDL, "authtoken": djangotest.AuthtokenDDL} {
			for column, users := range map[string]string{
				"varchar": djangotest.UsersDDL, "char": strings.Replace(djangotest.UsersDDL, "username varchar(150)", "username char(150)", 1),
			} {
				t.Run(encoding+"/"+table+"/"+column, func(t *testing.T) {
					t.Parallel()
					dsn := postgrestest.Encoded(t, encoding)
					mustMake(t, "postgres", dsn, "serial PRIMARY KEY", "timestamp with time zone", users, ddl)
					s := mustOpen(t, dsn).(*live.Store)
					if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil); err != nil {
						t.Fatal(err)
					}
					_, accountErr := s.Account(t.Context(), foreign)
					_, _, tokenErr := s.FindToken(t.Context(), core.DefaultRealm, core.Presented(foreign+strings.Repeat("0", 38)))
					_, foldErr := s.Backend().FoldUsername(t.Context(), foreign)
					_, auditErr := s.AuditEntries(t.Context(), core.AuditFilter{Username: foreign}, 1)
					for what, err := range map[string]error{"account": accountErr, "token": tokenErr} {
						if !errors.Is(err, core.ErrNotFound) {
							t.Errorf("%s: %v", what, err)
						}
					}
					if err := errors.Join(foldErr, auditErr, s.Ping(t.Context())); err != nil {
						t.Error(err)
					}
					limited := encoding == "LATIN1" || encoding == "EUC_JP"
					for what, user := range map[string]core.NewUser{
						"username": {Username: "\U0001F600", PasswordHash: "!"}, "address": {Username: "bob", Email: "\U0001F600@x", PasswordHash: "!"},
						"attribute": {Username: "eve", Attributes: map[string]string{"location": "\U0001F600"}, PasswordHash: "!"},
					} {
						_, err := s.CreateUser(t.Context(), user, nil, nil)
						if limited != errors.Is(err, core.ErrInvalidUser) || !limited && err != nil || err != nil && strings.Contains(err.Error(), "0x") {
							t.Errorf("%s: %v", what, err)
						}
					}
					kept, agent := s.Backend().Callers, "\U0001F600"
					if err := kept.AddCalls(t.Context(), "1", []callers.Calls{{Caller: callers.Caller{User: "ann", Agent: agent}, Requests: 1}}); err != nil {
						t.Errorf("calls: %v", err)
					}
					if limited {
						agent = `\U0001f600`
					}
					if all, err := kept.SumCalls(t.Context(), callers.Filter{}, callers.ByAll); len(all) != 1 || all[0].Agent != agent || err != nil {
						t.Errorf("calls %+v, %v", all, err)
					}
					warnings, err := s.Warnings(t.Context())
					if text := strings.Join(warnings, " "); err != nil || limited != strings.Contains(text, "the encoding of the database is "+encoding) {
						t.Errorf("warnings %q, %v", warnings, err)
					}
				})
			}
		}
	}
}
