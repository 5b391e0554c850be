// Package addresses keeps the addresses that users verify in a table that all stores have, in words that
// SQLite and PostgreSQL both know. Its columns are those of django-allauth's account_emailaddress
// (allauth/account/models.py 0.57, EmailAddress): id, user_id, email and verified.
package addresses

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
)

// Querier reads.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Access is how the addresses of a Store reach the table.
type Access struct {
	// Table is its name in statements, and Bind replaces the parameters ? of a statement with those
	// of the database.
	Table string
	Bind  func(statement string) string
	// Lower and Exactly are the expressions for a column of text with the letters A to Z as a to z, and as
	// it is compared byte by byte.
	Lower, Exactly func(column string) string
	// Insert adds an address of a user, unless the user has it. It has the parameters address, verified and
	// user, and adds nothing if there is no such user.
	Insert string
	// InsertAs is Insert with an ID, for imports: it has the parameters ID, address, verified and user.
	InsertAs string
	// ReadCommitted has a transaction see what was committed before each of its statements; empty: it does.
	ReadCommitted string
	// AfterAll is added to the ID in the order of what is found, where a database should find all before it puts them in
	// order. Of an address that many have, PostgreSQL would expect to meet the first ones soon in the order of IDs, and
	// read all addresses where none of them is verified: anybody may register any number of accounts with an address.
	AfterAll string
	// Lock is the statement that lets those who verify one address, whatever its case, come one after the other, until
	// the transaction ends. It has the address in lower case as its parameter; empty: all who write do.
	Lock string
	// Unencodable is the error of a text that the database can't hold; nil: there is none.
	Unencodable error
	// Read runs do, perhaps again; Write runs it in one transaction with the audit entry, which may be tried again.
	Read  func(ctx context.Context, do func(context.Context, Querier) error) error
	Write func(ctx context.Context, audit *core.AuditEntry, do func(context.Context, *sql.Tx) error) error
}

// Book is a [core.AddressStore].
type Book struct{ Access }

// New makes a Book.
func New(a Access) *Book {
	bind := a.Bind
	a.Bind = func(statement string) string { return bind(strings.ReplaceAll(statement, "@addresses", a.Table)) }
	return &Book{a}
}

// Addresses implements [core.AddressStore].
func (b *Book) Addresses(ctx context.Context, f core.AddressFilter, limit int) (found []core.Address, err error) {
	err = b.Read(ctx, func(ctx context.Context, q Querier) error {
		found, err = b.find(ctx, q, f, limit)
		return err
	})
	if b.Unencodable != nil && errors.Is(err, b.Unencodable) {
		return nil, nil // such a text is nobody's
	}
	return found, err
}

// In returns at most limit matching addresses, as a transaction sees them.
func (b *Book) In(ctx context.Context, tx *sql.Tx, f core.AddressFilter, limit int) ([]core.Address, error) {
	return b.find(ctx, tx, f, limit)
}

// Query returns the statement that finds at most limit matching addresses, by ID, and its arguments.
func (b *Book) Query(f core.AddressFilter, limit int) (statement string, args []any) {
	condition := "1 = 1"
	add := func(text string, value any) { condition, args = condition+" AND "+text+" = ?", append(args, value) }
	if f.ID != 0 {
		add("id", f.ID)
	}
	if f.UserID != 0 {
		add("user_id", f.UserID)
	}
	if f.Verified {
		condition += " AND verified"
	}
	switch {
	case f.Email == "":
	case f.CaseBlind:
		add(b.Lower("email"), spelling.LowerASCII(f.Email))
	default: // the first two are for an index, and may take other texts for this one
		add(b.Lower("email"), spelling.LowerASCII(f.Email))
		add("email", f.Email)
		add(b.Exactly("email"), f.Email)
	}
	order := "id"
	if f.UserID != 0 || f.Email != "" {
		order += b.AfterAll
	}
	return b.Bind(`SELECT id, user_id, email, verified FROM @addresses WHERE ` + condition + ` ORDER BY ` + order + ` LIMIT ` + strconv.Itoa(limit)), args
}

// find reads matching addresses.
func (b *Book) find(ctx context.Context, q Querier, f core.AddressFilter, limit int) (found []core.Address, err error) {
	statement, args := b.Query(f, limit)
	rows, err := q.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, fmt.Errorf("select addresses: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a core.Address
		if err := rows.Scan(&a.ID, &a.UserID, &a.Email, &a.Verified); err != nil {
			return nil, fmt.Errorf("select addresses: %w", err)
		}
		found = append(found, a)
	}
	return found, rows.Err()
}

// Add adds an address of a user in a transaction, unless the user has it.
func (b *Book) Add(ctx context.Context, tx *sql.Tx, userID int64, email string, verified bool) error {
	if _, err := tx.ExecContext(ctx, b.Bind(b.Insert), email, verified, userID); err != nil {
		return fmt.Errorf("insert address: %w", err)
	}
	return nil
}

