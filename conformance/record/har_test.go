package record_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance/record"
	"github.com/authcompat/authcompat/conformance/wire"
)

// entry is an entry of an archive as Chrome writes it, over HTTP/2.
func entry(started, method, url, headers, post, response string) string {
	return fmt.Sprintf(`{"startedDateTime": %q, "time": 12.5, "request": {"method": %q, "url": %q, "httpVersion": "h2", "headers": [%s], "cookies": []%s}, "response": %s}`,
		started, method, url, headers, post, response)
}

func archiveOf(entries ...string) []byte {
	return []byte("\ufeff" + `{"log": {"version": "1.2", "creator": {"name": "WebInspector"}, "entries": [` + strings.Join(entries, ",") + `]}}`)
}

const okJSON = `{"status": 200, "headers": [{"name": ":status", "value": "200"}, {"name": "content-type", "value": "application/json"}, {"name": "www-authenticate", "value": "Token"}, {"name": "set-cookie", "value": "a=b\nc=d"}], "content": {"size": 2, "mimeType": "application/json", "text": "e30=", "encoding": "base64"}}`

func TestReadHAR(t *testing.T) {
	later := entry("2026-11-30T10:00:02.000Z", "GET", "https://old.example.com/api/me/?a=%20b#top", `{"name": ":authority", "value": "old.example.com"}, {"name": "authorization", "value": "Token x"}, {"name": "accept-encoding", "value": "gzip"}`, "", okJSON)
	form := entry("2026-11-30T10:00:01.000Z", "POST", "https://old.example.com/api/login/", `{"name": "content-type", "value": "application/x-www-form-urlencoded"}`,
		`, "postData": {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "u", "value": "a%20b"}, {"name": "p", "value": "c"}]}`, okJSON)
	blocked := entry("2026-11-30T10:00:03.000Z", "GET", "https://old.example.com/api/x", "", "", `{"status": 0, "headers": [], "content": {}}`)
	unkept := entry("2026-11-30T10:00:03.000Z", "GET", "https://old.example.com/api/y", "", "", `{"status": 200, "headers": [], "content": {"size": 7}}`)
	other := entry("2026-11-30T10:00:03.000Z", "GET", "https://cdn.example.com/y.js", "", "", okJSON)
	got, err := record.ReadHAR(archiveOf(later, form, blocked, unkept, other), "https://old.example.com/api/")
	if err != nil {
		t.Fatal(err)
	}
	response := wire.Response{Status: 200, Body: []byte("{}"), Headers: []wire.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "WWW-Authenticate", Value: "Token"}, {Name: "Set-Cookie", Value: "a=b"}, {Name: "Set-Cookie", Value: "c=d"}}}
	want := []record.Call{
		{Client: "archive", Response: response, Request: wire.Request{Method: "POST", Path: "/login/", Headers: []wire.Header{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}}, Body: []byte("u=a%20b&p=c")}},
		{Client: "archive", Response: response, Request: wire.Request{Method: "GET", Path: "/me/?a=%20b", Headers: []wire.Header{{Name: "Authorization", Value: "Token x"}}, Body: []byte{}}},
	}
	for i := range got.Calls {
		got.Calls[i].Ended = want[0].Ended
	}
	if diff := cmp.Diff(want, got.Calls); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"no response": 1, "the response's body was not kept": 1, "another server": 1}, got.Left); diff != "" {
		t.Error(diff)
	}
	if got.Sanitized {
		t.Error("it has credentials")
	}
}

func TestReadHARRefuses(t *testing.T) {
	plain := `{"status": 200, "headers": [], "content": {"size": 2, "text": "{}"}}`
	one, two := entry("2026-11-30T10:00:01.000Z", "GET", "http://a.example/", "", "", plain), entry("2026-11-30T10:00:01.000Z", "GET", "http://b.example/", "", "", plain)
	for _, test := range []struct {
		data []byte
		want error
	}{
		{nil, record.ErrNotHAR}, {[]byte("<html>"), record.ErrNotHAR}, {[]byte(`{"log": {}}`), record.ErrNotHAR}, {[]byte(`[1]`), record.ErrNotHAR},
		{archiveOf(one, two), record.ErrOrigins},
	} {
		if _, err := record.ReadHAR(test.data, ""); !errors.Is(err, test.want) {
			t.Errorf("%.30s: %v", test.data, err)
		}
	}
	if got, err := record.ReadHAR(archiveOf(one), ""); err != nil || !got.Sanitized {
		t.Errorf("without headers: %+v, %v", got, err)
	}
}
