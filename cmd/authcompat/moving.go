package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/django"
)

// djangoForms says in every help text what a Django user base may be given as.
const djangoForms = `  sqlite:PATH or PATH   a SQLite file of Django's
  postgres://…          a PostgreSQL database
  FILE.json             what "manage.py dumpdata" wrote`

// recordOperation records an operator's act on the whole store, where that keeps a
// record. It is recorded before it is done: it may be cut off.
func recordOperation(ctx context.Context, s any, act core.Act) error {
	audit, ok := s.(core.Auditor)
	if !ok {
		return nil
	}
	return core.New(core.Config{Audit: audit}).RecordOperation(ctx, act)
}

// djangoFlags say how a Django user base is to be read.
type djangoFlags struct {
	userTable string
	mapping   string
	zone      string
}

func (f *djangoFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.userTable, "user-table", "", "table of the users, for a dump their model (default: it is found)")
	flags.StringVar(&f.mapping, "map", "", "YAML file that says which column is what: user_table, id, username, email, password, active, created, and attributes: {ATTRIBUTE: COLUMN}")
	flags.StringVar(&f.zone, "time-zone", "UTC", "zone of dates without one: Django's TIME_ZONE if its USE_TZ is off")
}

// open opens the source and says how its rows are to be read.
func (f *djangoFlags) open(ctx context.Context, source string) (django.Source, django.Decoder, error) {
	var d django.Decoder
	var err error
	if d.Zone, err = time.LoadLocation(f.zone); err != nil {
		return nil, d, fmt.Errorf("--time-zone %q: want a name such as Europe/Berlin", f.zone)
	}
	if f.mapping != "" {
		text, err := os.ReadFile(f.mapping)
		if err != nil {
			return nil, d, fmt.Errorf("--map: %w", err)
		}
		if d.Mapping, err = django.ParseMapping(text); err != nil {
			return nil, d, fmt.Errorf("--map %s: %w", f.mapping, err)
		}
	}
	table := f.userTable
	if table == "" {
		table = d.Mapping.UserTable
	}
	from, err := django.Open(ctx, source, table)
	if err != nil {
		return nil, d, err
	}
	if d.Mapping, err = d.Mapping.On(from.Shape().Users); err != nil {
		return nil, d, errors.Join(err, from.Close())
	}
	return from, d, nil
}

// movingPolicy is the policy of the named profile; without one, that of tokens
// which never end and belong to no profile.
func movingPolicy(profile string) (core.Policy, error) {
	if profile == "" {
		return core.Policy{Issuer: "django", Realm: core.DefaultRealm}, nil
	}
	p, err := profiles.Load(profile)
	if err != nil {
		return core.Policy{}, err
	}
	return dialects.Policy(p), nil
}
