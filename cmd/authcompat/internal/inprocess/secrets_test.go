package inprocess

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/report"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// An indiscreet launches servers whose responses have the request in them, in several encodings: all that
// refuse or have an authorization, and half of the others. It notes the secrets that go over the wire.
type indiscreet struct {
	conformance.Launcher
	mu      sync.Mutex
	secrets map[string]bool
}

// Launch implements conformance.Launcher.
func (l *indiscreet) Launch(ctx context.Context, profile string) (*conformance.Server, error) {
	inner, err := l.Launcher.Launch(ctx, profile)
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(inner.URL)
	if err != nil {
		return nil, err
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		l.noteRequest(r, body)
		proxy := *proxy
		proxy.ModifyResponse = func(answer *http.Response) error { return l.answer(answer, r.Header.Get("Authorization"), body) }
		proxy.ServeHTTP(w, r)
	}))
	outer := *inner
	outer.URL = front.URL
	outer.Close = func() error { front.Close(); return inner.Close() }
	return &outer, nil
}

func (l *indiscreet) answer(answer *http.Response, authorization string, sent []byte) error {
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	l.mu.Lock()
	for _, token := range regexp.MustCompile(`[0-9a-f]{40,}`).FindAllString(string(body), -1) {
		l.secrets[token] = true
	}
	count := len(l.secrets)
	l.mu.Unlock()
	if authorization == "" && answer.StatusCode < 300 && count%2 == 0 { // some get as far as their next step
		answer.Body = io.NopCloser(bytes.NewReader(body))
		return nil
	}
	for _, text := range []string{authorization, string(sent), "pbkdf2_sha256$1$salt$" + base64.StdEncoding.EncodeToString(make([]byte, 32))} {
		quoted, _ := json.Marshal(text)
		for _, form := range []string{text, string(quoted), strconv.QuoteToASCII(text), url.QueryEscape(text), html.EscapeString(text), base64.StdEncoding.EncodeToString([]byte(text)), hex.EncodeToString([]byte(text))} {
			body = append(append(body, '\n'), form...)
		}
	}
	answer.Header.Set("Content-Length", strconv.Itoa(len(body)))
	answer.Header.Add("Set-Cookie", "sessionid=s3ss10nvalue; Path=/")
	answer.Header.Set("X-Echo", strings.ReplaceAll(authorization, "\xff", ""))
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// noteRequest notes what is secret in a request.
func (l *indiscreet) noteRequest(r *http.Request, body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var object map[string]any
	if json.Unmarshal(body, &object) == nil {
		for name, value := range object {
			if text, ok := value.(string); ok && strings.Contains(name, "password") {
				l.secrets[text] = true
			}
		}
	}
	if form, err := url.ParseQuery(string(body)); err == nil {
		for name, values := range form {
			if strings.HasPrefix(name, "password") {
				l.secrets[values[0]] = true
			}
		}
	}
	if scheme, credentials, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		l.secrets[strings.TrimSpace(credentials)] = true
		if strings.EqualFold(scheme, "Basic") {
			if _, password, ok := r.BasicAuth(); ok {
				l.secrets[password] = true
			}
		}
	}
}

// Of five APIs that fail nearly everywhere, no report in any format has a password, token or hash that went over
// the wire, in any encoding.
func TestReportsHaveNoSecrets(t *testing.T) {
	var all []*profiles.Profile
	var files []*conformance.File
	for _, name := range profiles.Builtin()[:5] {
		p, err := profiles.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := conformance.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		all, files = append(all, p), append(files, file)
	}
	launcher := &indiscreet{Launcher: NewLauncher(all, store.NewTemps("")), secrets: map[string]bool{"s3ss10nvalue": true, base64.StdEncoding.EncodeToString(make([]byte, 32)): true}}
	run := conformance.Run(t.Context(), files, launcher, conformance.Options{Transcripts: true})
	if totals := run.Totals(); totals.Mismatches < 150 || totals.CouldNotRun > 0 {
		t.Fatalf("%+v", totals)
	}
	for _, f := range report.Formats() {
		var b, text bytes.Buffer
		if err := errors.Join(f.Write(&b, run), report.WriteText(&text, run, false)); err != nil {
			t.Fatal(err)
		}
		shown := b.String() + html.UnescapeString(b.String()) + text.String()
		looked := 0
		for secret := range launcher.secrets {
			// A shorter one is part of words. These are words: a field's name, and of messages and names of exchanges.
			if word := strings.TrimSpace(secret); len(word) < 5 || slices.Contains([]string{"password", "wrong", "other", "correct"}, word) {
				continue
			}
			looked++
			quoted, _ := json.Marshal(secret)
			for _, form := range []string{secret, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret)), strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "=")} {
				if at := strings.Index(shown, form); at >= 0 {
					t.Errorf("%s: %q is there: …%q…", f.Name, secret, shown[max(0, at-60):min(len(shown), at+60)])
					break
				}
			}
		}
		if looked < 20 {
			t.Errorf("%d secrets", looked)
		}
		// A password that is the name of its field is not there as its value.
		if leak := regexp.MustCompile(`.*(?:"password\d?"\s*:\s*"|\bpassword\d?=)password\b.*`).FindString(shown); leak != "" {
			t.Errorf("%s: the password that is called password is there: %.300q", f.Name, leak)
		}
	}
}
