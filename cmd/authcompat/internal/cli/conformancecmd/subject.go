package conformancecmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
)

// allProfiles stands for every built-in profile.
const allProfiles = "all"

// A selection are the flags that say which APIs a command is about.
type selection struct {
	profiles  []string // names, files or allProfiles
	exchanges []string // files
	targets   []string // [NAME=]URL
	// serves says that profiles are served in this process even if there are targets, and even if there is
	// no exchange file for them.
	serves bool
}

// A subject is an API that is replayed.
type subject struct {
	name    string            // of the profile
	profile *profiles.Profile // nil: only the exchange file is known, which is enough at a target
	file    *conformance.File // whole; nil: there is none, and the selection serves
	some    *conformance.File // the exchanges that are replayed
}

// choose loads the profiles that were asked for, and the exchange file of each.
func (f *selection) choose(ctx context.Context) ([]subject, error) {
	own, err := f.readOwn(ctx)
	if err != nil {
		return nil, err
	}
	chosen, err := f.chooseProfiles(ctx, own)
	if err != nil {
		return nil, err
	}
	for i, s := range chosen {
		at := slices.IndexFunc(own, func(file *conformance.File) bool { return file.Profile == s.name })
		if at >= 0 {
			chosen[i].file = own[at]
			continue
		}
		if len(own) > 0 && !slices.Contains(conformance.Profiles(), s.name) {
			return nil, fmt.Errorf("--exchanges %s: it says profile: %s, and --profile is %s: write the same name into both files", own[0].Name, own[0].Profile, s.name)
		}
		if chosen[i].file, err = conformance.Builtin(s.name); errors.Is(err, conformance.ErrNoExchanges) && f.serves {
			continue
		} else if errors.Is(err, conformance.ErrNoExchanges) {
			return nil, fmt.Errorf("no exchange file is built in for profile %s: give yours with --exchanges FILE (authcompat conformance show NAME > FILE starts one)", s.name)
		} else if err != nil {
			return nil, err
		}
	}
	for _, file := range own {
		if !slices.ContainsFunc(chosen, func(s subject) bool { return s.name == file.Profile }) {
			return nil, fmt.Errorf("--exchanges %s: it says profile: %s, which is not among --profile: name that, too, or correct the line", file.Name, file.Profile)
		}
	}
	return chosen, nil
}

// readOwn reads the files of --exchanges.
func (f *selection) readOwn(ctx context.Context) (own []*conformance.File, err error) {
	for _, path := range f.exchanges {
		file, err := command.ReadExchanges(ctx, path, giveProfile)
		if err != nil {
			var unread command.UnreadError
			if errors.As(err, &unread) {
				return nil, fmt.Errorf("--exchanges %w", err)
			}
			return nil, err
		}
		if slices.ContainsFunc(own, func(o *conformance.File) bool { return o.Profile == file.Profile }) {
			return nil, fmt.Errorf("--exchanges %s: another file is for profile %s, too: give one a profile", path, file.Profile)
		}
		own = append(own, file)
	}
	return own, nil
}

// chooseProfiles loads the profiles that were asked for. Without --profile they are those of the
// exchange files.
func (f *selection) chooseProfiles(ctx context.Context, own []*conformance.File) (chosen []subject, err error) {
	names := f.profiles
	switch {
	case slices.Contains(names, allProfiles):
		others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == allProfiles || profiles.Has(name) })
		names = append(profiles.Builtin(), others...)
	case len(names) == 0 && len(own) == 0:
		return nil, fmt.Errorf("which profile? Give --profile NAME, FILE or %s; built in are %s", allProfiles, strings.Join(profiles.Builtin(), ", "))
	case len(names) == 0:
		for _, file := range own {
			s := subject{name: file.Profile}
			if len(f.targets) == 0 || f.serves {
				if !profiles.Has(file.Profile) {
					return nil, fmt.Errorf("--exchanges %s: its profile, %s, is not built in: give that with --profile FILE, or a server that speaks it with --target URL", file.Name, file.Profile)
				}
				if s.profile, err = profiles.LoadContext(ctx, file.Profile); err != nil {
					return nil, err
				}
			}
			chosen = append(chosen, s)
		}
		return chosen, nil
	}
	for _, name := range names {
		p, err := profiles.LoadContext(ctx, name)
		if err != nil {
			return nil, explainExchanges(ctx, name, err, "give it with --exchanges")
		}
		if slices.ContainsFunc(chosen, func(s subject) bool { return s.name == p.Name }) {
			return nil, fmt.Errorf("--profile %s: profile %s is given twice", name, p.Name)
		}
		chosen = append(chosen, subject{name: p.Name, profile: p})
	}
	return chosen, nil
}

// explainExchanges returns the error of a profile that could not be loaded, in other words if it is an
// exchange file: with the advice.
func explainExchanges(ctx context.Context, path string, err error, advice string) error {
	if profile, ok := command.IsExchangeFile(ctx, path); ok {
		return fmt.Errorf("--profile %s: it is an exchange file, for profile %s: %s", path, profile, advice)
	}
	return err
}

// selectOnly leaves the exchanges that --only names, and the subjects that have such.
func (f *runFlags) selectOnly(chosen []subject) ([]subject, error) {
	pattern, err := conformance.NamePattern(f.only)
	if err != nil {
		return nil, fmt.Errorf("--only: %w", err)
	}
	var left []subject
	var names []string
	for _, s := range chosen {
		names = append(names, s.name)
		if s.some = s.file.Matching(pattern); len(s.some.Exchanges) > 0 {
			left = append(left, s)
		}
	}
	if len(left) == 0 {
		where := "conformance show NAME"
		if len(f.exchanges) > 0 {
			where = strings.Join(f.exchanges, ", ")
		}
		return nil, fmt.Errorf("--only %q: no exchange of %s has such a name (%s has the names; capitals count)", f.only, strings.Join(names, ", "), where)
	}
	return left, nil
}
