package postgres

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/record"
)

// DatabaseTime implements [core.DatabaseClock].
func (s *Store) DatabaseTime(ctx context.Context) (time.Time, error) {
	var micros int64
	err := s.read(ctx, func(ctx context.Context) error {
		return wrap("read clock", s.db.GetContext(ctx, &micros, pgconn.SelectTime))
	})
	return record.Time(micros), err
}
