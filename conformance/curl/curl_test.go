package curl_test

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance/curl"
	"github.com/authcompat/authcompat/conformance/wire"
	"github.com/google/go-cmp/cmp"
)

// TestCommand has the secrets in the command, as they are.
func TestCommand(t *testing.T) {
	got := curl.Command("http://127.0.0.1:8000/v1/", wire.Request{Method: "POST", Path: "/login", Body: []byte(`{"password":"it's"}`),
		Headers: []wire.Header{{Name: "Authorization", Value: "Token 0123456789abcdef0123456789abcdef01234567"}}})
	const want = `curl -isg --path-as-is -X 'POST' 'http://127.0.0.1:8000''/v1/login' -H 'Authorization: Token 0123456789abcdef0123456789abcdef01234567'` +
		` -H 'Accept:' -H 'User-Agent:' -H 'Content-Type:' --data-binary '{"password":"it'\''s"}'`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestBodyOfAFilesName sends a body that begins with @ as it is, and not the file that curl takes it for.
func TestBodyOfAFilesName(t *testing.T) {
	got := curl.Command("http://127.0.0.1:8000", wire.Request{Method: "POST", Path: "/", Body: []byte("@/etc/hosts")})
	if !strings.HasPrefix(got, `printf '@/etc/hosts' | curl `) || !strings.HasSuffix(got, " --data-binary @-") {
		t.Error(got)
	}
}
