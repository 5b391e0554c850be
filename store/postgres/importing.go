package postgres

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

var _ core.Importer = (*Store)(nil)

// importRow is a row of imports.
type importRow struct {
	ID                              int64
	Run                             int64
	Options, Stage, Reached, Tables string
}

const selectImport = `SELECT id, run, options, stage, reached, tables FROM @imports WHERE source = $1`

// place gives where the run stands.
func (r importRow) place() (core.ImportPlace, error) {
	place := core.ImportPlace{Source: r.ID, Run: r.Run, Options: r.Options, Stage: r.Stage, Reached: r.Reached}
	return place, wrap(fmt.Sprintf("read tables of import %d", r.ID), json.Unmarshal([]byte(r.Tables), &place.Tables))
}

// FindImport implements [core.ImportReader].
func (s *Store) FindImport(ctx context.Context, source string) (place core.ImportPlace, err error) {
	err = s.bulk().read(ctx, func(ctx context.Context) error {
		var row importRow
		err := s.db.GetContext(ctx, &row, s.in(selectImport), source)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return wrap("select import", err)
		}
		place, err = row.place()
		return err
	})
	return place, err
}

// BeginImport implements [core.Importer].
func (s *Store) BeginImport(ctx context.Context, source, options string) (place core.ImportPlace, err error) {
	err = s.bulk().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		var row importRow
		err := tx.GetContext(ctx, &row, s.in(selectImport), source)
		if errors.Is(err, sql.ErrNoRows) {
			err = tx.GetContext(ctx, &row, s.in(`
				INSERT INTO @imports (source, options, run, stage, reached) VALUES ($1, '', 0, '', '')
				RETURNING id, run, options, stage, reached, tables`), source)
		}
		if err != nil {
			return fmt.Errorf("select import: %w", err)
		}
		if place, err = row.place(); err != nil {
			return err
		}
		if row.Stage == "" || row.Options != options {
			place.Run, place.Stage, place.Reached = row.Run+1, "", ""
		}
		place.Options = options
		return nil
	})
	return place, err
}

// keepPlace writes how far the import has come.
func (s *Store) keepPlace(ctx context.Context, tx *sqlx.Tx, p core.ImportPlace) error {
	tables, err := json.Marshal(append([]string{}, p.Tables...))
	if err != nil {
		return wrap("encode tables", err)
	}
	_, err = tx.ExecContext(ctx, s.in(`UPDATE @imports SET run = $1, options = $2, stage = $3, reached = $4, tables = $5 WHERE id = $6`),
		p.Run, p.Options, p.Stage, p.Reached, string(tables), p.Source)
	return wrap("keep place", err)
}

// FinishImport implements [core.Importer].
func (s *Store) FinishImport(ctx context.Context, place core.ImportPlace, tables []string) (ended int, err error) {
	for len(tables) > 0 {
		n, err := s.endUnseen(ctx, place, tables)
		if err != nil {
			return ended, err
		}
		if n == 0 {
			break
		}
		ended += n
	}
	err = s.bulk().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		return s.keepPlace(ctx, tx, core.ImportPlace{Source: place.Source, Run: place.Run, Tables: place.Tables})
	})
	return ended, err
}

// fromTables are the tokens here that came from tables of a source; $1 is the
// source, $2 the tables. Those whose table is not known may be of any.
const fromTables = `(
	SELECT i.digest AS link, i.run, t.digest FROM @imported_tokens i JOIN @tokens t ON t.digest = i.digest
	WHERE i.source = $1 AND (i.origin = '' OR i.origin = ANY ($2::text[]))
	UNION ALL
	SELECT i.digest AS link, i.run, t.digest FROM @imported_tokens i JOIN @tokens t ON t.twin = i.digest AND t.twin IS NOT NULL
	WHERE i.source = $1 AND (i.origin = '' OR i.origin = ANY ($2::text[]))) AS came`

