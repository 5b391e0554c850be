// Package djangocmd has the commands that move users from Django and to it: inspect, import and
// export.
package djangocmd

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/django/tables"
)

// djangoForms says in every help text what a Django user base may be given as.
const djangoForms = `  sqlite:PATH or PATH   a SQLite file of Django's
  postgres://…          a PostgreSQL database
  mysql://…             a MySQL or MariaDB database
  FILE.json …           what "manage.py dumpdata" wrote, in one file or in several`

// recordOperation records an operator's act on the whole store, where that keeps a
// record. It is recorded before it is done: it may be cut off.
func recordOperation(ctx context.Context, b store.Backend, action core.Action) error {
	return core.New(core.Config{Backend: b.Backend}).RecordOperation(ctx, action)
}

// djangoFlags say how a Django user base is to be read.
type djangoFlags struct {
	userTable   string
	tokenTables []string
	mapping     string
	zone        string
}

func (f *djangoFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.userTable, "user-table", "", "table of the users, for a dump their model (default: it is found)")
	flags.StringSliceVar(&f.tokenTables, "token-table", nil, "table of tokens that is meant, where there are several, or one of the project's own (repeatable); none: leave all tokens")
	config.WithoutVariables(flags, "token-table")
	flags.StringVar(&f.mapping, "map", "", "YAML file that says which column is what: user_table, token_table, id, username, email, password, active, created, attributes: {ATTRIBUTE: COLUMN}, username_case: lower, and defaults: {COLUMN: VALUE} for an export")
	flags.StringVar(&f.zone, "time-zone", "UTC", "zone of dates without one: Django's TIME_ZONE if its USE_TZ is off")
}

// read gives what the flags say of tables and columns, and the zone.
func (f *djangoFlags) read(ctx context.Context) (m tables.Mapping, zone *time.Location, err error) {
	if zone, err = time.LoadLocation(f.zone); err != nil {
		return m, nil, fmt.Errorf("--time-zone %q: want a name such as Europe/Berlin", f.zone)
	}
	if m, err = config.ReadMapping(ctx, f.mapping); err != nil {
		return m, nil, err
	}
	if f.userTable != "" {
		m.UserTable = f.userTable
	}
	if len(f.tokenTables) > 0 {
		m.TokenTables = f.tokenTables
	}
	return m, zone, nil
}

// open opens the source and gives the zone of dates without one.
func (f *djangoFlags) open(ctx context.Context, sources ...string) (tables.Source, *time.Location, error) {
	m, zone, err := f.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	from, err := tables.Open(ctx, m, sources...)
	return from, zone, err
}

// movingPolicy is the policy of the named profile; without one, that of tokens
// which never end and belong to no profile.
func movingPolicy(ctx context.Context, profile string) (core.Policy, error) {
	if profile == "" {
		return core.Policy{Issuer: "django", Realm: core.DefaultRealm}, nil
	}
	p, err := profiles.LoadContext(ctx, profile)
	if err != nil {
		return core.Policy{}, err
	}
	return dialects.Policy(p), nil
}
