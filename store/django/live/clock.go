package live

import (
	"context"
	"time"
)

// DatabaseTime implements [core.DatabaseClock], on PostgreSQL.
func (s *Store) DatabaseTime(ctx context.Context) (at time.Time, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var now int64
		err := s.db.QueryRowContext(ctx, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`).Scan(&now)
		at = micros(now)
		return err
	})
	return at, err
}
