package postgres

import (
	"context"
	"database/sql"
	"errors"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// The statements that set the state of the cutover: the first one, and a later one in the
// place of a version. Of two at once, the second waits for the first, and finds its version.
const (
	firstCutover = `
	INSERT INTO @cutover (id, version, changed_at, key, rules) VALUES (1, 1, :changed_at, :key, :rules) ON CONFLICT (id) DO NOTHING`
	nextCutover = `UPDATE @cutover SET version = version + 1, changed_at = :changed_at, rules = :rules WHERE version = :version`
)

// selectSetCutover reports whether an earlier attempt has set the state.
const selectSetCutover = `SELECT EXISTS (SELECT 1 FROM @cutover WHERE version = $1::bigint + 1 AND changed_at = $2 AND rules = $3)`

// CutoverState implements [core.CutoverStore].
func (s *Store) CutoverState(ctx context.Context) (cutover.State, error) {
	var row record.Cutover
	err := s.read(ctx, func(ctx context.Context) error {
		return s.db.GetContext(ctx, &row, s.qualify(`SELECT version, changed_at, key, rules FROM @cutover`))
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return cutover.State{}, nil
	case err != nil:
		return cutover.State{}, wrap("select cutover", err)
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
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sqlx.Tx, retryAfterAmbiguous bool) error {
		wasSet := func() (done bool, err error) {
			err = tx.GetContext(ctx, &done, s.qualify(selectSetCutover), row.Version, row.ChangedAt, row.Rules)
			return done, wrap("select cutover", err)
		}
		if retryAfterAmbiguous {
			if done, err := wasSet(); err != nil || done {
				return err
			}
		}
		n, err := record.Affected(tx.NamedExecContext(ctx, s.qualify(statement), row))
		if err == nil && n == 0 && retryAfterAmbiguous {
			// The ambiguous commit may have completed just now.
			done, err := wasSet()
			if err != nil {
				return err
			}
			if done {
				return pgconn.ErrConflict
			}
		}
		if err == nil && n == 0 {
			return core.ErrConflict
		}
		return wrap("set cutover", err)
	})
}
