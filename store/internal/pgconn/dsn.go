package pgconn

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authcompat/authcompat/store/internal/pgdsn"
	"github.com/lib/pq"
)

// Defaults for settings that a DSN leaves out.
const (
	// DefaultWait limits how long a call waits for the database.
	DefaultWait = 2 * time.Second
	// DefaultConnections is the maximum number of a store's connections.
	DefaultConnections = 20
)

// Settings is a parsed DSN.
type Settings struct {
	// pq is lib/pq's configuration, with all hosts.
	pq          pq.Config
	wait        time.Duration // wait=2s
	connections int           // pool_size=20
	// Schema is schema=NAME; empty for the first of the role's search_path.
	Schema string
}

// Parse parses a DSN: a URL as lib/pq reads it, with the parameters wait, pool_size and
// schema (package postgres). Its errors never show the DSN, which contains a password.
func Parse(dsn string) (Settings, error) {
	if !pgdsn.WellFormed(dsn) {
		return Settings{}, errUnreadable
	}
	dsn, err := spreadHosts(dsn)
	if err != nil {
		return Settings{}, err
	}
	s := Settings{wait: DefaultWait, connections: DefaultConnections}
	if s.pq, err = pq.NewConfig(dsn); err != nil {
		return Settings{}, describeParsing(err)
	}
	if s.pq.ApplicationName == "" {
		s.pq.ApplicationName = "authcompat"
	}
	// A statement is sent in a single message: a pooler in transaction mode may send
	// the next message to another server connection.
	s.pq.BinaryParameters = true
	if err := s.own(); err != nil {
		return Settings{}, err
	}
	return s, s.onlyPrimary()
}

// own removes the store's own parameters from those for the server.
func (s *Settings) own() (err error) {
	take := func(name string, read func(value string) error) {
		value, ok := s.pq.Runtime[name]
		delete(s.pq.Runtime, name)
		if ok && err == nil {
			err = read(value)
		}
	}
	take("schema", func(value string) error {
		s.Schema = value
		if !regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`).MatchString(value) {
			return errors.New("schema: want a name of at most 63 small letters, digits and _")
		}
		return nil
	})
	take("wait", func(value string) error {
		d, err := time.ParseDuration(value)
		if s.wait = d; err != nil || d < 100*time.Millisecond || d > time.Minute {
			return errors.New("wait: want 100ms to 1m, for instance 2s")
		}
		return nil
	})
	take("pool_size", func(value string) error {
		n, err := strconv.Atoi(value)
		if s.connections = n; err != nil || n < 2 || n > 10_000 {
			return errors.New("pool_size: want 2 to 10000")
		}
		return nil
	})
	return err
}

// onlyPrimary makes lib/pq refuse a server that is not a writable primary: it may not
// have another node's changes yet.
func (s *Settings) onlyPrimary() error {
	switch s.pq.TargetSessionAttrs {
	case "":
		s.pq.TargetSessionAttrs = pq.TargetSessionAttrsReadWrite
	case pq.TargetSessionAttrsReadWrite, pq.TargetSessionAttrsPrimary:
	default:
		return fmt.Errorf("target_session_attrs=%s: want read-write (the default) or primary, because a standby may not have seen a logout yet", s.pq.TargetSessionAttrs)
	}
	return nil
}

// spreadHosts converts postgres://a:1,b:2/db, which libpq accepts, to the form that
// lib/pq reads, with the hosts and ports as parameters.
func spreadHosts(dsn string) (string, error) {
	scheme, rest, _ := strings.Cut(dsn, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	at := strings.LastIndexByte(authority, '@') + 1
	if !strings.Contains(authority[at:], ",") {
		return dsn, nil
	}
	var hosts, ports []string
	for _, address := range strings.Split(authority[at:], ",") {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			host, port = strings.Trim(address, "[]"), "" // without a port
		}
		hosts, ports = append(hosts, host), append(ports, port)
	}
	u, err := url.Parse(scheme + "://" + authority[:at] + tail)
	if err != nil {
		return "", describeParsing(err)
	}
	query := u.Query()
	query.Set("host", strings.Join(hosts, ","))
	if slices.ContainsFunc(ports, func(p string) bool { return p != "" }) {
		for i, port := range ports {
			if port == "" {
				ports[i] = "5432"
			}
		}
		query.Set("port", strings.Join(ports, ","))
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// describeParsing reduces an error to what can't contain a part of the DSN, other than
// the value of a parameter that is not secret.
func describeParsing(err error) error {
	if text := err.Error(); strings.HasPrefix(text, "pq: ") && !strings.Contains(text, "password") {
		return errors.New(strings.TrimPrefix(text, "pq: "))
	}
	return errUnreadable
}

// errUnreadable is the error for a DSN of which no part can safely be shown.
var errUnreadable = errors.New("the URL can't be read: want postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of a password as %XX")

// each returns a configuration for each host, in order.
func (s Settings) each() []pq.Config {
	first := s.pq.Clone()
	first.Multi = nil
	hosts := []pq.Config{first}
	for _, other := range s.pq.Multi {
		c := first.Clone()
		c.Host, c.Hostaddr, c.Port = other.Host, other.Hostaddr, other.Port
		hosts = append(hosts, c)
	}
	return hosts
}

// Describe names the database in messages.
func (s Settings) Describe() string {
	var hosts []string
	for _, c := range s.each() {
		hosts = append(hosts, net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
	}
	name := s.pq.Database
	if name == "" {
		name = s.pq.User
	}
	text := fmt.Sprintf("PostgreSQL database %q at %s", name, strings.Join(hosts, ", "))
	if s.Schema != "" {
		text += ", schema " + s.Schema
	}
	return text
}

// Describe names the database of a DSN in messages, without its password.
func Describe(dsn string) string {
	s, err := Parse(dsn)
	if err != nil {
		return "PostgreSQL"
	}
	return s.Describe()
}
