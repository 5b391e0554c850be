package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// powercutFolder makes the test binary the load of TestPowercut, which is traced together
// with the servers and commands that it starts. Its value is the record's folder.
const powercutFolder = "AUTHCOMPAT_TEST_POWERCUT"

// operationHeader marks a request with the number of its operation, so that the trace says
// which reply acknowledges it.
const operationHeader = "X-Operation"

// account is what a client knows of a user: an acknowledged operation leaves it in the
// database exactly like this.
type account struct {
	Password string
	Disabled bool
	Tokens   []string // that are alive
}

// operation is a request or a command that was acknowledged. Those of one user (or of the
// key file, which has no user) follow each other.
type operation struct {
	ID    int
	Act   string  // as in the audit record
	User  string  // empty: the key file
	After account // of the user
	Keys  []string
}

// load is the clients of a record.
type load struct {
	t     *testing.T
	store string
	users int // of each client
	seed  uint64

	mu         sync.Mutex
	journal    *os.File
	operations []operation
}

// TestPowercutLoad is that process.
func TestPowercutLoad(t *testing.T) {
	folder := os.Getenv(powercutFolder)
	if folder == "" {
		return // an ordinary run
	}
	seed, err := strconv.ParseUint(os.Getenv(powercutFolder+"_SEED"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	l := &load{t: t, store: filepath.Join(folder, "data", "auth.db"), users: 8, seed: seed}
	if l.journal, err = os.Create(filepath.Join(folder, "journal")); err != nil {
		t.Fatal(err)
	}
	l.run()
	text, err := json.Marshal(l.operations)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "operations.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run has three clients work on servers that are started for the first time, killed, and
// stopped, and on which commands work meanwhile.
func (l *load) run() {
	for round := range 3 {
		p, err := launch(l.t, "--profile", "ocd-users@127.0.0.1:0", "--profile", "authtokens@127.0.0.1:0",
			"--store", "sqlite:"+l.store, "--password-iterations", "1", "--limits", "off")
		if err != nil {
			l.t.Fatal(err)
		}
		var clients sync.WaitGroup
		for client := range 3 {
			clients.Go(func() {
				for user := range l.users {
					l.live(p, rand.New(rand.NewPCG(l.seed, uint64(round*100+client*10000+user))), fmt.Sprintf("u-%d-%d-%d", round, client, user))
				}
			})
		}
		clients.Go(func() { l.operate(round) })
		clients.Wait()
		if round == 1 {
			l.prune(p)
			// Nothing is under way, so that the trace is whole, but the log is not copied back.
			if err := p.Process.Kill(); err != nil {
				l.t.Error(err)
			}
			_ = p.Wait() // reports the kill
			continue
		}
		p.end(l.t)
	}
}

// request sends the request of a new operation, which must be answered with the status.
func (l *load) request(p *process, status int, path, token, body string) (id int, a answer) {
	id = l.begin("")
	profile, path, _ := strings.Cut(path, ":")
	return id, p.want(l.t, status, "POST", p.urls[profile]+path, token, body, operationHeader, strconv.Itoa(id))
}

// begin numbers an operation, and writes to the journal when a command begins.
func (l *load) begin(command string) (id int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.operations = append(l.operations, operation{ID: len(l.operations)})
	id = len(l.operations) - 1
	if command != "" {
		l.note("begin %d\n", id)
	}
	return id
}

// note writes a line of the journal, which the trace shows among the writes of others.
func (l *load) note(format string, arguments ...any) {
	if _, err := fmt.Fprintf(l.journal, format, arguments...); err != nil {
		l.t.Error(err)
	}
}

// done records what the operation has left.
func (l *load) done(o operation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.After.Tokens = slices.Clone(o.After.Tokens)
	l.operations[o.ID] = o
}

// command runs a command of the program as an operation.
func (l *load) command(input string, args ...string) (id int) {
	id = l.begin(args[0])
	command(l.t, input, append(args, "--store", "sqlite:"+l.store)...)
	l.mu.Lock()
	l.note("done %d\n", id)
	l.mu.Unlock()
	return id
}

// live registers a user, and logs in and out.
func (l *load) live(p *process, random *rand.Rand, name string) {
	now := account{Password: "secret"}
	body := fmt.Sprintf(`{"username": %q, "password": %q, "email": ""}`, name, now.Password)
	register := []string{"ocd-users:/api/register/", "authtokens:/api/register/"}[random.IntN(2)]
	status := map[string]int{"ocd-users:/api/register/": 200, "authtokens:/api/register/": 201}[register]
	id, a := l.request(p, status, register, "", body)
	now.Tokens = []string{tokenIn(l.t, a.body)}
	l.done(operation{ID: id, Act: "register", User: name, After: now})
	for range 6 {
		switch choice := random.IntN(10); {
		case choice < 5 || len(now.Tokens) == 0:
			profile := []string{"ocd-users", "authtokens"}[random.IntN(2)]
			id, a := l.request(p, 200, profile+":/api/login/", "", body)
			if token := tokenIn(l.t, a.body); !slices.Contains(now.Tokens, token) {
				now.Tokens = append(now.Tokens, token)
			}
			l.done(operation{ID: id, Act: "login", User: name, After: now})
		case choice < 9:
			i := random.IntN(len(now.Tokens))
			id, _ := l.request(p, 204, "ocd-users:/api/logout/", now.Tokens[i], "")
			now.Tokens = slices.Delete(slices.Clone(now.Tokens), i, i+1)
			l.done(operation{ID: id, Act: "logout", User: name, After: now})
		default:
			id, _ := l.request(p, 204, "ocd-users:/api/logoutall/", now.Tokens[0], "")
			now.Tokens = nil
			l.done(operation{ID: id, Act: "logout_all", User: name, After: now})
		}
	}
}

// operate is an operator, who changes a user and the sealing keys.
func (l *load) operate(round int) {
	name := fmt.Sprintf("o-%d", round)
	now := account{Password: "first"}
	l.done(operation{ID: l.command(now.Password, "user", "create", name, "--password-stdin", "--password-iterations", "1"), User: name, After: now})
	now.Password = "second"
	l.done(operation{ID: l.command(now.Password, "user", "set-password", name, "--password-stdin", "--password-iterations", "1", "--logout"), User: name, After: now})
	if round != 1 {
		now.Disabled = true
		l.done(operation{ID: l.command("", "user", "disable", name), User: name, After: now})
		return
	}
	for _, change := range []string{"rotate", "rotate"} {
		l.done(operation{ID: l.command("", "secret", change), Keys: keysIn(l.t, l.store+".key")})
	}
}

// prune removes the old keys once no server seals with them any more, as the command
// itself waits for without --force: nothing is under way.
func (l *load) prune(p *process) {
	p.sighup(l.t, "reloaded")
	l.done(operation{ID: l.command("", "secret", "prune", "--force"), Keys: keysIn(l.t, l.store+".key")})
}