// CountImported implements [core.ImportReader].
func (s *Store) CountImported(ctx context.Context, place core.ImportPlace, tables []string) (here, unseen int, err error) {
	err = s.bulk().read(ctx, func(ctx context.Context) error {
		row := s.db.QueryRowxContext(ctx, s.in(`SELECT count(*), count(*) FILTER (WHERE run < $3) FROM `+fromTables),
			place.Source, pq.Array(tables), place.Run)
		return wrap("count imported tokens", row.Scan(&here, &unseen))
	})
	return here, unseen, err
}

// showNewest makes the newest token of users that came from a source the one that
// is shown again, where they have none: $1 is the source, $2 the users.
const showNewest = `
	UPDATE @tokens SET reusable = true WHERE digest IN (
		SELECT digest FROM (
			SELECT t.digest, row_number() OVER (PARTITION BY t.user_id, t.realm, t.issuer ORDER BY t.created_at DESC, t.digest) AS place,
			       bool_or(t.reusable) OVER (PARTITION BY t.user_id, t.realm, t.issuer) AS shown
			FROM @tokens t WHERE t.user_id = ANY ($2::bigint[]) AND (t.reusable OR t.sealed IS NOT NULL
				AND EXISTS (SELECT 1 FROM @imported_tokens i WHERE i.digest = t.digest AND i.source = $1))) AS one
		WHERE place = 1 AND NOT shown)`

// endUnseen removes a batch of the tokens that the run did not see, and gives
// their number.
func (s *Store) endUnseen(ctx context.Context, place core.ImportPlace, tables []string) (ended int, err error) {
	err = s.bulk().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		var gone []struct {
			UserID   int64 `db:"user_id"`
			Reusable bool
		}
		if err := tx.SelectContext(ctx, &gone, s.in(`
			WITH unseen AS (SELECT link, digest FROM `+fromTables+` WHERE run < $3 LIMIT $4),
			marked AS (UPDATE @imported_tokens SET absent = true WHERE digest IN (SELECT link FROM unseen))
			DELETE FROM @tokens WHERE digest IN (SELECT digest FROM unseen) RETURNING user_id, reusable`),
			place.Source, pq.Array(tables), place.Run, core.MaxImport); err != nil {
			return fmt.Errorf("end unseen tokens: %w", err)
		}
		ended = len(gone)
		var users []int64 // who lose the token that they are shown
		for _, t := range gone {
			if t.Reusable {
				users = append(users, t.UserID)
			}
		}
		_, err := tx.ExecContext(ctx, s.in(showNewest), place.Source, pq.Array(users))
		return wrap("show another token", err)
	})
	return ended, err
}

// ImportUsers implements [core.Importer]. Nobody registers while a batch is
// written.
func (s *Store) ImportUsers(ctx context.Context, place core.ImportPlace, users []core.ImportedUser) (results []core.ImportResult, err error) {
	if len(users) > core.MaxImport {
		return nil, errors.New("more users than a batch may have")
	}
	err = s.bulk().write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error {
		if _, err := tx.ExecContext(ctx, s.in(`LOCK TABLE @users IN SHARE ROW EXCLUSIVE MODE`)); err != nil {
			return fmt.Errorf("lock users: %w", err)
		}
		facts, err := s.userFacts(ctx, tx, place.Source, users)
		if err != nil {
			return err
		}
		batch := core.NewUserBatch(place.Source, facts)
		results = make([]core.ImportResult, len(users))
		var added, changed userColumns
		links := map[int64]core.UserLink{} // a source may tell a user twice
		for i, in := range users {
			merged := batch.Merge(in)
			results[i] = merged.Result
			if merged.Mark == nil {
				continue
			}
			if merged.Insert && merged.ID == 0 {
				if err := tx.GetContext(ctx, &merged.ID, s.in(`SELECT nextval(pg_get_serial_sequence('@users', 'id'))`)); err != nil {
					return fmt.Errorf("draw id: %w", err)
				}
			}
			if !batch.Marked(merged) {
				links[merged.ID] = core.UserLink{UserID: merged.ID, Key: merged.Key, Mark: merged.Mark}
			}
			batch.Add(merged)
			switch {
			case merged.Insert:
				err = added.add(merged.Account)
			case merged.Write:
				err = changed.add(merged.Account)
			}
			if err != nil {
				return err
			}
		}
		if err := s.writeUsers(ctx, tx, added, changed); err != nil {
			return err
		}
		if err := s.markUsers(ctx, tx, place.Source, links); err != nil {
			return err
		}
		return s.keepPlace(ctx, tx, place)
	})
	return results, err
}

