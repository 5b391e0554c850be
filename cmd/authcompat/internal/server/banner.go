package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/template"
	"github.com/authcompat/authcompat/store"
)

// The account of the examples.
const (
	exampleUser     = "alice"
	exampleID       = "1"
	exampleEmail    = "alice@example.com"
	examplePassword = "correct horse battery"
)

// banner is what a server prints when it starts: what is served where, and for each
// endpoint a command to paste into a shell. They work in the order in which they stand.
type banner struct {
	apis   []config.BoundProfile // at URLs
	store  string
	ask    string // URL; empty: none
	manage string // URL; empty: none
	open   bool   // whether the management listener is at all addresses of the machine
	// console is the address of the console with its key, which is shown here alone; empty: there is none.
	console string
}

func newBanner(apis []config.BoundProfile, open httpserver.Servers, f *config.Config) banner {
	b := banner{store: f.Engine.Store}
	scheme := "http://"
	if f.TLSCertFile != "" {
		scheme = "https://"
	}
	for i, api := range apis {
		// Port 0 was replaced by one that was free.
		api.Address = scheme + reachable(open[i].Listener.Addr())
		b.apis = append(b.apis, api)
	}
	rest := open[len(apis):]
	if f.Ask != "" {
		scheme = "http://"
		if f.AskTLS {
			scheme = "https://"
		}
		b.ask, rest = scheme+reachable(rest[0].Listener.Addr()), rest[1:]
	}
	if f.Manage != "" {
		at := rest[0].Listener.Addr()
		b.manage, b.open = "http://"+reachable(at), reachable(at) != at.String()
	}
	return b
}

// reachable returns an address that a client on this machine can use.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func (b banner) write(w io.Writer) error {
	var out strings.Builder
	for _, api := range b.apis {
		name := api.Profile.Name
		if api.Profile.Document != "" {
			name += " (" + api.Profile.Document + ")"
		}
		fmt.Fprintf(&out, "profile %s at %s, %s\n", name, api.Address, store.Describe(b.store))
		for _, line := range b.lines(api) {
			fmt.Fprintf(&out, "  %s\n", line)
		}
		if api.Front != nil {
			for _, line := range api.Front.Lines() {
				fmt.Fprintf(&out, "  %s\n", line)
			}
		}
	}
	if b.ask != "" {
		fmt.Fprintf(&out, "proxies and services ask at %s\n", b.ask)
	}
	if b.console != "" {
		fmt.Fprintf(&out, "console: %s\n", b.console)
	}
	if b.manage != "" {
		fmt.Fprintf(&out, "management at %s: /livez, /readyz, /metrics", b.manage)
		if b.open {
			out.WriteString(" (and at all other addresses of this machine)")
		}
		out.WriteString("\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// lines returns the examples of one API: first what makes a user, a command if the API has no
// registration, then each endpoint, and what removes the user last. Those that need a token log in first.
func (b banner) lines(api config.BoundProfile) []string {
	var lines []string
	if _, ok := api.Profile.Endpoint(profiles.Register); !ok {
		lines = append(lines, fmt.Sprintf("echo %s | %s user create %s --email %s --password-stdin --store %s",
			quote(examplePassword), program(), exampleUser, exampleEmail, storeWord(b.store)))
	}
	turn := func(e profiles.Endpoint) int {
		switch e.Action {
		case profiles.Register:
			return -1
		case profiles.Delete:
			return 1
		}
		return 0
	}
	for _, e := range slices.SortedStableFunc(slices.Values(api.Profile.Endpoints), func(a, b profiles.Endpoint) int { return turn(a) - turn(b) }) {
		line := curl(api, e)
		lines = append(lines, line)
		if shown := tokenMember(e.Reply.Body); e.Action == profiles.Login && shown != "" {
			login := strings.Replace(line, "curl -i", "curl -s", 1)
			lines = append(lines, "token() { "+login+` | sed 's/.*"`+shown+`": *"\([0-9a-f]*\)".*/\1/'; }`)
		}
	}
	return lines
}

// tokenMember returns the key under which a reply shows the token.
func tokenMember(t *template.Template) string {
	if t == nil {
		return ""
	}
	for _, m := range t.Members {
		if m.Value.Kind == template.KindValue && m.Value.Value.Name == template.TokenKey {
			return m.Key
		}
		if key := tokenMember(&m.Value); key != "" {
			return key
		}
	}
	return ""
}

// curl returns the command that calls an endpoint.
func curl(api config.BoundProfile, e profiles.Endpoint) string {
	line := "curl -i"
	if e.Methods[0] != http.MethodGet {
		line += " -X " + e.Methods[0]
	}
	line += " " + api.Address + strings.NewReplacer("{username}", exampleUser, "{id}", exampleID).Replace(e.Path)
	basic := func(a profiles.Authentication) bool { return a.Kind == profiles.AuthenticateBasic }
	switch {
	case e.Action == profiles.Login && len(e.Fields) == 0 && slices.ContainsFunc(e.Authentication, basic):
		return line + " -u " + quote(exampleUser+":"+examplePassword)
	case e.Access == profiles.AccessToken:
		if keyword, ok := e.Keyword(); ok {
			line += ` -H "Authorization: ` + keyword + ` $(token)"`
		} else {
			line += " -u " + quote(exampleUser+":"+examplePassword) // HTTP Basic
		}
		if len(e.Fields) == 0 {
			return line
		}
	}
	if api.Profile.Family == profiles.FormJSON {
		return line + " -d " + quote(formExample(e))
	}
	return line + " -H 'Content-Type: application/json' -d " + quote(jsonExample(e))
}

// example returns a valid value of a field. Passwords and names stay as they are, so that the commands
// work in the order in which they stand; what only a mail has is in capitals.
func example(f profiles.Field) string {
	switch f.Role {
	case profiles.RoleUsername, profiles.RoleUsernameAgain, profiles.RoleUsernameOrEmail:
		return exampleUser
	case profiles.RoleEmail:
		return exampleEmail
	case profiles.RoleAccept:
		return "true"
	case profiles.RoleUID, profiles.RoleToken:
		return strings.ToUpper(f.Name) + "-OF-THE-MAIL"
	case profiles.RoleAttribute:
		return ""
	}
	return examplePassword
}

func formExample(e profiles.Endpoint) string {
	var pairs []string
	for _, f := range e.Fields {
		pairs = append(pairs, url.QueryEscape(f.Name)+"="+url.QueryEscape(example(f)))
	}
	return strings.Join(pairs, "&")
}

func jsonExample(e profiles.Endpoint) string {
	var pairs []string
	for _, f := range e.Fields {
		if !f.Role.ReadOnly() && !f.ReadOnly {
			name, _ := json.Marshal(f.Name)
			value, _ := json.Marshal(example(f))
			pairs = append(pairs, string(name)+": "+string(value))
		}
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// storeWord returns a shell word for a DSN. One that may hold a password is not shown.
func storeWord(dsn string) string {
	if _, ok := store.SQLitePath(dsn); ok {
		return quote(dsn)
	}
	return `"$` + config.Variable("store") + `"`
}

// quote returns a text as one shell word.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// program is how this program was started.
func program() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/authcompat"
	}
	return quote(os.Args[0])
}
