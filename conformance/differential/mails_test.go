package differential_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/conformance/differential"
)

// A postman answers everything with 204, and counts the links of its own and of others that come back.
type postman struct {
	mu         sync.Mutex
	own, other string
	uid        int // bodies with the uid of its links
	back       int // and with a token of its own
	wrong      int // with one of the other server's
}

func (p *postman) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.Contains(string(body), "NDIx") {
		p.uid++
	}
	if strings.Contains(string(body), p.own) {
		p.back++
	}
	if strings.Contains(string(body), p.other) {
		p.wrong++
	}
	w.WriteHeader(http.StatusNoContent)
}

// TestLinksAreFollowed sends links from both servers: later requests have them, each server its own.
func TestLinksAreFollowed(t *testing.T) {
	one, two := &postman{own: "of-one", other: "of-two"}, &postman{own: "of-two", other: "of-one"}
	reference, subject := httptest.NewServer(one), httptest.NewServer(two)
	defer reference.Close()
	defer subject.Close()
	call := 0
	report, err := differential.Run(t.Context(), differential.Djoser(false), reference.URL, subject.URL, differential.Options{
		Seed: 1, Requests: 400,
		Mails: func(context.Context) (r, s []differential.Mail, err error) {
			if call++; call > 3 { // more would only be waited for
				return nil, nil, nil
			}
			mail := differential.Mail{Kind: differential.PasswordReset, To: "john@example.com", UID: "NDIx"}
			r, s = append(r, mail), append(s, mail)
			r[0].Token, s[0].Token = "of-one", "of-two"
			return r, s, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Differences) > 0 {
		t.Errorf("%d differences, the first: %s", len(report.Differences), report.Differences[0])
	}
	if one.back == 0 || one.back != two.back || one.uid == 0 || one.wrong+two.wrong > 0 {
		t.Errorf("of the reference %d uids, %d tokens and %d wrong ones came back, of the subject %d, %d and %d", one.uid, one.back, one.wrong, two.uid, two.back, two.wrong)
	}
}

// TestMailsAreCompared finds a mail that one server alone sends, one to somebody else, and one with another link.
func TestMailsAreCompared(t *testing.T) {
	server := httptest.NewServer(&postman{own: "x", other: "y"})
	defer server.Close()
	mail := differential.Mail{Kind: "confirmation", To: "john@example.com"}
	other, link := mail, mail
	other.To, link.UID = "jane@example.com", "Mg"
	pairs := [][2][]differential.Mail{{{mail}, {mail}}, {{mail}, nil}, {nil, {mail}}, {{mail}, {other}}, {{mail}, {link}}, {nil, nil}}
	call := -1
	report, err := differential.Run(t.Context(), differential.Djoser(true), server.URL, server.URL, differential.Options{
		Seed: 1, Requests: len(pairs),
		Mails: func(context.Context) (r, s []differential.Mail, err error) {
			call++
			return pairs[call][0], pairs[call][1], nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range report.Differences {
		for _, p := range d.Parts {
			got = append(got, fmt.Sprint(d.Number, " ", p.Name, ": ", p.Reference, ", ", p.Subject))
		}
	}
	want := []string{
		"2 mails: [confirmation to john@example.com], []", "3 mails: [], [confirmation to john@example.com]",
		"4 mails: [confirmation to john@example.com], [confirmation to jane@example.com]", "5 mails: [confirmation to john@example.com], [confirmation to john@example.com Mg]",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestAttacksHaveNoLinks asks about the links of requests that are attacks, of which a run may have many before the first
// other one.
func TestAttacksHaveNoLinks(t *testing.T) {
	for seed := range uint64(300) {
		g := differential.NewGenerator(differential.Djoser(false), seed)
		g.Hostile = true
		for range 3 {
			g.Next()
			if number, activation := g.UsesLink(); number != -1 || activation {
				t.Fatalf("seed %d: link %d, %t", seed, number, activation)
			}
			g.Answered(200)
		}
	}
}

// TestGeneratorKnowsWhoIsThere registers users: most of the later logins are theirs, and none are of those who were refused.
func TestGeneratorKnowsWhoIsThere(t *testing.T) {
	for status, want := range map[int]bool{201: true, 400: false} {
		g := differential.NewGenerator(differential.Djoser(false), 1)
		logins := 0
		for range 2000 {
			r := g.Next()
			registers := r.Method == "POST" && r.Path == "/auth/users/"
			if registers {
				g.Answered(status)
				continue
			}
			g.Answered(401)
			if strings.HasPrefix(r.Path, "/auth/token/login") && strings.Contains(string(r.Body), "u1") {
				logins++
			}
		}
		if (logins > 50) != want {
			t.Errorf("registrations answered with %d: %d logins of new users", status, logins)
		}
	}
}
