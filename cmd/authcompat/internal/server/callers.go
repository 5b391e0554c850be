package server

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/core/callers"
)

// lastWrite limits how long a server that ends takes to write who called.
const lastWrite = 10 * time.Second

// counter returns what counts who calls, by the settings; nil: nobody is counted.
func (s *server) counter(f *config.Config) *callers.Counter {
	if s.callers == nil || !f.CountsCallers(s.engine.Backend.Plaintext != nil) {
		return nil
	}
	return s.callers
}

// writeCallers writes who called since that was last written.
func (s *server) writeCallers() {
	if s.callers == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastWrite)
	defer cancel()
	if err := s.callers.Flush(ctx); err != nil {
		s.log.Error("the last counts of callers could not be written, and are lost", "requests", s.callers.Unwritten(), "error", err)
	}
}

// collectCalls deletes who called longer ago than that is kept.
func (s *server) collectCalls(ctx context.Context, now time.Time) (int, error) {
	if s.engine.Backend.Callers == nil {
		return 0, nil
	}
	before := callers.DayOf(now.Add(-time.Duration(s.current().CallersRetention)))
	if s.current().CallersRetention == 0 {
		before++ // today's too
	}
	return s.engine.PurgeCalls(ctx, before)
}
