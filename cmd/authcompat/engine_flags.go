package main

import (
	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/store"
)

// engineFlags are what every command needs that works on users and tokens.
type engineFlags struct {
	store      string
	mapping    string
	iterations int
}

func (f *engineFlags) add(flags *pflag.FlagSet) {
	flags.String(configFlag, "", "YAML file with settings; flags and variables go before it (authcompat config print shows its keys)")
	flags.StringVar(&f.store, "store", store.Default, "database: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE")
	flags.StringVar(&f.mapping, "map", "", "YAML file that says which table and column is what, for a Django database that is worked on (django+…)")
	flags.IntVar(&f.iterations, "password-iterations", password.DefaultIterations, "PBKDF2 iterations of new password hashes")
}
