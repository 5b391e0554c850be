package inprocess

import (
	"context"
	"fmt"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/profiles"
)

// processState reaches behind the HTTP of a server in this process.
type processState struct {
	service *core.Service
	store   core.Store
	policy  core.Policy
	links   *maillink.Generator

	addresses core.AddressStore
	*Clock
}

// CreateUser implements conformance.State.
func (s *processState) CreateUser(ctx context.Context, u conformance.User) error {
	_, err := s.service.CreateUser(ctx, s.policy, core.Registration{
		Username: u.Username, Email: u.Email, Password: u.Password, Inactive: u.Inactive, Attributes: u.Attributes,
	})
	return err
}

// linksOf returns what makes and checks the links of a profile, with a key for nothing that is worth one.
func linksOf(p *profiles.Profile) *maillink.Generator {
	return &maillink.Generator{Secrets: []string{"of servers in this process"}, AllEmails: p.Mails.Links == profiles.LinksAllauth}
}

// Link implements conformance.State.
func (s *processState) Link(ctx context.Context, username string) (uid, token string, err error) {
	a, err := s.store.Account(ctx, username)
	if err != nil {
		return "", "", fmt.Errorf("find user: %w", err)
	}
	format := maillink.Base64
	if s.links.AllEmails {
		format = maillink.Base36
	}
	user := a.LinkUser()
	if user.Emails, err = core.EmailsOf(ctx, s.addresses, a.ID); err != nil {
		return "", "", fmt.Errorf("find addresses: %w", err)
	}
	return maillink.EncodeUID(format, a.ID), s.links.Make(user, s.Now()), nil
}

// EmailKey implements conformance.State.
func (s *processState) EmailKey(ctx context.Context, username string) (key string, err error) {
	a, err := s.store.Account(ctx, username)
	if err != nil {
		return "", fmt.Errorf("find user: %w", err)
	}
	address, err := s.addresses.AddAddress(ctx, a.ID, a.Email)
	if err != nil {
		return "", fmt.Errorf("find address: %w", err)
	}
	return s.links.MakeEmailKey(address.ID, s.Now()), nil
}
