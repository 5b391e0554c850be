package record

import (
	"fmt"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/wire"
)

// TestOneCallSpoilsNothing holds that whatever one client sends, or the server answers to it, the exchanges of others
// are written.
func TestOneCallSpoilsNothing(t *testing.T) {
	asJSON := []wire.Header{{Name: "Content-Type", Value: "application/json"}}
	good := Call{Client: "good", Request: wire.Request{Method: "POST", Path: "/api/login/", Headers: asJSON, Body: []byte(`{"username":"ann","password":"hunter2hunter"}`)},
		Response: wire.Response{Status: 200, Headers: asJSON, Body: []byte(`{"token":"0123456789abcdef0123456789abcdef"}`)}}
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	post := func(body string) wire.Request {
		return wire.Request{Method: "POST", Path: "/x", Headers: asJSON, Body: []byte(body)}
	}
	answer := func(body string) wire.Response {
		return wire.Response{Status: 200, Headers: asJSON, Body: []byte(body)}
	}
	for name, bad := range map[string]Call{
		"nested deep":         {Request: post(`{"password":"hunter3hunter","a":` + deep(60) + `}`), Response: answer("{}")},
		"nested very deep":    {Request: post(`{"password":"hunter3hunter","a":` + deep(5000) + `}`), Response: answer(deep(5000))},
		"many values":         {Request: post(`{"password":"hunter3hunter","a":[` + strings.Repeat("1,", 210_000) + `1]}`), Response: answer("{}")},
		"many fields":         {Request: wire.Request{Method: "POST", Path: "/x", Headers: []wire.Header{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}}, Body: []byte("password=hunter3hunter" + manyFields())}, Response: answer("{}")},
		"many headers":        {Request: wire.Request{Method: "GET", Path: "/x", Headers: manyHeaders()}, Response: wire.Response{Status: 200, Headers: manyHeaders()}},
		"no path":             {Request: wire.Request{Method: "GET", Path: ""}, Response: answer("{}")},
		"the server":          {Request: wire.Request{Method: "OPTIONS", Path: "*"}, Response: answer("{}")},
		"a method of its own": {Request: wire.Request{Method: "m-search!", Path: "/x"}, Response: answer("{}")},
		"bytes in the path":   {Request: wire.Request{Method: "GET", Path: "/\xff\x00${x}<any>"}, Response: answer("{}")},
		"references":          {Request: post(`{"password":"${x}","<<":{"&a":"*a"}}`), Response: answer(`{"<<":"${user1.username}","~":"<any>"}`)},
		"numbers":             {Request: post(`{"pin":1e999,"a":-0}`), Response: answer(`[1e999,01,NaN]`)},
		"lines in a header":   {Request: wire.Request{Method: "GET", Path: "/x", Headers: []wire.Header{{Name: "X", Value: "a\nB: c"}, {Name: "", Value: "x"}}}, Response: answer("{}")},
		"an interim status":   {Request: wire.Request{Method: "GET", Path: "/x"}, Response: wire.Response{Status: 199}},
		"a status of 599":     {Request: wire.Request{Method: "GET", Path: "/x"}, Response: wire.Response{Status: 599}},
		"a header of no name": {Request: wire.Request{Method: "GET", Path: "/x"}, Response: wire.Response{Status: 200, Headers: []wire.Header{{Name: "", Value: "x"}, {Name: "a b", Value: "\x00"}}}},
		"a cookie of no name": {Request: wire.Request{Method: "GET", Path: "/x", Headers: []wire.Header{{Name: "Cookie", Value: "=hunter3hunter; ;x"}}}, Response: wire.Response{Status: 200, Headers: []wire.Header{{Name: "Set-Cookie", Value: "=hunter4hunter"}, {Name: "Set-Cookie", Value: ";"}}}},
		"a user with no name": {Request: post(`{"username":"","password":"hunter3hunter"}`), Response: answer("{}")},
	} {
		t.Run(name, func(t *testing.T) {
			for _, calls := range [][]Call{{good, bad}, {bad, good}} {
				draft, err := NewDraft(calls, Options{Profile: "ocd-users", Source: "a test"})
				if err != nil {
					t.Fatal(err)
				}
				data, summary, err := draft.Bytes()
				if err != nil {
					t.Fatalf("nothing is written: %.300s", err)
				}
				f, err := conformance.Load("written", data)
				if err != nil || !strings.Contains(string(data), "POST /api/login/ 200") || summary.Exchanges != len(f.Exchanges) {
					t.Errorf("%v, %d exchanges of %+v", err, len(f.Exchanges), summary)
				}
			}
		})
	}
}

// TestFullFile holds that exchanges are written until the file is full, and the others counted.
func TestFullFile(t *testing.T) {
	asJSON := []wire.Header{{Name: "Content-Type", Value: "application/json"}}
	var calls []Call
	for i := range 16 {
		body := fmt.Sprintf(`{"password":"hunter%dhunter","a":[%s%d]}`, i, strings.Repeat("1,", 15_000), i)
		calls = append(calls, Call{Request: wire.Request{Method: "POST", Path: "/x", Headers: asJSON, Body: []byte(body)}, Response: wire.Response{Status: 200, Headers: asJSON, Body: []byte("{}")}})
	}
	draft, err := NewDraft(calls, Options{Profile: "ocd-users", Source: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	_, summary, err := draft.Bytes()
	if err != nil || summary.Exchanges != 13 || summary.Beyond != 3 {
		t.Errorf("%v: %+v", err, summary)
	}
}

func manyFields() string {
	var b strings.Builder
	for i := range 3_000 {
		fmt.Fprintf(&b, "&k%d=1", i)
	}
	return b.String()
}

func manyHeaders() []wire.Header {
	var all []wire.Header
	for i := range 300 {
		all = append(all, wire.Header{Name: fmt.Sprintf("X-%d", i), Value: fmt.Sprint("hunter5hunter", i)})
	}
	return all
}
