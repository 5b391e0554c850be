package operate_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/operate"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
)

// reads counts what is read of a store, and answers as it does.
type reads struct {
	core.Admin
	core.Auditor
	calls, rows int
	filters     []core.AuditFilter
}

func (r *reads) Users(ctx context.Context, f core.UserFilter, limit int) ([]core.User, error) {
	if f.Inactive {
		return nil, fmt.Errorf("the store looks for disabled users, which may be none of millions")
	}
	users, err := r.Admin.Users(ctx, f, limit)
	r.calls, r.rows = r.calls+1, r.rows+len(users)
	return users, err
}

func (r *reads) Tokens(ctx context.Context, f core.TokenFilter, limit int) ([]core.Token, error) {
	tokens, err := r.Admin.Tokens(ctx, f, limit)
	r.calls, r.rows = r.calls+1, r.rows+len(tokens)
	return tokens, err
}

func (r *reads) AuditEntries(ctx context.Context, f core.AuditFilter, limit int) ([]core.AuditEntry, error) {
	r.filters = append(r.filters, f)
	entries, err := r.Auditor.AuditEntries(ctx, f, limit)
	r.calls, r.rows = r.calls+1, r.rows+len(entries)
	return entries, err
}

// counted has a console's reads counted.
func counted(o *operate.Options) *reads {
	r := &reads{Admin: o.Engine.Backend.Admin, Auditor: o.Engine.Backend.Auditor}
	o.Engine.Backend.Admin, o.Engine.Backend.Auditor = r, r
	return r
}

// openCounted opens a store whose reads are counted.
func openCounted(t *testing.T, dsn string) (*operator, *reads) {
	t.Helper()
	var r *reads
	o := open(t, dsn, false, func(o *operate.Options) { r = counted(o) })
	return o, r
}

var nextPart = regexp.MustCompile(`<a class="button" href="(\?[^"]*)">(Next|Search on)</a>`)

// parts returns the pages of a table, from a path on, and the most rows that one of them has read.
func (o *operator) parts(t *testing.T, r *reads, path string) (bodies []string, most int) {
	t.Helper()
	root, query, _ := strings.Cut(path, "?")
	for next := "?" + query; ; {
		r.rows = 0
		body := o.want(t, http.StatusOK, root+next)
		bodies, most = append(bodies, body), max(most, r.rows)
		m := nextPart.FindStringSubmatch(body)
		if m == nil {
			return bodies, most
		}
		if len(bodies) > 100 {
			t.Fatalf("%s: there are more parts than rows", path)
		}
		next = strings.ReplaceAll(m[1], "&amp;", "&")
	}
}

// rowsOf returns how many rows tables have.
func rowsOf(bodies ...string) (n int) {
	for _, body := range bodies {
		n += strings.Count(body, "<tr>") - strings.Count(body, "<thead>")
	}
	return n
}

