package live

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/authcompat/authcompat/store/internal/callers"
	"github.com/authcompat/authcompat/store/internal/pgconn"
)

// callersTable is the table of who called which API. It is made when there is something to put in it:
// nobody counts in Django's database unless that is turned on.
const callersTable = `
CREATE TABLE IF NOT EXISTS authcompat_callers (
	day      BIGINT      NOT NULL,
	id       VARCHAR(64) NOT NULL,
	profile  TEXT        NOT NULL,
	endpoint TEXT        NOT NULL,
	username TEXT        NOT NULL,
	client   TEXT        NOT NULL,
	agent    TEXT        NOT NULL,
	other    INTEGER     NOT NULL,
	requests BIGINT      NOT NULL,
	refused  BIGINT      NOT NULL,
	first_at BIGINT      NOT NULL,
	last_at  BIGINT      NOT NULL,
	PRIMARY KEY (day, id)
)`

// callers returns the store of who called which API.
func (s *Store) callers() *callers.Store {
	const table = "authcompat_callers"
	exists := func(ctx context.Context, l *layout, q callers.Querier) (bool, error) {
		there, err := l.auxObjects(ctx, q)
		return there[table], err
	}
	return callers.New(callers.Access{
		Table: table,
		Bind:  func(statement string) string { return s.layout.Load().sql(statement) },
		Read: func(ctx context.Context, do func(context.Context, callers.Querier) error) error {
			return s.readAll(ctx, func(ctx context.Context, l *layout) error {
				if there, err := exists(ctx, l, l.db); err != nil || !there {
					return err
				}
				return do(ctx, l.db)
			})
		},
		Write: func(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
			return s.onLayout(ctx, func(l *layout) (err error) {
				for tries := 0; tries == 0 || overtaken(err) && tries <= maxOvertaken; tries++ {
					err = l.alter(ctx, func(ctx context.Context, tx *sql.Tx) error {
						there, err := exists(ctx, l, tx)
						if err == nil && !there {
							_, err = tx.ExecContext(ctx, callersTable)
						}
						if err != nil {
							return fmt.Errorf("create table of callers: %w", err)
						}
						return do(ctx, tx)
					})
				}
				return err
			})
		},
		Unencodable: pgconn.ErrEncoding,
	})
}
