package live_test

import (
	"context"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// usernameColumn is a type of the column of usernames, and what makes it.
type usernameColumn struct {
	name, database, column string
	before, after          []string
}

// usernameColumns compare usernames in all ways that are known of.
var usernameColumns = []usernameColumn{
	{name: "sqlite", database: "sqlite", column: "varchar(150)"},
	{name: "nocase", database: "sqlite", column: "varchar(150) COLLATE NOCASE"},
	{name: "nocase with its index", database: "sqlite", column: "varchar(150) COLLATE NOCASE", after: []string{`CREATE UNIQUE INDEX blind ON auth_user (username)`}},
	{name: "rtrim", database: "sqlite", column: "varchar(150) COLLATE RTRIM"},
	{name: "nocase in an index alone", database: "sqlite", column: "varchar(150)", after: []string{`CREATE UNIQUE INDEX blind ON auth_user (username COLLATE NOCASE)`}},
	{name: "varchar", database: "postgres", column: "varchar(150)"},
	{name: "level 1", database: "postgres", column: "varchar(150) COLLATE blind", before: []string{collation("und-u-ks-level1")}},
	{name: "level 2", database: "postgres", column: "varchar(150) COLLATE blind", before: []string{collation("und-u-ks-level2")}},
	{name: "level 3", database: "postgres", column: "text COLLATE blind", before: []string{collation("und-u-ks-level3")}},
	{name: "punctuation", database: "postgres", column: "text COLLATE blind", before: []string{collation("de-u-ka-shifted-ks-level2")}},
	{name: "citext", database: "postgres", column: "public.citext", before: []string{`CREATE EXTENSION IF NOT EXISTS citext SCHEMA public`}},
	{name: "citext unseen", database: "postgres", column: "public.citext", before: []string{`CREATE EXTENSION IF NOT EXISTS citext SCHEMA public`}},
	{name: "char", database: "postgres", column: "char(150)"},
}

func collation(locale string) string {
	return `CREATE COLLATION blind (provider = icu, locale = '` + locale + `', deterministic = false)`
}

// open makes the tables and opens a store on them.
func (c usernameColumn) open(t *testing.T) (*live.Store, database) {
	t.Helper()
	// Indexes of their own would make SQLite refuse what the column takes for one.
	users := strings.Replace(djangotest.UsersDDL, "username varchar(150) NOT NULL UNIQUE", "username "+c.column+" NOT NULL", 1)
	d := databases(append(append(c.before, users, djangotest.KnoxDDL), c.after...)...)[c.database](t)
	source := d.source
	if c.name == "citext" { // where its operators are
		u, err := url.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		source = postgrestest.With(t, source, "search_path", u.Query().Get("search_path")+",public")
	}
	return mustOpen(t, source).(*live.Store), d
}

// alike are groups of usernames; some columns take those of a group for one, others do not.
var alike = [][]string{
	{"alice", "ALICE", "Alice", "al\u00adice", "al\u200bice", "\uff41lice", "alice ", " alice", "a-lice", "a\u0301lice", "\u00e1lice", "\u00c1LICE"},
	{"sam", "\u017fam", "SAM"},
	{"strasse", "stra\u00dfe", "STRASSE", "STRA\u1e9eE"},
	{"istanbul", "\u0130stanbul", "\u0131stanbul", "ISTANBUL"},
	{"\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3", "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3"},
	{"fin", "\ufb01n", "FIN"},
	{"_", "\u00ad", " ", ""},
}

// TestFoldIsTheColumnsRelation has an account with each of some usernames, and looks for it
// by the others: those which find it, and no others, have its fold. If two relations
// differed, spellings would count together where a name exists, and apart where it does
// not, or the other way round.
func TestFoldIsTheColumnsRelation(t *testing.T) {
	for _, c := range usernameColumns {
		t.Run(c.name, func(t *testing.T) {
			s, d := c.open(t)
			fold := s.Backend().FoldUsername
			if fold == nil {
				fold = func(_ context.Context, username string) (string, error) { return username, nil }
			}
			folded := func(name string) string {
				text, err := fold(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			same := 0
			for _, names := range alike {
				for _, name := range names {
					if _, err := s.CreateUser(t.Context(), core.NewUser{Username: name, PasswordHash: "!"}, nil, nil); err != nil {
						t.Fatal(err)
					}
					for _, typed := range names {
						_, err := s.Account(t.Context(), typed)
						if one := folded(name) == folded(typed); one != (err == nil) {
							t.Errorf("%+q for %+q: one fold: %t; look-up: %v", typed, name, one, err)
						}
						if err == nil && typed != name {
							same++
						}
					}
					if err := d.exec(t, `DELETE FROM auth_user`); err != nil {
						t.Fatal(err)
					}
				}
			}
			if blind := c.name != "sqlite" && c.name != "varchar" && !strings.Contains(c.name, "alone") && !strings.Contains(c.name, "unseen"); blind != (same > 0) {
				t.Errorf("%d spellings find another one's account", same)
			}
		})
	}
}

// countedDummies is a hasher that keeps what picked the cost of the last login.
type countedDummies struct {
	*hashing.Pool
	picked string
}

func (h *countedDummies) HashDummy(ctx context.Context, username, plain string) error {
	h.picked = username
	return h.Pool.HashDummy(ctx, username, plain)
}

func (h *countedDummies) Check(ctx context.Context, username, encoded, plain string) (ok, rehash bool, err error) {
	h.picked = encoded
	return h.Pool.Check(ctx, username, encoded, plain)
}

func (h *countedDummies) SimulateLatency(ctx context.Context, username, encoded string, more time.Duration) error {
	if h.picked = encoded; encoded == "" {
		h.picked = username
	}
	return nil
}

// TestSpellingsDoNotTellNames uses up the guesses at a name, which exists or not, and then
// guesses once by each of its spellings: which of these are refused, and which cost what
// the name does, is the same.
func TestSpellingsDoNotTellNames(t *testing.T) {
	for _, c := range usernameColumns {
		t.Run(c.name, func(t *testing.T) {
			s, d := c.open(t)
			hasher, err := hashing.NewDjangoHasher(1)
			if err != nil {
				t.Fatal(err)
			}
			h := &countedDummies{Pool: hashing.NewPool(hasher, hashing.PoolOptions{Threads: 1, Queue: 10})}
			engine := core.New(core.Config{Backend: s.Backend(), Hasher: h, DatabaseKey: make([]byte, core.DatabaseKeySize)})
			const limit = 2
			engine.SetLoginLimits(&core.LoginLimits{
				Limiter: s, PerUser: core.Limit{Burst: limit, Window: time.Hour}, PerAddress: core.Limit{Burst: 1000, Window: time.Hour},
			})
			ctx := clients.With(t.Context(), func() clients.Client { return clients.Client{Address: netip.MustParseAddr("192.0.2.1")} })
			// told is what a stranger sees of the spellings.
			told := func(names []string) (refused, cost string) {
				if err := d.exec(t, `DELETE FROM authcompat_guesses`); err != nil {
					t.Fatal(err)
				}
				policy := core.Policy{Issuer: "api", Realm: core.DefaultRealm, TokenHex: 64, TellThrottled: true}
				for range limit {
					_, _ = engine.Login(ctx, policy, names[0], "wrong")
				}
				mine := h.picked
				for _, name := range names {
					h.picked = ""
					_, err := engine.Login(ctx, policy, name, "wrong")
					refused += " " + core.KindOf(err).String()
					if core.KindOf(err) == core.KindThrottled {
						hidden := policy
						hidden.TellThrottled = false
						_, _ = engine.Login(ctx, hidden, name, "wrong")
					}
					if h.picked == mine {
						cost += " same"
					} else {
						cost += " other"
					}
				}
				return refused, cost
			}
			for _, names := range alike[:4] {
				refused, cost := told(names)
				if _, err := s.CreateUser(t.Context(), core.NewUser{Username: names[0], PasswordHash: "pbkdf2_sha256$1$salt$xxx"}, nil, nil); err != nil {
					t.Fatal(err)
				}
				existing, existingCost := told(names)
				if existing != refused {
					t.Errorf("%+q:\n%s where it exists,\n%s where it does not", names, existing, refused)
				}
				if existingCost != cost {
					t.Errorf("%+q: what they cost:\n%s where it exists,\n%s where it does not", names, existingCost, cost)
				}
			}
		})
	}
}
