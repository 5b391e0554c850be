package config

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/django/tables"
)

// Engine are the settings of every command that works on users and tokens.
type Engine struct {
	ConfigFile string // YAML file with settings; empty: none
	Store      string // DSN
	Mapping    string // YAML file that says what is what in a Django database; empty: none
	Iterations int    // PBKDF2's, of new password hashes
}

// ReadMapping reads the mapping, as the function of that name does; nil if there is none.
func (f *Engine) ReadMapping(ctx context.Context) (*tables.Mapping, error) {
	if f.Mapping == "" {
		return nil, nil
	}
	m, err := ReadMapping(ctx, f.Mapping)
	return &m, err
}

// AddStoreFlags adds the settings of a command that only needs to know where the store is,
// and that of the configuration file, to its flags.
func (f *Engine) AddStoreFlags(flags *pflag.FlagSet) {
	flags.StringVar(&f.ConfigFile, configFlag, "", "YAML file with settings; flags and variables go before it (authcompat config print shows its keys)")
	flags.StringVar(&f.Store, "store", store.Default, "database: sqlite:PATH or postgres://USER@HOST/DATABASE, which may have a password")
}

// AddFlags adds the settings, and that of the configuration file, to the flags of a
// command that hashes no password: --password-iterations, which it had, is taken and not shown.
func (f *Engine) AddFlags(flags *pflag.FlagSet) {
	f.AddHashingFlags(flags)
	_ = flags.MarkHidden(iterationsFlag) // fails only for a flag that is not there
}

// AddHashingFlags is AddFlags for a command that hashes passwords.
func (f *Engine) AddHashingFlags(flags *pflag.FlagSet) {
	f.AddStoreFlags(flags)
	flags.StringVar(&f.Mapping, "map", "", "YAML file that says which table and column is what, for a Django database that is worked on (django+…)")
	flags.IntVar(&f.Iterations, iterationsFlag, password.DefaultIterations, "PBKDF2 iterations of new password hashes")
}

// iterationsFlag says how strongly new passwords are hashed.
const iterationsFlag = "password-iterations"
