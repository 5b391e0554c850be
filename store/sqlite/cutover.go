package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// The statements that set the state of the cutover: the first one, and a later one in the
// place of a version.
const (
	firstCutover = `
	INSERT INTO cutover (id, version, changed_at, key, rules) VALUES (1, 1, :changed_at, :key, :rules) ON CONFLICT DO NOTHING`
	nextCutover = `UPDATE cutover SET version = version + 1, changed_at = :changed_at, rules = :rules WHERE version = :version`
)

// CutoverState implements [core.CutoverStore].
func (s *Store) CutoverState(ctx context.Context) (cutover.State, error) {
	var row record.Cutover
	err := s.read(ctx, func(ctx context.Context) error {
		return s.reader.GetContext(ctx, &row, `SELECT version, changed_at, key, rules FROM cutover`)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return cutover.State{}, nil
	case err != nil:
		return cutover.State{}, fmt.Errorf("select cutover: %w", err)
	}
	return row.Core()
}

// SetCutover implements [core.CutoverStore].
func (s *Store) SetCutover(ctx context.Context, previous int64, next cutover.State, audit *core.AuditEntry) error {
	row, err := record.OfCutover(next)
	if err != nil {
		return err
	}
	row.Version = previous
	statement := nextCutover
	if previous == 0 {
		statement = firstCutover
	}
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx) error {
		n, err := record.Affected(tx.NamedExecContext(ctx, statement, row))
		if err != nil {
			return fmt.Errorf("set cutover: %w", err)
		}
		if n == 0 {
			return core.ErrConflict
		}
		return nil
	})
}
