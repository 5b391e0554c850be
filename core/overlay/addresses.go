package overlay

import (
	"context"

	"github.com/authcompat/authcompat/core"
)

// addressStore is a core.AddressStore that reads another one, and writes nothing.
type addressStore struct{ under core.AddressStore }

// Addresses implements core.AddressStore. The address of a user whom the same request would create is
// not among them: no API asks for it in the request that creates the user.
func (s addressStore) Addresses(ctx context.Context, f core.AddressFilter, limit int) ([]core.Address, error) {
	return remember(of(ctx), call("addresses", f, limit), func() ([]core.Address, error) { return s.under.Addresses(ctx, f, limit) })
}

// AddAddress implements core.AddressStore. Only who makes a mail adds an address, and none is made.
func (s addressStore) AddAddress(context.Context, int64, string) (core.Address, error) {
	return core.Address{}, core.ErrUnsupported
}

// VerifyAddress implements core.AddressStore.
func (s addressStore) VerifyAddress(ctx context.Context, id int64, _ *core.AuditEntry) error {
	found, err := s.Addresses(ctx, core.AddressFilter{ID: id}, 1)
	switch {
	case err != nil:
		return err
	case len(found) == 0 || found[0].Verified:
		return core.ErrNotFound
	}
	verified, err := s.Addresses(ctx, core.AddressFilter{Email: found[0].Email, CaseBlind: true, Verified: true}, 1)
	if err == nil && len(verified) > 0 && verified[0].UserID != found[0].UserID {
		err = core.ErrEmailTaken
	}
	return err
}
