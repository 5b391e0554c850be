//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// revokers is how many users log in and out at a time.
const revokers = 4

// revocations lets users log in at one server and out at another on the same
// file, while clients load the first one: after each logout the next check there
// must be refused.
func revocations(ctx context.Context, b *bench) (err error) {
	goal := int64(10_000)
	if b.quick {
		goal = 400
	}
	dsn, err := b.filled(ctx, "revocation.db", checkTokens, fifteenDays())
	if err != nil {
		return err
	}
	names := make([]string, revokers)
	for i := range names {
		// The database may have those of an earlier run.
		names[i] = fmt.Sprintf("revoker%d-%d", i, time.Now().UnixNano())
		if err := b.createUser(dsn, names[i], "--password-iterations", "1"); err != nil {
			return err
		}
	}
	var servers [2]*process.Server
	for i := range servers {
		server, err := b.serve(ctx, dsn, profile, "--password-iterations", "1")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Stop()) }()
		servers[i] = server
	}
	load, err := connect(servers[0].Address, b.connections, fixed(servers[0].Address, checkTokens))
	if err != nil {
		return err
	}
	defer load.close()

	loading, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	var loaded tally
	group.Go(func() { loaded, _ = load.run(loading, time.Hour) }) // its error is that it was stopped
	began := time.Now()
	honoured, err := revoke(ctx, names, servers[0].Address, servers[1].Address, goal)
	took := time.Since(began)
	stop()
	group.Wait()
	if err != nil {
		return err
	}
	if loaded.failed > 0 {
		return fmt.Errorf("%d of the load's requests failed", loaded.failed)
	}
	line("Revocation", int(goal), unit{float64(took.Nanoseconds()) / float64(goal), "ns/op"}, unit{float64(honoured), "honoured"})
	b.require(fmt.Sprintf("tokens honoured after a second process logged them out, of %d", goal), fmt.Sprint(honoured), "0", honoured == 0)
	b.note("  the load meanwhile, requests a second", fmt.Sprintf("%.0f", float64(loaded.done)/loaded.elapsed.Seconds()))
	b.note("  logins and logouts a second", fmt.Sprintf("%.0f", 2*float64(goal)/took.Seconds()))
	return nil
}

// revoke goes round so many times, with each user on connections of its own, and
// counts the tokens that were honoured after their logout.
func revoke(ctx context.Context, names []string, near, far string, goal int64) (int64, error) {
	var (
		begun, honoured atomic.Int64
		mu              sync.Mutex
		errs            []error
		group           sync.WaitGroup
	)
	for _, name := range names {
		group.Go(func() {
			v := &visitor{name: name}
			defer v.close()
			for ctx.Err() == nil && begun.Add(1) <= goal {
				refused, err := v.visit(near, far)
				if err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
					return
				}
				if !refused {
					honoured.Add(1)
				}
			}
		})
	}
	group.Wait()
	return honoured.Load(), errors.Join(append(errs, ctx.Err())...)
}

// visitor is a user with connections to both servers.
type visitor struct {
	name      string
	near, far net.Conn
}

func (v *visitor) close() {
	for _, conn := range []net.Conn{v.near, v.far} {
		if conn != nil {
			_ = conn.Close() // nothing is lost
		}
	}
}

// warm is how often a token is used before it is logged out.
const warm = 10

// visit logs in, uses the token, logs out at the far server and tells whether the
// next use at the near one is refused.
func (v *visitor) visit(near, far string) (refused bool, err error) {
	if err := v.connect(near, far); err != nil {
		return false, err
	}
	raw, err := ask(v.near, post(near, loginPath, "", loginBody(v.name)))
	if err != nil {
		return false, err
	}
	token, err := tokenIn(raw, "token")
	if err != nil {
		return false, err
	}
	check := get(near, accountPath+v.name+"/", token)
	for range warm {
		if raw, err = ask(v.near, check); err != nil {
			return false, err
		}
		if status(raw) != "200" {
			return false, fmt.Errorf("a live token gets %s", status(raw))
		}
	}
	if raw, err = ask(v.far, post(far, logoutPath, token, "")); err != nil {
		return false, err
	}
	if status(raw) != "200" {
		return false, fmt.Errorf("a logout gets %s", status(raw))
	}
	if raw, err = ask(v.near, check); err != nil {
		return false, err
	}
	switch status(raw) {
	case "401":
		return true, nil
	case "200":
		return false, nil
	}
	return false, fmt.Errorf("a token that was logged out gets %s", status(raw))
}

// connect opens the connections if they are not open.
func (v *visitor) connect(near, far string) (err error) {
	if v.near == nil {
		if v.near, err = net.Dial("tcp", near); err != nil {
			return err
		}
	}
	if v.far == nil {
		v.far, err = net.Dial("tcp", far)
	}
	return err
}

// ask sends a request and reads its reply.
func ask(conn net.Conn, request []byte) ([]byte, error) {
	if err := conn.SetDeadline(time.Now().Add(replyTime)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	return readReply(conn)
}

// status is the status code of a reply.
func status(raw []byte) string {
	fields := strings.Fields(string(raw[:min(len(raw), 32)]))
	if len(fields) < 2 {
		return "no status"
	}
	return fields[1]
}
