//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	_ "github.com/lib/pq" // the driver

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// postgres is a PostgreSQL of our own, on loopback.
type postgres struct {
	*process.Server
	folder string
}

// errNoPostgres says that PostgreSQL is not installed.
var errNoPostgres = errors.New("PostgreSQL is not installed")

// postgresProgram finds one of PostgreSQL's programs: in PATH, or where Debian
// has it.
func postgresProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is good
	if len(found) == 0 {
		return "", errNoPostgres
	}
	return slices.Max(found), nil
}

// servant is the user whose PostgreSQL is: it refuses to run as root.
func servant() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// startPostgres makes a database with the settings that PostgreSQL has by
// itself.
func startPostgres(ctx context.Context) (_ *postgres, err error) {
	initdb, err := postgresProgram("initdb")
	if err != nil {
		return nil, err
	}
	program, err := postgresProgram("postgres")
	if err != nil {
		return nil, err
	}
	who, err := servant()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "authcompat-bench-postgres-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(folder) // a temporary folder
		}
	}()
	if who != nil {
		if err := os.Chown(folder, int(who.Uid), int(who.Gid)); err != nil {
			return nil, err
		}
	}
	make := exec.CommandContext(ctx, initdb, "-D", folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	make.Dir, make.SysProcAttr = "/", &syscall.SysProcAttr{Credential: who}
	if out, err := make.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	// Shared memory in the folder goes with it, also if the server is killed.
	command := exec.Command(program, "-D", folder, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "dynamic_shared_memory_type=mmap")
	command.Dir, command.SysProcAttr = "/", &syscall.SysProcAttr{Credential: who}
	p, err := process.Start(address, command)
	if err != nil {
		return nil, err
	}
	db := &postgres{p, folder}
	return db, db.ready(ctx)
}

// dsn is the URL of the database that is there by itself.
func (p *postgres) dsn() string { return p.database("postgres") }

// database is the URL of a database.
func (p *postgres) database(name string) string {
	return "postgres://postgres@" + p.Address + "/" + name + "?sslmode=disable"
}

// ready waits until the database answers queries.
func (p *postgres) ready(ctx context.Context) error {
	if err := p.Listening(ctx); err != nil {
		return errors.Join(err, p.remove())
	}
	db, err := sql.Open("postgres", p.dsn())
	if err != nil {
		return err
	}
	defer db.Close()
	for began := time.Now(); time.Since(began) < process.Patience; {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return errors.Join(err, p.remove())
}

// remove ends PostgreSQL without waiting for clients, and removes its files.
func (p *postgres) remove() error {
	return errors.Join(p.StopBy(syscall.SIGINT), os.RemoveAll(p.folder))
}

// fillPostgres writes users and tokens straight into the tables that authcompat
// has made.
func fillPostgres(ctx context.Context, dsn string, tokens int64, l lifetime) (err error) {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	now := time.Now().UnixMicro()
	const users = `
		INSERT INTO users (id, username, email, password_hash, active, created_at)
		SELECT i, 'user' || lpad(i::text, 8, '0'), 'user' || lpad(i::text, 8, '0') || '@example.com', '!', TRUE, $2::bigint
		FROM generate_series(2, $1::bigint) i`
	if _, err := db.ExecContext(ctx, users, (tokens+perUser-1)/perUser, now); err != nil {
		return fmt.Errorf("users: %w", err)
	}
	if _, err := db.ExecContext(ctx, `UPDATE users SET email = username || '@example.com', created_at = $1 WHERE id = 1`, now); err != nil {
		return fmt.Errorf("users: %w", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // says only that it is committed, once it is
	rows, err := tx.PrepareContext(ctx, `
		COPY tokens (digest, user_id, realm, issuer, created_at, expires_at, sliding, reusable, seal_key) FROM STDIN`)
	if err != nil {
		return err
	}
	for i := range tokens {
		if _, err := rows.ExecContext(ctx, digestOf(i), i/perUser+1, "default", profile, now, l.expires, l.sliding.Microseconds(), false, ""); err != nil {
			return fmt.Errorf("tokens: %w", err)
		}
	}
	if _, err := rows.ExecContext(ctx); err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM ANALYZE`)
	return err
}