// bulk runs a statement on the tables of a store, at once for many rows. SERIES(n) stands for a table with the numbers i from
// 0 to n-1.
func bulk(t *testing.T, dsn, statement string) {
	t.Helper()
	driver, series := "sqlite", "(WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM s WHERE i+1 < $1) SELECT i FROM s) AS s"
	path, ok := strings.CutPrefix(dsn, "sqlite:")
	if !ok {
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		query := u.Query()
		query.Set("search_path", query.Get("schema"))
		query.Del("schema")
		u.RawQuery = query.Encode()
		driver, path, series = "postgres", u.String(), "(SELECT generate_series(0, $1 - 1) AS i) AS s"
	}
	db, err := sql.Open(driver, path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(regexp.MustCompile(`SERIES\((\d+)\)`).ReplaceAllString(statement, series)); err != nil {
		t.Fatal(err)
	}
}

// TestParts goes through users part by part: each comes once, and a part reads a bounded number of rows however few it shows.
// What a page reads is in the order of a key from a key on, so that it is the same beside a million rows.
func TestParts(t *testing.T) {
	onEachStore(t, func(t *testing.T, dsn string) {
		o, r := openCounted(t, dsn)
		const users, page, scan = 6120, 50, 5000
		bulk(t, dsn, fmt.Sprintf(`INSERT INTO users (id, username, email, password_hash, active, created_at)
			SELECT i + 1, 'user' || i, '', '', i <> %d, i FROM SERIES(%d)`, users-1, users))
		r.rows = 0
		body := o.want(t, http.StatusOK, "users/?after=6050")
		if n := rowsOf(body); n != page || r.rows != page+1 || !strings.Contains(body, "?after=6100") {
			t.Errorf("a part in the middle has %d users, and read %d rows", n, r.rows)
		}
		if bodies, most := o.parts(t, r, "users/?after=6000"); rowsOf(bodies...) != 120 || len(bodies) != 3 || most != page+1 {
			t.Errorf("%d users in %d parts that read up to %d rows", rowsOf(bodies...), len(bodies), most)
		}
		bodies, most := o.parts(t, r, "users/?state=inactive")
		if n := rowsOf(bodies...); n != 1 || len(bodies) != 2 || most != scan {
			t.Fatalf("%d disabled users in %d parts that read up to %d rows", n, len(bodies), most)
		}
		has(t, bodies[0], "5000 rows were looked at", "Search on")
		has(t, bodies[1], "user6119")
	})
}

// TestTokenParts goes through tokens, of all and of a user, live or not.
func TestTokenParts(t *testing.T) {
	onEachStore(t, func(t *testing.T, dsn string) {
		o, r := openCounted(t, dsn)
		ann, bob := o.user(t, "ann"), o.user(t, "bob")
		for i := range 60 {
			for _, u := range []core.User{ann, bob} {
				token := core.Token{Digest: core.Presented(fmt.Sprint(u.ID, i)).SHA256(), UserID: u.ID, Realm: core.DefaultRealm, Issuer: "snippit", CreatedAt: time.Unix(1, 0)}
				if i%2 == 0 {
					token.ExpiresAt = time.Unix(2, 0)
				}
				if err := o.Backend.IssueToken(t.Context(), token, "", 0, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		for path, want := range map[string]int{"tokens/": 120, "tokens/?user=ann": 60, "tokens/?state=live": 60, "tokens/?user=bob&state=live": 30} {
			bodies, most := o.parts(t, r, path)
			all := strings.Join(bodies, "")
			ids := regexp.MustCompile(`<td class="nowrap"><code>([0-9a-f]{16})</code></td>`).FindAllString(all, -1)
			there := make(map[string]bool)
			for _, id := range ids {
				there[id] = true
			}
			if len(ids) != want || len(there) != want || most > 500 {
				t.Errorf("%s: %d ids, %d of them different, want %d; up to %d rows were read", path, len(ids), len(there), want, most)
			}
		}
		has(t, o.want(t, http.StatusOK, "tokens/?user=carol"), "There is no user with exactly this name.")
		id := core.TokenID(core.Presented(fmt.Sprint(ann.ID, 7)).SHA256())
		if n := rowsOf(o.want(t, http.StatusOK, "tokens/?id="+id[:8])); n != 1 {
			t.Errorf("%d tokens have the id", n)
		}
		for _, path := range []string{"tokens/?id=zz", "tokens/?id=0123", "tokens/?after=00", "tokens/?id=" + strings.Repeat("00", 32), "users/?after=x", "users/?after=-1"} {
			o.want(t, http.StatusBadRequest, path)
		}
		o.want(t, http.StatusNotFound, "users/0/")
		o.want(t, http.StatusNotFound, "users/999999/")
	})
}

// TestAudit filters the audit record. Whatever is asked for, the store is asked by name and key alone.
func TestAudit(t *testing.T) {
	onEachStore(t, func(t *testing.T, dsn string) {
		o, r := openCounted(t, dsn)
		noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		const entries = 5700
		bulk(t, dsn, fmt.Sprintf(`INSERT INTO audit (at, act, outcome, user_id, username, unknown, profile, actor, address, request, token, detail)
			SELECT %d + CAST(i AS BIGINT) * 60000000, CASE WHEN i = 7 THEN 'export' ELSE 'login' END, CASE WHEN i %% 100 = 0 THEN 'throttled' ELSE 'ok' END,
			1, CASE WHEN i %% 100 = 0 THEN 'bob' ELSE 'ann' END, '', '', '', '', '', '', '[' || i || ']' FROM SERIES(%d)`, noon.UnixMicro(), entries))
		at := func(i int) string { return noon.Add(time.Duration(i) * time.Minute).Format("2006-01-02 15:04") }
		shown := func(query url.Values) (found []string) {
			t.Helper()
			bodies, most := o.parts(t, r, "audit/?"+query.Encode())
			if most > 5000+64 {
				t.Errorf("%v reads %d rows", query, most)
			}
			return regexp.MustCompile(`\[\d+\]`).FindAllString(strings.Join(bodies, ""), -1)
		}
		if found := shown(url.Values{"action": {"export"}}); fmt.Sprint(found) != "[[7]]" {
			t.Errorf("exports: %v", found)
		}
		if found := shown(url.Values{"user": {"bob"}}); len(found) != (entries+99)/100 || found[len(found)-1] != "[0]" {
			t.Errorf("bob's: %v", found)
		}
		if found := shown(url.Values{"failed": {"1"}, "user": {"bob"}, "until": {at(250)}}); fmt.Sprint(found) != "[[200] [100] [0]]" {
			t.Errorf("what failed before a time: %v", found)
		}
		r.rows, r.calls = 0, 0
		if found := shown(url.Values{"since": {at(120)}, "until": {at(123)}}); fmt.Sprint(found) != "[[122] [121] [120]]" {
			t.Errorf("between two times: %v", found)
		}
		if r.rows > 600 || r.calls > 30 {
			t.Errorf("entries of long ago take %d calls that read %d rows", r.calls, r.rows)
		}
		if found := shown(url.Values{"user": {"nobody\x00"}}); len(found) > 0 {
			t.Errorf("of a name that nobody can have: %v", found)
		}
		for _, f := range r.filters {
			if f.Action != "" || f.Failed || !f.Since.IsZero() || !f.Until.IsZero() || len(f.UsernamePseudonyms) > 0 {
				t.Fatalf("the store is asked for %+v, for which it may read all of the record", f)
			}
		}
		for _, path := range []string{"audit/?action=none", "audit/?since=yesterday", "audit/?until=1", "audit/?before=x"} {
			o.want(t, http.StatusBadRequest, path)
		}
	})
}

// TestSearch finds users by their name, address and id.
func TestSearch(t *testing.T) {
	onEachStore(t, func(t *testing.T, dsn string) {
		o := open(t, dsn, false)
		ann, bob := o.user(t, "Ann"), o.user(t, "bob")
		for query, want := range map[string]core.User{"Ann": ann, "ANN": ann, "ann@EXAMPLE.com": ann, fmt.Sprint(bob.ID): bob, fmt.Sprintf("#%d", bob.ID): bob, " bob ": bob} {
			body := o.want(t, http.StatusOK, "users/?q="+url.QueryEscape(query))
			if !strings.Contains(body, "/console/"+userPath(want)) || rowsOf(body) != 1 {
				t.Errorf("%q does not find %s alone\n%s", query, want.Username, body)
			}
		}
		for _, query := range []string{"an", "n", "%", "\x00", "\xff", "999", "-1", "99999999999999999999", strings.Repeat("x", 10000)} {
			has(t, o.want(t, http.StatusOK, "users/?q="+url.QueryEscape(query)), "Nobody has this username, address or id.")
		}
		has(t, o.want(t, http.StatusOK, userPath(ann)), "never, or not kept")
		if _, _, err := o.login(t, "Ann", "correct horse"); err != nil {
			t.Fatal(err)
		}
		hasNot(t, o.want(t, http.StatusOK, userPath(ann)), "never, or not kept")
	})
}

// TestCallers shows those with the most requests, a bounded number of them.
func TestCallers(t *testing.T) {
	onEachStore(t, func(t *testing.T, dsn string) {
		o := open(t, dsn, false)
		has(t, o.want(t, http.StatusOK, "callers/"), "nobody has called in this time")
		now := time.Now()
		var all []callers.Calls
		for i := range 120 {
			all = append(all, callers.Calls{
				Caller: callers.Caller{Profile: "snippit", Endpoint: "login", User: fmt.Sprintf("user%d", i), Client: "192.0.2.1", Agent: "<b>old</b>"},
				Day:    callers.DayOf(now), Requests: int64(i + 1), Refused: 1, First: now, Last: now,
			})
		}
		if err := o.Backend.Callers.AddCalls(t.Context(), "one", all); err != nil {
			t.Fatal(err)
		}
		has(t, o.want(t, http.StatusOK, "callers/?by=endpoint"), `<td class="num">7260</td><td class="num">120</td>`)
		first := o.want(t, http.StatusOK, "callers/?by=user")
		has(t, first, "user119", "user70<", "from=50")
		hasNot(t, first, "user69<")
		last := o.want(t, http.StatusOK, "callers/?by=user&from=100")
		has(t, last, "user19<", "user0<")
		hasNot(t, last, "user20<", "from=150")
		has(t, o.want(t, http.StatusOK, "callers/?by=all&days=1"), "&lt;b&gt;old")
		has(t, o.want(t, http.StatusOK, "callers/?profile=other"), "nobody has called")
		for _, path := range []string{"callers/?by=x", "callers/?days=2", "callers/?from=1", "callers/?from=1000", "callers/?from=-50"} {
			o.want(t, http.StatusBadRequest, path)
		}
	})
}
