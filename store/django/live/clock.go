package live

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/record"
)

// DatabaseTime implements [core.DatabaseClock], on PostgreSQL.
func (s *Store) DatabaseTime(ctx context.Context) (at time.Time, err error) {
	err = s.read(ctx, func(ctx context.Context, l *layout) error {
		var now int64
		err := l.db.QueryRowContext(ctx, pgconn.SelectTime).Scan(&now)
		at = record.Time(now)
		return err
	})
	return at, err
}
