package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/jmoiron/sqlx"
)

// firstRehearsed is above the IDs that users of another store can have got.
const firstRehearsed = transfer.MaxUserID + 1

// Seed inserts rows of another store that do not exist yet, and returns the links,
// among those of the source, of the tokens that it inserted. Users inserted without an
// ID get one that no other store uses.
func (s *Store) Seed(ctx context.Context, source int64, facts transfer.ImportFacts) (added []transfer.TokenLink, err error) {
	err = s.writeWithin(ctx, max(s.wait, bulkTimeout), func(ctx context.Context, tx *sqlx.Tx) error {
		added = nil
		sources := map[int64]bool{source: true}
		for _, l := range facts.UserLinks {
			sources[l.Source] = true
		}
		for _, l := range facts.TokenLinks {
			sources[l.Source] = true
		}
		for id := range sources {
			if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO imports (id, source, options, run, stage, reached) VALUES (?, ?, '', 0, '', '')`, id, fmt.Sprint(id)); err != nil {
				return fmt.Errorf("seed import: %w", err)
			}
		}
		if err := seedUsers(ctx, tx, facts); err != nil {
			return err
		}
		added, err = seedTokens(ctx, tx, source, facts)
		return err
	})
	return added, err
}

func seedUsers(ctx context.Context, tx *sqlx.Tx, facts transfer.ImportFacts) error {
	for _, u := range facts.Users {
		row, err := record.OfAccount(u)
		if err != nil {
			return err
		}
		if _, err := tx.NamedExecContext(ctx, `
			INSERT OR IGNORE INTO users (id, username, email, password_hash, active, attributes, created_at, last_login)
			VALUES (:id, :username, :email, :password_hash, :active, :attributes, :created_at, :last_login)`, row); err != nil {
			return fmt.Errorf("seed user: %w", err)
		}
	}
	for _, id := range facts.Deleted {
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO deleted_users (user_id) VALUES (?)`, id); err != nil {
			return fmt.Errorf("seed deleted user: %w", err)
		}
	}
	for _, l := range facts.UserLinks {
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO imported_users (user_id, source, key, mark, rehashed) VALUES (?, ?, ?, ?, ?)`,
			l.UserID, l.Source, record.KeyColumn(l.UserID, l.Key), l.Fingerprint, l.Rehashed); err != nil {
			return fmt.Errorf("seed imported user: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO sqlite_sequence (name, seq) SELECT 'users', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'users')`); err != nil {
		return fmt.Errorf("seed ids: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'users'`, int64(firstRehearsed)); err != nil {
		return fmt.Errorf("seed ids: %w", err)
	}
	return nil
}

func seedTokens(ctx context.Context, tx *sqlx.Tx, source int64, facts transfer.ImportFacts) (added []transfer.TokenLink, err error) {
	links := map[string]transfer.TokenLink{}
	for _, l := range facts.TokenLinks {
		links[string(l.Digest)] = l
	}
	for _, t := range facts.Tokens {
		l, linked := links[string(t.Digest)]
		row := struct {
			record.Token
			linkColumns
		}{record.OfToken(t), linkColumns{
			Source: sql.NullInt64{Int64: l.Source, Valid: linked},
			Origin: sql.NullString{String: l.Table, Valid: linked},
		}}
		n, err := record.Affected(tx.NamedExecContext(ctx, `
			INSERT OR IGNORE INTO tokens (`+tokenColumns+`, source, origin)
			VALUES (:digest, :user_id, :realm, :issuer, :created_at, :expires_at, :sliding, :reusable, :sealed, :seal_key,
			        :generation, :prefix, :salt, :twin, :source, :origin)`, row))
		if err != nil {
			return nil, fmt.Errorf("seed token: %w", err)
		}
		if n > 0 && linked && l.Source == source {
			added = append(added, l)
		}
		delete(links, string(t.Digest))
	}
	for _, l := range links {
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO imported_tokens (digest, source, origin, absent) VALUES (?, ?, ?, ?)`,
			[]byte(l.Digest), l.Source, l.Table, l.Absent); err != nil {
			return nil, fmt.Errorf("seed imported token: %w", err)
		}
	}
	return added, nil
}
