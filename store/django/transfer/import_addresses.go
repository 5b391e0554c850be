package transfer

import (
	"context"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/tables"
)

// addresses imports the addresses that users verify with django-allauth, so that who has verified one need not
// do it again, and keys in mails that Django has sent stay good. All of them are read in each run: they have no
// time.
func (i *importer) addresses(ctx context.Context, t *tables.Table) error {
	if t == nil {
		return nil
	}
	batch := make([]addressRow, 0, batchRows)
	err := i.from.Each(ctx, *t, "", func(row tables.Row) error {
		verified, _ := core.ParseBoolean(row.Text("verified"))
		id, _ := strconv.ParseInt(row.Text("id"), 10, 64) // without one, it gets one
		batch = append(batch, addressRow{row.Text("user_id"), core.Address{ID: id, Email: row.Text("email"), Verified: verified}})
		if len(batch) < batchRows {
			return nil
		}
		err := i.addressBatch(ctx, batch)
		batch = batch[:0]
		return err
	})
	if err == nil {
		err = i.addressBatch(ctx, batch)
	}
	if err != nil {
		return fmt.Errorf("import addresses: %w", err)
	}
	return nil
}

// addressRow is an address, and the key of its user at the source.
type addressRow struct {
	owner string
	core.Address
}

// addressBatch imports addresses of the users whom this source's keys are mapped to.
func (i *importer) addressBatch(ctx context.Context, rows []addressRow) error {
	if len(rows) == 0 {
		return nil
	}
	keys := make([]string, 0, len(rows))
	for _, row := range rows {
		keys = append(keys, row.owner)
	}
	owners, _, err := i.to.ImportOwners(ctx, i.place.Source, keys, nil)
	if err != nil {
		return err
	}
	addresses := make([]core.Address, 0, len(rows))
	for _, row := range rows {
		user, known := owners[row.owner]
		if !known || !core.Storable(row.Email) || utf8.RuneCountInString(row.Email) > core.MaxEmail {
			continue // its user was refused, or it is none
		}
		row.UserID = user.ID
		addresses = append(addresses, row.Address)
	}
	i.report.Addresses += len(addresses)
	return i.to.ImportAddresses(ctx, addresses)
}
