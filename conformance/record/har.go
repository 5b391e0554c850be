package record

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/conformance/wire"
)

// An archive is what is read of an HTTP archive, version 1.2 (http://www.softwareishard.com/blog/har-12-spec/).
type archive struct {
	Log *struct {
		Creator struct {
			Name string `json:"name"`
		} `json:"creator"`
		Entries []archived `json:"entries"`
	} `json:"log"`
}

type archived struct {
	Started time.Time `json:"startedDateTime"`
	Time    float64   `json:"time"` // milliseconds
	Request struct {
		Method   string `json:"method"`
		URL      string `json:"url"`
		Headers  []pair `json:"headers"`
		PostData *struct {
			MimeType string `json:"mimeType"`
			Text     string `json:"text"`
			Encoding string `json:"encoding"` // mitmproxy and Firefox: base64
			Params   []pair `json:"params"`
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int    `json:"status"`
		Headers []pair `json:"headers"`
		Content struct {
			Size     int    `json:"size"`
			Text     string `json:"text"`
			Encoding string `json:"encoding"`
		} `json:"content"`
	} `json:"response"`
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// An Archive is what an HTTP archive has of one server.
type Archive struct {
	Calls []Call
	// Sanitized says that no header for a secret is in the archive: browsers leave them out unless they
	// are asked not to.
	Sanitized bool
	// Left counts entries that are not in Calls, by the reason.
	Left map[string]int
}

// ErrNotHAR is the error of what is no HTTP archive.
var ErrNotHAR = errors.New("it is no HTTP archive (HAR)")

// ErrOrigins is the error of an archive with the entries of several servers.
var ErrOrigins = errors.New("it has requests to several servers")

// ReadHAR reads an HTTP archive, as browsers and mitmproxy export it: the entries of one server, given by
// its URL; empty: there is only one. The error wraps ErrNotHAR or ErrOrigins.
func ReadHAR(data []byte, server string) (*Archive, error) {
	var a archive
	if err := json.Unmarshal([]byte(strings.TrimPrefix(string(data), "\ufeff")), &a); err != nil {
		return nil, ErrNotHAR // what the error quotes may be a secret
	}
	if a.Log == nil || a.Log.Entries == nil {
		return nil, fmt.Errorf("%w: it has no log.entries", ErrNotHAR)
	}
	base, err := url.Parse(server)
	if err != nil {
		return nil, errors.New("the server's URL is not a URL")
	}
	var origins []string
	found := &Archive{Left: map[string]int{}}
	secretHeader := false
	for _, e := range a.Log.Entries {
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Host == "" {
			found.Left["no URL"]++
			continue
		}
		origin := u.Scheme + "://" + u.Host
		if server != "" && (origin != base.Scheme+"://"+base.Host || !strings.HasPrefix(u.EscapedPath(), strings.TrimRight(base.EscapedPath(), "/"))) {
			found.Left["another server"]++
			continue
		}
		if !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
		c, reason := e.call(strings.TrimRight(base.EscapedPath(), "/"), u)
		if reason != "" {
			found.Left[reason]++
			continue
		}
		for _, h := range append(slices.Clone(c.Request.Headers), c.Response.Headers...) {
			secretHeader = secretHeader || slices.Contains([]string{"authorization", "cookie", "set-cookie"}, strings.ToLower(h.Name))
		}
		found.Calls = append(found.Calls, c)
	}
	if len(origins) > 1 {
		return nil, fmt.Errorf("%w: %s", ErrOrigins, strings.Join(origins, ", "))
	}
	found.Sanitized = !secretHeader && len(found.Calls) > 0
	slices.SortStableFunc(found.Calls, func(a, b Call) int { return a.Ended.Compare(b.Ended) })
	return found, nil
}

// call returns the call of an entry, or why there is none.
func (e archived) call(base string, u *url.URL) (Call, string) {
	switch {
	case e.Response.Status < 200 || e.Response.Status > 599:
		return Call{}, "no response"
	case !isToken(e.Request.Method):
		return Call{}, "no method"
	case e.Response.Content.Text == "" && e.Response.Content.Size > 0:
		return Call{}, "the response's body was not kept"
	}
	body, err := e.Response.Content.Text, error(nil)
	if e.Response.Content.Encoding == "base64" {
		body, err = decoded(body)
	}
	sent := ""
	if p := e.Request.PostData; p != nil {
		sent = p.Text
		if p.Encoding == "base64" {
			var failed error
			sent, failed = decoded(sent)
			err = errors.Join(err, failed)
		}
		if sent == "" && strings.HasPrefix(p.MimeType, "application/x-www-form-urlencoded") {
			var pairs []string
			for _, parameter := range p.Params {
				pairs = append(pairs, parameter.Name+"="+parameter.Value) // as they were sent
			}
			sent = strings.Join(pairs, "&")
		}
	}
	if err != nil {
		return Call{}, "a body that is not base64"
	}
	path := strings.TrimPrefix(u.EscapedPath(), base)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if u.RawQuery != "" {
		path += "?" + strings.ReplaceAll(u.RawQuery, " ", "%20")
	}
	return Call{
		Client:   "archive",
		Request:  wire.Request{Method: e.Request.Method, Path: path, Headers: passedOn(archivedHeaders(e.Request.Headers)), Body: []byte(sent)},
		Response: wire.Response{Status: e.Response.Status, Headers: archivedHeaders(e.Response.Headers), Body: []byte(body)},
		Ended:    e.Started.Add(time.Duration(e.Time * float64(time.Millisecond))),
	}, ""
}

func decoded(text string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	return string(raw), err
}

// archivedHeaders returns headers as HTTP/1.1 spells them: HTTP/2 has small letters alone.
func archivedHeaders(pairs []pair) []wire.Header {
	var headers []wire.Header
	for _, p := range pairs {
		if strings.EqualFold(p.Name, "Content-Encoding") { // archives have bodies uncompressed
			continue
		}
		if !isToken(p.Name) { // nor a pseudo-header of HTTP/2
			continue
		}
		name := p.Name
		if name == strings.ToLower(name) {
			name = textproto.CanonicalMIMEHeaderKey(name)
			if name == "Www-Authenticate" {
				name = "WWW-Authenticate"
			}
		}
		for value := range strings.SplitSeq(p.Value, "\n") { // Chrome joins lines of Set-Cookie so
			headers = append(headers, wire.Header{Name: name, Value: value})
		}
	}
	return headers
}
