package frontcmd

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/identity"
	"github.com/authcompat/authcompat/profiles"
)

// NewFront returns the command front and what is below it.
func NewFront() *cobra.Command {
	return command.Group("front", "What stands before an application: explain what is passed on, print the configuration of proxies", newFrontExplain(), newFrontSnippet())
}

// explained is the request of front explain.
type explained struct {
	method, target string
	headers        []string
	from           string // address of the client
}

func newFrontExplain() *cobra.Command {
	f := config.NewServer()
	r := explained{}
	cmd := &cobra.Command{
		Use:   "explain METHOD TARGET",
		Short: "Tell what becomes of a request: who answers it, by which rule, and what the application gets",
		Long: `Tell what becomes of a request with a server's settings, for each profile with an application behind it: whether
an endpoint answers it or the application, which rule decides and what it wants, and the head that the
application would get. TARGET is what stands in the request line, escapes included. Nothing is sent, and no store is opened.`,
		Example: `  authcompat front explain GET /api//x --config /etc/authcompat.yaml
  authcompat front explain GET '/a%2fb?q=1' --profile snippit --front http://127.0.0.1:9000 --header 'Forwarded: for=10.1.1.1'`,
		Args:              cobra.ExactArgs(2),
		PersistentPreRunE: command.SkipsPreRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			r.method, r.target = args[0], args[1]
			command.WarnUnknown(cmd.ErrOrStderr(), command.UnknownVariables(cmd))
			all, err := f.Resolve(cmd.Context(), "")
			if err != nil {
				return err
			}
			return r.explain(cmd.OutOrStdout(), f, all)
		},
	}
	f.AddFlags(cmd.Flags())
	cmd.Flags().StringArrayVar(&r.headers, "header", nil, "header of the request, as 'Name: value' (repeatable)")
	cmd.Flags().StringVar(&r.from, "from", "192.0.2.1", "address of the client")
	config.WithoutVariables(cmd.Flags(), "header", "from")
	return cmd
}

// request returns a new request, read as a server would. The error says why a server would
// refuse it.
func (e explained) request() (*http.Request, error) {
	if _, err := netip.ParseAddr(e.from); err != nil {
		return nil, fmt.Errorf("--from %q is no address", e.from)
	}
	head := e.method + " " + e.target + " HTTP/1.1\r\n"
	host := "Host: api.example\r\n"
	for _, h := range e.headers {
		if name, _, ok := strings.Cut(h, ":"); !ok || strings.ContainsAny(h, "\r\n") {
			return nil, errors.New("--header wants 'Name: value'")
		} else if strings.EqualFold(name, "Host") {
			host = ""
		}
		head += h + "\r\n"
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + host + "\r\n")))
	if err != nil {
		return nil, fmt.Errorf("the request is refused with 400 before an API or an application sees it: %w", err)
	}
	r.RemoteAddr = net.JoinHostPort(e.from, "1")
	return r, nil
}

// explain writes what becomes of the request.
func (e explained) explain(w io.Writer, f *config.Server, all []config.BoundProfile) error {
	any := false
	for _, p := range all {
		if p.Front == nil {
			continue
		}
		any = true
		r, err := e.request()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "profile %s at %s\n", p.Profile.Name, p.Address)
		found := dialects.NewFinder(p.Profile)(r)
		o, err := f.FrontOptions(p)
		if err != nil {
			return err
		}
		answer := "the endpoint " + found.Endpoint
		if found.Redirect {
			answer = "a redirect to the path with a slash, which is an endpoint's"
		}
		switch {
		case found.Endpoint != "" && p.Front.Switches(found.Endpoint) && r.Method != http.MethodConnect:
			fmt.Fprintf(w, "  side: %s\n    new: answered by %s\n    old: %s, which gets\n", byState(found.Endpoint), answer, p.Front.URL)
			writeHead(w, front.New(nil, o).Head(r))
			continue
		case found.Endpoint != "":
			fmt.Fprintf(w, "  answered by %s\n", answer)
			if !found.Redirect {
				fmt.Fprint(w, whileAdopting(p, found.Endpoint, time.Now()))
			}
			continue
		}
		decision := o.Rules.Decide(r.RequestURI)
		fmt.Fprintf(w, "  rule: %s\n  token: %s\n", because(decision, len(p.Front.Rules)), wants(decision.Token))
		if decision.Token == front.Refuse || r.Method == http.MethodConnect {
			fmt.Fprintln(w, "  answered as by the API without an application")
			continue
		}
		if endpoint := cmp.Or(decision.Rule, cutover.Other); p.Front.Switches(endpoint) {
			fmt.Fprintf(w, "  side: %s\n    new: %s\n    old: %s\n  which gets\n", byState(endpoint), p.Front.New.URL, p.Front.URL)
		} else {
			fmt.Fprintf(w, "  side: old, %s, which gets\n", p.Front.URL)
		}
		writeHead(w, front.New(nil, o).Head(r))
		if p.Front.Identity != nil && decision.Token != front.Pass {
			fmt.Fprintf(w, "    %s: of the token, if there is one\n", identity.Header)
		}
	}
	if !any {
		return errors.New("no profile has an application behind it: give --front URL, or a listener's section front")
	}
	return nil
}

// byState says what decides the side of a switched endpoint.
func byState(endpoint string) string {
	return "by the rule of " + endpoint + " in the store (authcompat cutover status)"
}

// writeHead writes the head that an application gets.
func writeHead(w io.Writer, head string) {
	for line := range strings.Lines(head) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			fmt.Fprintf(w, "    %s\n", term.Printable(line))
		}
	}
}

// whileAdopting says what else becomes of a request to an endpoint while users are adopted, or
// afterwards: a line, or nothing.
func whileAdopting(p config.BoundProfile, endpoint string, now time.Time) string {
	a := p.Front.Adopt
	if a == nil {
		return ""
	}
	var action profiles.Action
	for _, e := range p.Profile.Endpoints {
		if e.Name == endpoint {
			action = e.Action
		}
	}
	if action == profiles.Register {
		return "  as long as the section adopt stands: passed on to " + p.Front.URL.String() + "; without it, anybody could register the name of a user who was not adopted\n"
	}
	if a.Over(now) {
		return ""
	}
	what := "with a token that is unknown here, passed on to " + p.Front.URL.String()
	if action == profiles.Login {
		what = "a name or a password that is not good here is tried at " + a.Login.String()
	}
	return fmt.Sprintf("  until %s: %s\n", a.Until.Format(time.RFC3339), what)
}

// because says which rule decided.
func because(d front.Decision, rules int) string {
	switch {
	case d.Ambiguous != "":
		return "none can decide, because " + d.Ambiguous + ": the strictest of all holds"
	case d.Rule != "":
		return d.Rule
	case rules == 0:
		return "there are none"
	}
	return "none fits"
}

// wants says what becomes of tokens.
func wants(t front.Token) string {
	return map[front.Token]string{
		front.Pass:    "pass: the application decides",
		front.Checked: "checked: a bad one is refused, and none passed on",
		front.Needed:  "needed: a bad one is refused, and none too",
		front.Refuse:  "refuse: whatever it is",
	}[t]
}
