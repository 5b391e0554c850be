package live

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/internal/pgdurability"
	"github.com/authcompat/authcompat/store/internal/pgencoding"
	"github.com/authcompat/authcompat/store/internal/pgprivileges"
	"github.com/jmoiron/sqlx"
)

// server is the access to a PostgreSQL database, with the time limits of package
// postgres, and on the writable primary alone.
type server struct{ pool *pgconn.Pool }

// isPostgres tells whether a source is a PostgreSQL database.
func isPostgres(source string) bool {
	return strings.HasPrefix(source, "postgres://") || strings.HasPrefix(source, "postgresql://")
}

// errSchema says how to find Django's tables in another schema.
var errSchema = errors.New("schema is for authcompat's own tables: give Django's as search_path=NAME")

// slowTimeout limits calls that no client's request makes: reading which tables there
// are, creating auxiliary ones, and reading a page of users.
const slowTimeout = time.Minute

// openPostgres opens a PostgreSQL database for live use.
func openPostgres(ctx context.Context, source string, m tables.Mapping) (access, string, *tables.Database, error) {
	settings, err := pgconn.Parse(source)
	if err == nil && settings.Schema != "" {
		err = errSchema
	}
	if err != nil {
		return nil, "", nil, fmt.Errorf("database: %w", err)
	}
	// Without a fence: a call whose commit is ambiguous fails, and its client tries again.
	s := &server{pgconn.NewPool(settings, pgconn.Options{})}
	var django *tables.Database
	err = s.pool.WithTimeout(slowTimeout).Read(ctx, func(ctx context.Context) (err error) {
		django, err = tables.OpenThrough(ctx, m, source, s.pool.DB.DB)
		return err
	})
	if err != nil {
		return nil, "", nil, fmt.Errorf("%s: %w", settings.Describe(), errors.Join(err, s.Close()))
	}
	return s, settings.Describe(), django, nil
}

// Close implements access.
func (s *server) Close() error { return s.pool.Close() }

// ping implements access.
func (s *server) ping(ctx context.Context, probe string) error { return s.pool.Ping(ctx, probe) }

// read implements access.
func (s *server) read(ctx context.Context, do func(context.Context) error) error {
	return s.pool.Read(ctx, do)
}

// readAll implements access.
func (s *server) readAll(ctx context.Context, do func(context.Context) error) error {
	return s.pool.WithTimeout(slowTimeout).Read(ctx, func(ctx context.Context) error { return do(pageContext{ctx}) })
}

// pageContext has a deadline for each of the statements it is used for: nobody knows how
// many pages there are.
type pageContext struct{ context.Context }

func (pageContext) Deadline() (time.Time, bool) { return time.Now().Add(slowTimeout), true }

// write implements access.
func (s *server) write(ctx context.Context, do txFunc) error { return writeThrough(ctx, s.pool, do) }

// writers implements access.
func (s *server) writers() int { return s.pool.Writers() }

// alter implements access.
func (s *server) alter(ctx context.Context, do txFunc) error {
	return writeThrough(ctx, s.pool.WithTimeout(slowTimeout), do)
}

// writeThrough runs do in a transaction of a pool.
func writeThrough(ctx context.Context, p *pgconn.Pool, do txFunc) error {
	return p.Write(ctx, func(ctx context.Context, tx *sqlx.Tx, _ bool) error { return do(ctx, tx.Tx) })
}

// Warnings implements [core.Warner].
func (s *Store) Warnings(ctx context.Context) (warnings []string, err error) {
	if !s.isPostgres() {
		return nil, nil
	}
	err = s.read(ctx, func(ctx context.Context, l *layout) error {
		warnings, err = pgdurability.Warnings(func(query string, into ...any) error { return l.db.QueryRowContext(ctx, query).Scan(into...) })
		if err != nil {
			return err
		}
		for _, read := range []func() (string, error){
			func() (string, error) { return pgencoding.Warning(ctx, l.db) },
			func() (string, error) { return l.auditWarning(ctx) },
			func() (string, error) { return l.laterWarning(ctx) },
			func() (string, error) { return pgprivileges.Warning(ctx, l.db, l.needs()) },
		} {
			text, err := read()
			if err != nil {
				return err
			}
			if text != "" {
				warnings = append(warnings, text)
			}
		}
		return nil
	})
	return warnings, err
}

// needs returns what a server does with Django's tables and the auxiliary ones.
func (l *layout) needs() (needs []pgprivileges.Need) {
	for _, part := range l.shape.Users.Parts() {
		needs = append(needs, pgprivileges.Need{Table: l.django.TableName(part), Rights: []string{"INSERT", "UPDATE"}})
	}
	all := []string{"INSERT", "UPDATE", "DELETE"}
	return append(needs,
		pgprivileges.Need{Table: l.django.TableName(l.tokens.Table), Rights: all},
		pgprivileges.Need{Table: "authcompat_users", Rights: []string{"INSERT", "DELETE"}},
		pgprivileges.Need{Table: "authcompat_tokens", Rights: all},
		pgprivileges.Need{Table: "authcompat_guesses", Rights: all},
		pgprivileges.Need{Table: "authcompat_audit", Rights: []string{"INSERT"}},
		pgprivileges.Need{Table: "authcompat_cutover", Rights: []string{"SELECT", "INSERT", "UPDATE"}})
}
