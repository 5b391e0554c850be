package front

import (
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"
)

// rewrite makes the application's request of the client's. The proxy has taken hop-by-hop
// headers, Forwarded and the usual X-Forwarded ones away.
func (f *Front) rewrite(p *httputil.ProxyRequest) {
	out, in := p.Out, p.In
	// The connection puts the client's target there (rewriteHead).
	x := exchangeOf(in)
	out.URL = x.to.url
	out.Host = in.Host // empty for HTTP/1.0 without one: the application's
	if out.Body == http.NoBody {
		out.Body = nil
	}
	f.forwarded(out.Header, in)
	keepFromNetHTTP(out.Header)
	f.identify(out, x.session)
	if !isWebSocket(in) {
		delete(out.Header, "Upgrade")
		delete(out.Header, "Connection")
	}
	// Servers send bodies where HEAD has none (gunicorn, with Django's 404), which would be
	// taken for the next answer on the connection. And to use one again, net/http sends a body
	// that the application has refused before it was asked for (net/http/transport.go of
	// Go 1.26, readResponse).
	out.Close = in.Method == http.MethodHead || len(in.Header["Expect"]) > 0
}

// isWebSocket reports whether a request asks for the only protocol that is passed on
// (RFC 6455, 4.1). Another one, as HTTP/2 without TLS, would carry requests past the rules.
func isWebSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && r.ProtoAtLeast(1, 1) && r.ContentLength == 0 &&
		len(r.Header["Upgrade"]) == 1 && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// forwarded says who the client is, and how it came here. What it says of that itself is
// dropped, unless it is a trusted proxy.
func (f *Front) forwarded(h http.Header, in *http.Request) {
	peer, err := netip.ParseAddrPort(in.RemoteAddr)
	address := peer.Addr().Unmap().WithZone("")
	trusted := err == nil && f.Trusted(address)
	for name := range h {
		// Proxies write their own with dashes. In another spelling they pass on a client's.
		if aboutRouting(name) || aboutClient(name) && (!trusted || isOdd(name)) {
			delete(h, name)
		}
	}
	set := func(name string, own []string) {
		if theirs := in.Header[name]; trusted && len(theirs) > 0 {
			own = theirs
		}
		h[name] = own
	}
	values := []string{in.Host, address.String()}
	if in.Host != "" {
		set("X-Forwarded-Host", values[:1:1])
	}
	set("X-Forwarded-Proto", f.scheme)
	if err != nil {
		values[1] = "unknown"
	}
	if before := in.Header["X-Forwarded-For"]; trusted && len(before) > 0 {
		values[1] = strings.Join(before, ", ") + ", " + values[1]
	}
	h["X-Forwarded-For"] = values[1:]
}

// aboutClient reports whether a header says where a request came from, however servers fold its
// name.
func aboutClient(name string) bool {
	if name[0] != 'X' && name[0] != 'F' && name[0] != 'x' {
		return false
	}
	name = folded(name)
	return strings.HasPrefix(name, "x-forwarded-") || name == "forwarded" || name == "x-real-ip"
}

// aboutRouting reports whether a header tells some application another path than that of
// the request line, which the rules go by: SCRIPT_NAME and PATH_INFO gunicorn
// (gunicorn/http/wsgi.py 20.1, create), X-Script-Name the middleware that applications of
// Flask copy, which cuts it off the path, and the others frameworks behind IIS.
func aboutRouting(name string) bool {
	switch len(name) {
	case len("PATH_INFO"), len("SCRIPT_NAME"), len("X-Original-URL"), len("X-Rewrite-URL"): // as X-Script-Name
	default:
		return false
	}
	switch folded(name) {
	case "script-name", "path-info", "x-script-name", "x-original-url", "x-rewrite-url":
		return true
	}
	return false
}

// folded returns a header's name in lower case, with a dash for whatever is no letter or digit:
// applications get one variable for all names that differ in that. WSGI makes _ of the dash alone,
// CGI in lighttpd (1.4.69) of every other sign too, as in Apache before 2.4 (its upgrading guide).
func folded(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		if isSign(c) {
			return '-'
		}
		return c
	}, name)
}

// isOdd reports whether a header's name has signs in it beside dashes.
func isOdd(name string) bool {
	return strings.ContainsFunc(name, func(c rune) bool { return c != '-' && isSign(c) })
}

// isSign reports whether a character is no letter or digit of ASCII.
func isSign(c rune) bool {
	return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}

// keepFromNetHTTP spells names so that net/http does not act on them: it sends one
// User-Agent alone, and takes a request with an Idempotency-Key for one that can be sent
// again, whatever it is.
func keepFromNetHTTP(h http.Header) {
	if values, sent := h["User-Agent"]; sent && (len(values) > 1 || values[0] == "") {
		h["User-Agent"], h["user-agent"] = []string{""}, values
	}
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, sent := h[name]; sent {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
}

// removeHops removes hop-by-hop headers (RFC 9110, 7.6.1), of interim answers: from others
// the proxy has taken them.
func removeHops(h http.Header) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for name := range h {
		switch http.CanonicalHeaderKey(name) {
		case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
			delete(h, name)
		}
	}
}