// userColumns are users, column by column.
type userColumns struct {
	ids, created                []int64
	names, emails, hashes, more []string
	active                      []bool
}

func (c *userColumns) add(a core.Account) error {
	attributes, err := encodeAttributes(a.Attributes)
	if err != nil {
		return err
	}
	c.ids, c.created = append(c.ids, a.ID), append(c.created, a.CreatedAt.UnixMicro())
	c.names, c.emails, c.hashes = append(c.names, a.Username), append(c.emails, a.Email), append(c.hashes, a.PasswordHash)
	c.more, c.active = append(c.more, attributes.String), append(c.active, a.Active)
	return nil
}

// arrays gives the columns in the order of unnestUsers.
func (c *userColumns) arrays() []any {
	return []any{
		pq.Array(c.ids), pq.Array(c.names), pq.Array(c.emails), pq.Array(c.hashes),
		pq.Array(c.active), pq.Array(c.more), pq.Array(c.created),
	}
}

const unnestUsers = `unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::bigint[])
	AS n (id, username, email, password_hash, active, attributes, created_at)`

// writeUsers writes a batch. Those who change go first, so that a name may pass
// from one of them to a new one.
func (s *Store) writeUsers(ctx context.Context, tx *sqlx.Tx, added, changed userColumns) error {
	if _, err := tx.ExecContext(ctx, s.in(`
		UPDATE @users u SET username = n.username, email = n.email, password_hash = n.password_hash,
		       active = n.active, attributes = nullif(n.attributes, '')
		FROM `+unnestUsers+` WHERE u.id = n.id`), changed.arrays()...); err != nil {
		return fmt.Errorf("update users: %w", err)
	}
	if _, err := tx.ExecContext(ctx, s.in(`
		INSERT INTO @users (id, username, email, password_hash, active, attributes, created_at)
		SELECT id, username, email, password_hash, active, nullif(attributes, ''), created_at FROM `+unnestUsers), added.arrays()...); err != nil {
		return fmt.Errorf("insert users: %w", err)
	}
	if len(added.ids) == 0 {
		return nil
	}
	// The sequence is not part of the transaction, and only ever goes up.
	_, err := tx.ExecContext(ctx, s.in(`
		SELECT setval(pg_get_serial_sequence('@users', 'id'), greatest(max(id), nextval(pg_get_serial_sequence('@users', 'id')) - 1, 1))
		FROM @users`))
	return wrap("move ids on", err)
}

// markUsers keeps who users are at a source. What a password was made anew as is
// kept only while the password that it was is the same.
func (s *Store) markUsers(ctx context.Context, tx *sqlx.Tx, source int64, links map[int64]core.UserLink) error {
	ids, keys, marks := make([]int64, 0, len(links)), make([]string, 0, len(links)), make([][]byte, 0, len(links))
	for id, l := range links {
		ids, keys, marks = append(ids, id), append(keys, l.Key), append(marks, l.Mark)
	}
	_, err := tx.ExecContext(ctx, s.in(`
		INSERT INTO @imported_users AS u (user_id, source, key, mark)
		SELECT id, $2, nullif(key, id::text), mark FROM unnest($1::bigint[], $3::text[], $4::bytea[]) AS n (id, key, mark)
		ON CONFLICT (user_id) DO UPDATE SET source = excluded.source, key = excluded.key, mark = excluded.mark,
			rehashed = CASE WHEN substr(excluded.mark, 1, 16) = substr(u.mark, 1, 16) THEN u.rehashed END`),
		pq.Array(ids), source, pq.Array(keys), pq.ByteaArray(marks))
	return wrap("mark users", err)
}
