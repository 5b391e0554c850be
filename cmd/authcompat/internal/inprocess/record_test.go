//go:build originals

package inprocess

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/deviations"
	"github.com/authcompat/authcompat/conformance/differential"
	"github.com/authcompat/authcompat/conformance/record"
	"github.com/authcompat/authcompat/conformance/reference"
	"github.com/authcompat/authcompat/conformance/wire"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// concurrent is how many sequences run at the same time as their proxy records them.
const concurrent = 200

// TestRecordGenuine records a genuine Django REST framework through the proxy while 200 mixed sequences
// run. The file passes there, has none of over 1,000 planted secrets, and finds the differences at authcompat
// that random requests to both find.
func TestRecordGenuine(t *testing.T) {
	const profile = "ocd-users"
	server, err := reference.Start(context.WithoutCancel(t.Context()), profile, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	planted := &plants{}
	for i := range concurrent {
		if err := server.CreateUser(t.Context(), conformance.User{Username: fmt.Sprint("resident", i), Password: planted.password(i)}); err != nil {
			t.Fatal(err)
		}
	}
	calls := recordSequences(t, server.URL, planted)
	draft, err := record.NewDraft(calls, record.Options{Profile: profile, Registrations: []string{"/api/register/"}, Source: record.Today(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	if err := draft.Settle(t.Context(), record.At{URL: server.URL, Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "recorded.yaml")
	summary, err := draft.Write(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d secrets planted; %+v", len(planted.all), summary)
	if len(summary.Unfit) > 0 || summary.Sequences < concurrent || summary.Calls != len(calls) {
		t.Errorf("%+v", summary)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(planted.all) < 1000 {
		t.Errorf("only %d secrets were planted", len(planted.all))
	}
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	values := append(scalars(&root), string(data))
	for i, value := range values {
		values[i] = value + "\n" + strings.NewReplacer(`\u003c`, "<", `\u0026`, "&", `\"`, `"`, `\\`, `\`, "%20", " ").Replace(value)
	}
	whole := strings.Join(values, "\n")
	for _, secret := range planted.all {
		for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)), quoted(secret)} {
			if strings.Contains(whole, form) {
				t.Fatalf("the file has %q", form)
			}
		}
	}
	file, err := conformance.Load(path, data)
	if err != nil {
		t.Fatal(err)
	}
	there := conformance.Run(t.Context(), []*conformance.File{file}, reference.Launcher{profile: server}, conformance.Options{})
	if there.Totals().Passed != summary.Exchanges {
		for _, r := range there.Profiles[0].Results {
			if r.Outcome != conformance.Passed {
				t.Errorf("at the recorded server: %+v", r)
			}
		}
	}
	t.Logf("at the recorded server: %+v", there.Totals())
	sameDifferences(t, profile, server, file)
}

// scalars returns all texts of a YAML file.
func scalars(n *yaml.Node) []string {
	texts := []string{n.Value}
	for _, inner := range n.Content {
		texts = append(texts, scalars(inner)...)
	}
	return texts
}

// sameDifferences compares what the exchanges find at authcompat with what random requests to both find:
// with the profile as it is, and with three texts changed.
func sameDifferences(t *testing.T, profile string, server *reference.Server, file *conformance.File) {
	data, ok := profiles.Source(profile)
	if !ok {
		t.Fatal("no such profile")
	}
	stores := store.NewTemps("")
	for name, change := range map[string]*strings.Replacer{
		"as it is":  strings.NewReplacer(),
		"a message": strings.NewReplacer("Unable to log in", "Cannot log in"),
		"a header":  strings.NewReplacer("X-Frame-Options: DENY", "X-Frame-Options: SAMEORIGIN"),
		"a status":  strings.NewReplacer("logout: {status: 204}", "", "path: /api/logout/\n    view: {name: Logout}\n    reply: {status: 204}", "path: /api/logout/\n    view: {name: Logout}\n    reply: {status: 200, body: {}}"),
	} {
		p, err := profiles.Parse(profile+".yaml", []byte(change.Replace(string(data))))
		if err != nil {
			t.Fatal(err)
		}
		launcher := NewLauncher([]*profiles.Profile{p}, stores)
		byExchange := map[string]bool{}
		for _, r := range conformance.Run(t.Context(), []*conformance.File{file}, launcher, conformance.Options{}).Profiles[0].Results {
			switch r.Outcome {
			case conformance.Passed:
			case conformance.Mismatch:
				for _, d := range r.Differences {
					path, _, _ := strings.Cut(r.Step.Request, "?")
					byExchange[path+" "+strings.ToLower(strings.TrimPrefix(d.Part, "header "))] = true
				}
			default:
				t.Errorf("%s: %s: %+v", name, r.Exchange, r)
			}
		}
		byRandom := randomDifferences(t, profile, server, launcher)
		for difference := range byExchange {
			if !byRandom[difference] {
				t.Errorf("%s: only the recording finds %s", name, difference)
			}
		}
		for difference := range byRandom {
			if !byExchange[difference] {
				t.Errorf("%s: the recording does not find %s", name, difference)
			}
		}
		if (name == "as it is") != (len(byExchange) == 0) {
			t.Errorf("%s: %v", name, byExchange)
		}
		t.Logf("%s: %d kinds of difference", name, len(byExchange))
	}
}

// recordedEndpoints are those to which the sequences go: what random requests find elsewhere was not
// recorded.
func recordedEndpoints() []string {
	return []string{"POST /api/register/", "POST /api/login/", "POST /api/logout/", "POST /api/logoutall/"}
}

// randomDifferences returns the recorded endpoints with the parts of their responses that differ when
// random requests are sent to both servers.
func randomDifferences(t *testing.T, profile string, server *reference.Server, launcher *Launcher) map[string]bool {
	there, err := reference.Launcher{profile: server}.Launch(t.Context(), profile)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := launcher.Launch(t.Context(), profile)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	for _, u := range []conformance.User{{Username: differential.ActiveUser, Password: differential.UserPassword, Email: "john@example.com"}, {Username: differential.InactiveUser, Password: differential.UserPassword, Email: "ghost@example.com", Inactive: true}} {
		if err := errors.Join(there.State.CreateUser(t.Context(), u), ours.State.CreateUser(t.Context(), u)); err != nil {
			t.Fatal(err)
		}
	}
	known, err := deviations.Known()
	if err != nil {
		t.Fatal(err)
	}
	report, err := differential.Run(t.Context(), differential.OCDUsers(), there.URL, ours.URL, differential.Options{Seed: 17, Requests: 1200, Known: known})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, d := range report.Unexplained() {
		line, _, _ := strings.Cut(string(d.Sent), " HTTP/")
		line, _, _ = strings.Cut(line, "?")
		for _, part := range d.Parts {
			// Exchanges say nothing of a body's length: they have the body.
			if slices.Contains(recordedEndpoints(), line) && part.Name != "content-length" {
				found[line+" "+part.Name] = true
			}
		}
	}
	return found
}

// plants are secrets that must not be in the file.
type plants struct {
	mu  sync.Mutex
	all []string
}

func (p *plants) add(secret string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.all, secret) {
		p.all = append(p.all, secret)
	}
	return secret
}

// password is that of a user: of ten kinds, some of which look different in each encoding.
func (p *plants) password(i int) string {
	odd := []string{"", "\"", " ", "&", "é", "%", "\\", "/+", "<", "$"}[i%10]
	return p.add(fmt.Sprintf("Pl%03dan%sted!%03d", i, odd, 999-i))
}

func quoted(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw[1 : len(raw)-1])
}

// recordSequences runs the sequences through a proxy and returns what it recorded.
func recordSequences(t *testing.T, upstream string, planted *plants) []record.Call {
	var recording record.Recording
	proxy, err := record.NewProxy(upstream, time.Minute, nil, &recording)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- proxy.Serve(ctx, listener) }()
	var all sync.WaitGroup
	for i := range concurrent {
		all.Go(func() {
			client, err := wire.NewClient("http://"+listener.Addr().String(), time.Minute, nil)
			if err != nil {
				t.Error(err)
				return
			}
			c := &conversation{t: t, client: client, planted: planted, number: i}
			c.run()
		})
	}
	all.Wait()
	stop()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	if n, problem := proxy.Failures(); n > 0 {
		t.Fatalf("%d requests were not passed on: %s", n, problem)
	}
	calls, dropped := recording.Calls()
	if dropped > 0 {
		t.Fatalf("%d calls were dropped", dropped)
	}
	return calls
}

// A conversation is a client's.
type conversation struct {
	t       *testing.T
	client  *wire.Client
	planted *plants
	number  int
}

// send sends a request with planted headers and returns the token in the response.
func (c *conversation) send(path, body string, headers ...string) (token string) {
	request := wire.Request{Method: "POST", Path: path, Body: []byte(body), Headers: []wire.Header{
		{Name: "content-type", Value: "application/json"},
		{Name: "Cookie", Value: fmt.Sprintf("theme=dark; sessionid=%s", c.planted.add(fmt.Sprintf("c00k1e%04dvalue", c.number)))},
		{Name: "X-API-Key", Value: c.planted.add(fmt.Sprintf("k3y-%04d-of-the-client", c.number))},
	}}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Content-Type" {
			request.Headers = request.Headers[1:]
		}
		request.Headers = append(request.Headers, wire.Header{Name: headers[i], Value: headers[i+1]})
	}
	got, err := c.client.Do(c.t.Context(), request)
	if err != nil {
		c.t.Error(err)
		return ""
	}
	var answer struct {
		Token string `json:"token"`
	}
	if json.Unmarshal(got.Body, &answer) == nil && answer.Token != "" {
		c.planted.add(answer.Token)
	}
	return answer.Token
}

func (c *conversation) object(pairs ...string) string {
	var members []string
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, fmt.Sprintf(`"%s":"%s"`, pairs[i], quoted(pairs[i+1])))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// run is one of ten sequences, by the number of the conversation.
func (c *conversation) run() {
	resident, visitor := fmt.Sprint("resident", c.number), fmt.Sprintf("visitor%03d", c.number)
	password := c.planted.password(c.number)
	wrong := c.planted.add(fmt.Sprintf("Wr0ng-%04d-guess", c.number))
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(resident+":"+c.planted.add(fmt.Sprintf("B4sic%04dsecret", c.number))))
	login := c.object("username", resident, "password", password)
	switch c.number % 10 {
	case 0:
		token := c.send("/api/register/", c.object("username", visitor, "email", visitor+"@example.org", "password", password))
		c.send("/api/logout/", "", "Authorization", "Token "+token)
		c.send("/api/logout/", "", "Authorization", "Token "+token)
		c.send("/api/login/", c.object("username", visitor, "password", wrong))
	case 1:
		token := c.send("/api/login/", login)
		c.send("/api/logout/", "", "Authorization", "Token "+token)
	case 2:
		one, two := c.send("/api/login/", login), c.send("/api/login/", login)
		c.send("/api/logoutall/", "", "Authorization", "Token "+one)
		c.send("/api/logout/", "", "Authorization", "Token "+two)
	case 3:
		c.send("/api/login/", `{"username":"`+resident+`","password":"`+c.planted.add(fmt.Sprintf("Br0ken%04d", c.number)))
		c.send("/api/login/", c.object("username", resident))
	case 4:
		c.send("/api/logout/", "", "Authorization", "Token "+c.planted.add(strings.Repeat(fmt.Sprintf("%04x", 0xa000+c.number), 16)))
		c.send("/api/logoutall/", "")
	case 5:
		c.send("/api/login/", c.object("username", resident, "password", wrong))
		c.send("/api/login/", login)
	case 6:
		c.send("/api/register/", c.object("username", visitor, "password", password))
		c.send("/api/register/", c.object("username", visitor, "password", wrong))
	case 7:
		c.send("/api/login/", url.Values{"username": {resident}, "password": {password}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		c.send("/api/register/", url.Values{"username": {""}, "password": {wrong}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	case 8:
		c.send("/api/logout/", "", "Authorization", basic)
		c.send("/api/login/?access_token="+c.planted.add(fmt.Sprintf("qu3ry%04dtoken", c.number)), `{"username": "`+resident+`", "password": "`+quoted(password)+`"}`)
	case 9:
		c.send("/api/login/", c.object("username", "nobody"+visitor, "password", wrong))
		c.send("/api/register/", "[]")
		c.send("/api/login/", c.object("username", resident, "password", ""))
	}
}
