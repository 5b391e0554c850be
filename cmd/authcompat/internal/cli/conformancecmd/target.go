package conformancecmd

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/authcompat/authcompat/conformance"
)

// readTargets returns where the chosen profiles are spoken, and those of them that are replayed there.
func (f *runFlags) readTargets(chosen []subject) (conformance.Target, []subject, error) {
	target, err := f.parseTargets(chosen)
	if err != nil {
		return nil, nil, err
	}
	var there []subject
	for _, s := range chosen {
		_, ok := target[s.name]
		switch {
		case ok:
			there = append(there, s)
		case !slices.Contains(f.profiles, allProfiles): // of all, those that have a target are meant
			return nil, nil, fmt.Errorf("profile %s has no --target: give it one, %[1]s=URL, or leave it out of --profile", s.name)
		}
	}
	return target, there, nil
}

// parseTargets returns where which of the chosen profiles are spoken.
func (f *selection) parseTargets(chosen []subject) (conformance.Target, error) {
	target := make(conformance.Target)
	for _, value := range f.targets {
		name, address, named := splitTarget(value)
		// Nothing is shown of one that may have a password in it.
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, wrongTarget(address)
		}
		if !named {
			if len(chosen) != 1 {
				return nil, fmt.Errorf("--target %s: say which profile it speaks, NAME=URL: one server speaks one profile at an address", value)
			}
			name = chosen[0].name
		}
		if !slices.ContainsFunc(chosen, func(s subject) bool { return s.name == name }) {
			return nil, fmt.Errorf("--target %s: profile %s is not among --profile", value, name)
		}
		if _, twice := target[name]; twice {
			return nil, fmt.Errorf("--target %s: profile %s has a target already", value, name)
		}
		target[name] = address
	}
	return target, nil
}

// schemeless is a host, a port perhaps, and a path: nothing in it can be a password.
var schemeless = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?://)?((?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9/_.-]*)?)$`)
})

// wrongTarget returns the error of a target that is no address of a server. What may have a password in it is not shown.
func wrongTarget(address string) error {
	err := errors.New("--target: want [NAME=]http://HOST or [NAME=]https://HOST, without user, query and fragment")
	if m := schemeless().FindStringSubmatch(address); m != nil {
		return fmt.Errorf("%w; did you mean http://%s?", err, m[1])
	}
	return err
}

// splitTarget cuts NAME= off a target. An = behind the scheme is the URL's own.
func splitTarget(value string) (name, address string, named bool) {
	name, address, named = strings.Cut(value, "=")
	if !named || strings.Contains(name, ":") {
		return "", value, false
	}
	return name, address, true
}

// An unfit is the error of targets at which nothing can be replayed, by profile. It has at most three
// lines for each.
type unfit struct {
	error
	why map[string]error
}

// Unwrap returns the cause.
func (u unfit) Unwrap() error { return u.error }

// look looks at each target before anything is replayed. The error is an unfit, or that of the context.
func (f *runFlags) look(ctx context.Context, target conformance.Target, chosen []subject, options conformance.Options) error {
	var all []error
	why := map[string]error{}
	for _, s := range chosen {
		err := conformance.Look(ctx, s.file, target[s.name], options)
		var kind *conformance.Unfit
		switch {
		case errors.As(err, &kind):
			why[s.name] = err
			all = append(all, fmt.Errorf("--target %s: %w\n  %s", target[s.name], err, f.advice(kind)))
		case err != nil:
			return err
		}
	}
	if all == nil {
		return nil
	}
	return unfit{errors.Join(all...), why}
}

// advice says what to do about a target at which nothing can be replayed, where there is a flag for it by that.
func (f *runFlags) advice(why *conformance.Unfit) string {
	switch why.Kind {
	case conformance.TooSlow:
		return fmt.Sprintf("look at the server, or give it more time than --timeout %v", time.Duration(f.timeout))
	case conformance.NoLogin:
		if why.User != "" {
			return fmt.Sprintf("correct %s in %s; a server may have locked the user out, or this address, after wrong passwords", why.User, f.given)
		}
		return fmt.Sprintf("correct --user %s or its --password; a server may have locked the user out, or this address, after wrong passwords", f.user)
	}
	return why.Advice()
}
