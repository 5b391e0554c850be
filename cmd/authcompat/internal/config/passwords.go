package config

import (
	"fmt"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/core/password/validation"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// CommonPasswordsFlag is the flag of the list of common passwords.
const CommonPasswordsFlag = "common-passwords-file"

// CommonPasswords is the list of passwords that the validator common of profiles refuses.
type CommonPasswords struct {
	File string            // empty: there is none
	List validation.Common // in it, once it is read
}

// AddFlags adds the setting to the flags of a command.
func (c *CommonPasswords) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&c.File, CommonPasswordsFlag, "", "file with passwords, one a line, that profiles with the validator common refuse, plain or gzip, as Django's common-passwords.txt.gz")
}

// Read reads the file, if there is one.
func (c *CommonPasswords) Read() error {
	if c.List = nil; c.File == "" {
		return nil
	}
	info, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", c.File) // to open a pipe could wait for ever
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	if c.List, err = validation.ReadCommon(file); err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return nil
}

// Options returns what the list adds to the handlers of profiles.
func (c *CommonPasswords) Options() []dialects.Option {
	if c.List == nil {
		return nil
	}
	return []dialects.Option{dialects.WithCommonPasswords(c.List)}
}

// checkPasswords reads the list of common passwords.
func (f *Server) checkPasswords(found *section.Problems) {
	if err := f.CommonPasswords.Read(); err != nil {
		found.Add(f.source(CommonPasswordsFlag), "%v", err)
	}
}

// checkLists refuses profiles that need the list where there is none.
func (f *Server) checkLists(all []BoundProfile, found *section.Problems) {
	for _, p := range all {
		if f.CommonPasswords.File == "" && slices.Contains(p.Profile.Passwords.Validators, profiles.ValidateCommon) {
			found.Add(f.source(CommonPasswordsFlag), "profile %s: %v", p.Profile.Name, dialects.ErrNoList)
		}
	}
}
