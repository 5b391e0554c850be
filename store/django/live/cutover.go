package live

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/store/internal/record"
)

// CutoverState implements [core.CutoverStore].
func (s *Store) CutoverState(ctx context.Context) (cutover.State, error) {
	var row record.Cutover
	err := s.read(ctx, func(ctx context.Context, l *layout) error {
		var key string
		err := l.db.QueryRowContext(ctx, `SELECT version, changed_at, key, rules FROM authcompat_cutover`).
			Scan(&row.Version, &row.ChangedAt, &key, &row.Rules)
		if err != nil {
			return err
		}
		if row.Key, err = hex.DecodeString(key); err != nil {
			return errors.New("the key of the cutover is damaged")
		}
		return nil
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return cutover.State{}, nil
	case err != nil:
		return cutover.State{}, fmt.Errorf("select cutover: %w", err)
	}
	return row.Core()
}

// SetCutover implements [core.CutoverStore]. Of two first states at once, the second waits for
// the first, and finds it there.
func (s *Store) SetCutover(ctx context.Context, previous int64, next cutover.State, audit *core.AuditEntry) error {
	row, err := record.OfCutover(next)
	if err != nil {
		return err
	}
	statement, args := `UPDATE authcompat_cutover SET version = version + 1, changed_at = ?, rules = ? WHERE version = ?`, []any{row.ChangedAt, row.Rules, previous}
	if previous == 0 {
		statement = `INSERT INTO authcompat_cutover (id, version, changed_at, rules, key) VALUES (1, 1, ?, ?, ?) ON CONFLICT DO NOTHING`
		args[2] = hex.EncodeToString(row.Key)
	}
	return s.writeAudited(ctx, audit, func(ctx context.Context, tx *sql.Tx, l *layout) error {
		n, err := record.Affected(tx.ExecContext(ctx, l.sql(statement), args...))
		if err != nil {
			return fmt.Errorf("set cutover: %w", err)
		}
		if n == 0 {
			return core.ErrConflict
		}
		return nil
	})
}
