package postgres

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// moveExpiries locks the rows in the same order on all nodes, so that they can't
// deadlock. It is a single statement, because a server may be far away.
const moveExpiries = `
	WITH held AS (
		SELECT t.digest, m.ends
		FROM @tokens t JOIN unnest($1::bytea[], $2::bigint[]) AS m (digest, ends) ON m.digest = t.digest
		WHERE t.expires_at > $3 AND t.expires_at < m.ends
		ORDER BY t.digest FOR UPDATE OF t)
	UPDATE @tokens t SET expires_at = held.ends FROM held WHERE t.digest = held.digest`

// ExtendExpiries implements [core.ExpiryBatcher].
func (s *Store) ExtendExpiries(ctx context.Context, moves []core.ExpiryUpdate, now time.Time) error {
	digests, ends := make(pq.ByteaArray, len(moves)), make(pq.Int64Array, len(moves))
	for i, m := range moves {
		digests[i], ends[i] = m.Digest, m.To.UnixMicro()
	}
	return s.write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		_, err := tx.ExecContext(ctx, s.qualify(moveExpiries), digests, ends, now.UnixMicro())
		return wrap("move expiries", err)
	})
}
