package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles"
)

// placed is a profile and the address it is served at.
type placed struct {
	profile *profiles.Profile
	address string
}

// place reads --profile values, NAME|FILE or NAME|FILE@ADDRESS. A single profile
// without an address is served at listen.
func place(values []string, listen string, listenGiven bool) ([]placed, error) {
	if len(values) == 0 {
		return nil, fmt.Errorf("which API? Give --profile NAME or FILE; built in are %s", strings.Join(profiles.Builtin(), ", "))
	}
	var all []placed
	var addressed bool
	for _, value := range values {
		name, address := splitAddress(value)
		addressed = addressed || address != ""
		if address == "" {
			if len(values) > 1 {
				return nil, fmt.Errorf("--profile %s: several profiles need an address each: --profile %s@127.0.0.1:8001", value, value)
			}
			address = listen
		}
		p, err := profiles.Load(name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(o placed) bool { return o.profile.Name == p.Name }) {
			return nil, fmt.Errorf("--profile %s: profile %s is given twice", value, p.Name)
		}
		all = append(all, placed{p, address})
	}
	if addressed && listenGiven {
		return nil, errors.New("--listen is for a profile without @ADDRESS: give one or the other")
	}
	return all, nil
}

// splitAddress cuts off "@HOST:PORT". An @ that no address follows belongs to
// the name of a file.
func splitAddress(value string) (name, address string) {
	at := strings.LastIndexByte(value, '@')
	if at < 0 {
		return value, ""
	}
	if _, port, err := net.SplitHostPort(value[at+1:]); err != nil || port == "" {
		return value, ""
	}
	return value[:at], value[at+1:]
}
