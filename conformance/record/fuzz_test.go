package record_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/record"
)

// FuzzDraft makes exchange files of requests and responses with anything in them. A draft becomes a file
// that loads, without the secret, or without the exchange.
func FuzzDraft(f *testing.F) {
	for _, body := range []string{`{"username":"bob","password":"%s"}`, `{"password":"%s","password":1}`, "a=b&password=%s", `{"password":"%s`, "<password>%s</password>", "\xff${%s}<<$", `[{"x":{"token":["%s"]}}]`, "", "%s"} {
		f.Add(body, `{"token":"0123456789abcdef0123456789abcdef","id":7,"at":"2026-11-30T10:00:00Z"}`, "/a/7/?x=%zz", "hunter2 hunter2")
		f.Add(body, `{"echo":"%s"}`, "/%s", `q"\é<&%+/$`)
	}
	f.Fuzz(func(t *testing.T, body, answer, path, secret string) {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \r\n\t") || len(secret) < 8 || strings.TrimSpace(secret) != secret {
			return
		}
		body, answer = strings.ReplaceAll(body, "%s", secret), strings.ReplaceAll(answer, "%s", secret)
		calls := []record.Call{
			call("POST", path, body, 200, answer, "Content-Type", "application/json"),
			call("POST", path, body, 400, answer, "Content-Type", "application/x-www-form-urlencoded", "Cookie", "sid="+url.QueryEscape(secret)),
			call("GET", path, "", 401, answer, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("bob:"+secret))),
		}
		draft, err := record.NewDraft(calls, record.Options{Profile: "p", Source: "s"})
		if errors.Is(err, record.ErrEmpty) {
			return // bodies in UTF-16
		}
		if err != nil {
			t.Fatal(err)
		}
		data, _, err := draft.Bytes()
		if errors.Is(err, record.ErrSecretLeft) {
			t.Fatal(err) // exchanges are left out instead
		}
		if errors.Is(err, record.ErrNothingLeft) {
			return
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if _, err := conformance.Load("x.yaml", data); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		var root yaml.Node
		if err := yaml.Unmarshal(data, &root); err != nil {
			t.Fatal(err)
		}
		encoded := base64.StdEncoding.EncodeToString([]byte("bob:" + secret))
		for _, text := range texts(&root) {
			if strings.Contains(text, encoded) {
				t.Fatalf("%q is left in %q", encoded, text)
			}
		}
	})
}

func texts(n *yaml.Node) []string {
	all := []string{n.Value}
	for _, inner := range n.Content {
		all = append(all, texts(inner)...)
	}
	return all
}
