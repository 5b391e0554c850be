package differential_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance/differential"
	"github.com/authcompat/authcompat/conformance/wire"
)

// TestGeneratorLogsInByBasic checks that most requests to knox's login have a good password, and
// that many have a header that is none.
func TestGeneratorLogsInByBasic(t *testing.T) {
	good := "Basic " + base64.StdEncoding.EncodeToString([]byte(differential.ActiveUser+":"+differential.UserPassword))
	for _, test := range []struct {
		api  differential.API
		path string
		most int // per cent of the requests to the path that log in, at least
	}{
		{differential.Knox("knox"), "/api/auth/login/", 30},
		{differential.DRFAuthtoken(), "/api-token-auth/", 1},
		{differential.OCDUsers(), "/api/login/", 0},
	} {
		g := differential.NewGenerator(test.api, 1)
		all, right, other := 0, 0, 0
		for range 3000 {
			r := g.Next()
			if r.Path != test.path {
				continue
			}
			all++
			for _, h := range r.Headers {
				switch {
				case h.Name != "Authorization":
				case h.Value == good:
					right++
				case strings.HasPrefix(strings.ToLower(h.Value), "basic "):
					other++
				}
			}
		}
		if right*100 < test.most*all || test.most > 0 && other == 0 || test.most == 0 && right > 0 {
			t.Errorf("%s: of %d requests %d with the right password, %d with another header", test.api.Name, all, right, other)
		}
	}
}

// told is a target whose answers have these headers.
type told []wire.Header

func (h told) Do(context.Context, wire.Request) (*wire.Response, error) {
	return &wire.Response{Status: 200, Headers: h}, nil
}

// TestCompareCookies checks that it counts whether replies vary by cookie where the profile says so.
func TestCompareCookies(t *testing.T) {
	vary := told{{Name: "Content-Type", Value: "application/json"}, {Name: "Vary", Value: "Accept, Cookie"}}
	not := told{{Name: "Content-Type", Value: "application/json"}, {Name: "Vary", Value: "Accept"}}
	page := told{{Name: "Content-Type", Value: "text/html"}, {Name: "Vary", Value: "Accept, Cookie"}}
	otherPage := told{{Name: "Content-Type", Value: "text/html"}, {Name: "Vary", Value: "Accept"}}
	for name, test := range map[string]struct {
		api                differential.API
		reference, subject told
		differ             bool
	}{
		"said":              {differential.Knox("knox"), vary, not, true},
		"said of no cookie": {differential.Knox("knox"), not, vary, true},
		"the same":          {differential.Knox("knox"), vary, vary, false},
		"of a page":         {differential.Knox("knox"), page, otherPage, false},
		"not said":          {differential.OCDUsers(), vary, not, false},
	} {
		report, err := differential.Compare(t.Context(), test.api, test.reference, test.subject, differential.Options{Seed: 1, Requests: 50})
		if err != nil || (len(report.Differences) > 40) != test.differ || !test.differ && len(report.Differences) > 0 {
			t.Errorf("%s: %d differences, %v", name, len(report.Differences), err)
		}
	}
}
