//go:build linux

package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"runtime"
)

// lookup is the one look-up of a check: what a token and its user are.
const lookup = `
	SELECT t.user_id, t.issuer, t.created_at, t.expires_at, t.sliding, t.reusable, t.sealed, t.seal_key,
	       u.username, u.email, u.active, u.attributes, u.created_at
	FROM tokens t JOIN users u ON u.id = t.user_id
	WHERE t.digest = $1 AND t.realm = $2`

// lookupConnections is how many connections to the database each side has at most:
// about as many as make the bare handler quickest where the database is near.
func lookupConnections() int { return max(8, 4*runtime.GOMAXPROCS(0)) }

// lookupRole serves one reply at an address, after one look-up of always the
// same token.
func lookupRole(arguments []string) error {
	raw, err := base64.StdEncoding.DecodeString(arguments[1])
	if err != nil {
		return err
	}
	reply, err := replyOf(raw)
	if err != nil {
		return err
	}
	db, err := sql.Open("postgres", arguments[2])
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(lookupConnections())
	db.SetMaxIdleConns(lookupConnections())
	statement, err := db.Prepare(lookup)
	if err != nil {
		return err
	}
	digest := digestOf(0)
	return http.ListenAndServe(arguments[0], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var (
			user, issued, sliding, created int64
			issuer, key, username, email   string
			expires                        sql.NullInt64
			reusable, active               bool
			sealed                         []byte
			attributes                     sql.NullString
		)
		if err := statement.QueryRow(digest, "default").Scan(&user, &issuer, &issued, &expires, &sliding, &reusable, &sealed, &key,
			&username, &email, &active, &attributes, &created); err != nil {
			http.Error(w, "the look-up failed", http.StatusInternalServerError)
			return
		}
		reply(w, r)
	}))
}

func checkPostgres(ctx context.Context, b *bench) (err error) {
	db, err := startPostgres(ctx)
	if errors.Is(err, errNoPostgres) {
		b.note("token check on PostgreSQL", "not measured: it is not installed")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.remove()) }()
	if err := b.createUser(db.dsn(), fmt.Sprintf(usernameFormat, 1)); err != nil {
		return err
	}
	if err := fillPostgres(ctx, db.dsn(), checkTokens, fifteenDays()); err != nil {
		return err
	}
	server, err := b.serve(ctx, fmt.Sprintf("%s&pool_size=%d", db.dsn(), lookupConnections()), profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	raw, err := exchange(server.Address, fixed(server.Address, checkTokens)(0))
	if err != nil {
		return err
	}
	bare, err := b.bare(ctx, raw, "bare-lookup", db.dsn())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.Stop()) }()
	rounds, err := b.versus(ctx, "Check/store=postgres", server, side{name: "server=bare", server: bare})
	if err != nil {
		return err
	}
	b.besideBare("token check on PostgreSQL", "a bare handler with the one look-up", rounds)
	return nil
}