// Import does in a transaction what ImportAddresses of [transfer.Importer] says, for a table whose IDs are
// those of Django's up to [transfer.MaxUserID].
func (b *Book) Import(ctx context.Context, tx *sql.Tx, all []core.Address) error {
	for _, a := range all {
		added, err := b.importAs(ctx, tx, a)
		if err != nil || added {
			if err != nil {
				return fmt.Errorf("import address: %w", err)
			}
			continue
		}
		if err := b.Add(ctx, tx, a.UserID, a.Email, a.Verified); err != nil {
			return err
		}
		if !a.Verified {
			continue
		}
		if _, err := tx.ExecContext(ctx, b.Bind(`UPDATE @addresses SET verified = TRUE WHERE user_id = ? AND email = ? AND NOT verified`), a.UserID, a.Email); err != nil {
			return fmt.Errorf("verify address: %w", err)
		}
	}
	return nil
}

// importAs adds an address with its ID. added is false if the user has the address, or another one has the ID.
func (b *Book) importAs(ctx context.Context, tx *sql.Tx, a core.Address) (added bool, err error) {
	if a.ID <= 0 || a.ID > transfer.MaxUserID {
		return false, nil
	}
	n, err := record.Affected(tx.ExecContext(ctx, b.Bind(b.InsertAs), a.ID, a.Email, a.Verified, a.UserID))
	if err != nil || n > 0 {
		return n > 0, err
	}
	found, err := b.find(ctx, tx, core.AddressFilter{ID: a.ID}, 1)
	if err != nil || len(found) == 0 || found[0].UserID != a.UserID || found[0].Email == a.Email {
		return false, err
	}
	// The user has changed it there, in place (EmailAddress.change of allauth 0.51). A key that was mailed to the new address names
	// the ID alone: it must not verify the old one, which stays under another ID.
	if _, err := tx.ExecContext(ctx, b.Bind(`DELETE FROM @addresses WHERE id = ?`), a.ID); err != nil {
		return false, err
	}
	if n, err = record.Affected(tx.ExecContext(ctx, b.Bind(b.InsertAs), a.ID, a.Email, a.Verified, a.UserID)); err != nil {
		return false, err
	}
	return n > 0, b.Add(ctx, tx, a.UserID, found[0].Email, found[0].Verified)
}

// AddAddress implements [core.AddressStore].
func (b *Book) AddAddress(ctx context.Context, userID int64, email string) (added core.Address, err error) {
	mine := core.AddressFilter{UserID: userID, Email: email}
	err = b.Write(ctx, nil, func(ctx context.Context, tx *sql.Tx) error {
		if err := b.Add(ctx, tx, userID, email, false); err != nil {
			return err
		}
		found, err := b.find(ctx, tx, mine, 1)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return core.ErrNotFound
		}
		added = found[0]
		return nil
	})
	if b.Unencodable != nil && errors.Is(err, b.Unencodable) {
		err = fmt.Errorf("%w: %w", core.ErrInvalidUser, err)
	}
	return added, err
}

// VerifyAddress implements [core.AddressStore]. Those who verify the same address come one after the other.
func (b *Book) VerifyAddress(ctx context.Context, id int64, audit *core.AuditEntry) error {
	return b.Write(ctx, audit, func(ctx context.Context, tx *sql.Tx) error {
		if b.ReadCommitted != "" {
			if _, err := tx.ExecContext(ctx, b.ReadCommitted); err != nil {
				return fmt.Errorf("set isolation level: %w", err)
			}
		}
		found, err := b.find(ctx, tx, core.AddressFilter{ID: id}, 1)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return core.ErrNotFound
		}
		address := found[0]
		if b.Lock != "" {
			if _, err := tx.ExecContext(ctx, b.Bind(b.Lock), spelling.LowerASCII(address.Email)); err != nil {
				return fmt.Errorf("lock address: %w", err)
			}
		}
		// The row of this user comes first, and nobody else's is written, of which there may be any number: whoever runs
		// an older version locks all rows of the address, so that one of the two sees what the other did.
		n, err := record.Affected(tx.ExecContext(ctx, b.Bind(`UPDATE @addresses SET verified = TRUE WHERE id = ? AND NOT verified`), id))
		if err != nil {
			return fmt.Errorf("verify address: %w", err)
		}
		if n == 0 {
			return core.ErrNotFound
		}
		verified, err := b.find(ctx, tx, core.AddressFilter{Email: address.Email, CaseBlind: true, Verified: true}, 2)
		if err != nil {
			return err
		}
		// The first of the others decides.
		verified = slices.DeleteFunc(verified, func(a core.Address) bool { return a.ID == id })
		if len(verified) > 0 && verified[0].UserID != address.UserID {
			return core.ErrEmailTaken
		}
		return nil
	})
}
