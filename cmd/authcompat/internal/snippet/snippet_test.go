package snippet

import (
	"strings"
	"testing"
)

func good() Values {
	return Values{Profile: "snippit", Ask: "127.0.0.1:8082", Application: "app.internal:9000", Listen: "[::1]:8080", LuaFile: "/etc/haproxy/authcompat.lua", CAFile: "/etc/ssl/ca.pem"}
}

// TestWrite prints each configuration with all of its values, and what each proxy must have so
// that no request gets through. That they work is tested at the proxies.
func TestWrite(t *testing.T) {
	for proxy, wants := range map[string][]string{
		"nginx":   {"auth_request /_ask;", "/snippit/request;", "/snippit/denied;", "proxy_method GET;", "proxy_hide_header WWW-Authenticate;", "client_max_body_size 0;", "listen [::1]:8080;"},
		"traefik": {`"http://127.0.0.1:8082/snippit/forward"`, `"http://app.internal:9000"`, "middlewares: [names, authcompat]", `customRequestHeaders: {X_Forwarded_For: "", Upgrade: "", HTTP2-Settings: ""}`},
		"caddy":   {"uri /snippit/forward", "bind ::1", "http://:8080 {", "reverse_proxy app.internal:9000", "request_header -X-Authcompat*", "request_header -*Forwarded*", "request_header @switched -Upgrade", "header_up -X-Request-Id"},
		"haproxy": {"lua-load /etc/haproxy/authcompat.lua", "http-request deny deny_status 503 unless { var(txn.authcompat_good) -m bool }", "bind [::1]:8080", "server application app.internal:9000", "del-header ^x[^a-z0-9]forwarded[^a-z0-9]for$ -m reg\n", "http-request del-header upgrade unless { req.hdr(upgrade) -i websocket } { req.hdr_cnt(upgrade) eq 1 }"},
		"envoy":   {"failure_mode_allow: false", "path_prefix: /snippit/envoy", `address: "::1", port_value: 8080`, `address: "app.internal", port_value: 9000`, "remove: x-authcompat-identity", "{remove: x_forwarded_for}", "use_remote_address: true", "allowed_headers: {patterns: [{exact: x-forwarded-for}]}"},
	} {
		var out strings.Builder
		if err := Write(&out, proxy, good()); err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s lacks %s:\n%s", proxy, want, out.String())
			}
		}
	}
	var lua strings.Builder
	if err := WriteLua(&lua, good()); err != nil || !strings.Contains(lua.String(), `"http://127.0.0.1:8082/snippit/forward"`) {
		t.Errorf("%v: %s", err, lua.String())
	}
	if !strings.Contains(lua.String(), `["x-forwarded-for"] = { txn.f:src() }`) {
		t.Errorf("the question does not name the client: %s", lua.String())
	}
	if len(Proxies()) != 5 {
		t.Errorf("%v", Proxies())
	}
}

// TestIdentity prints what passes identities on, and what removes a client's own. That it works is
// tested at the proxies; without identities nothing of it is there.
func TestIdentity(t *testing.T) {
	with, without := good(), good()
	with.Identity = true
	for proxy, want := range map[string]string{
		"nginx": `proxy_set_header Remote-User "";`, "traefik": "authResponseHeadersRegex: '(?i)^(", "caddy": "request_header -*Authcompat*",
		"haproxy": "http-request del-header '^([^a-z0-9]*x", "envoy": "{remove: remote-user}",
	} {
		var has, lacks strings.Builder
		if err := Write(&has, proxy, with); err != nil || !strings.Contains(has.String(), want) {
			t.Errorf("%s: %v: %s", proxy, err, has.String())
		}
		if err := Write(&lacks, proxy, without); err != nil || strings.Contains(lacks.String(), want) {
			t.Errorf("%s: %v: %s", proxy, err, lacks.String())
		}
	}
}

// TestTLS prints what asks over TLS, and checks the server's certificate; without it nothing of it
// is there.
func TestTLS(t *testing.T) {
	with, without := good(), good()
	with.TLS, with.Ask = true, "auth.internal:8082"
	for proxy, wants := range map[string][]string{
		"nginx":   {"proxy_pass https://authcompat/snippit/request;", "proxy_ssl_verify on;", "proxy_ssl_trusted_certificate /etc/ssl/ca.pem;", "proxy_ssl_name auth.internal;"},
		"traefik": {`"https://auth.internal:8082/snippit/forward"`, "tls: {ca: /etc/ssl/ca.pem}"},
		"caddy":   {"forward_auth https://auth.internal:8082 {", "tls_trusted_ca_certs /etc/ssl/ca.pem"},
		"haproxy": {"server authcompat auth.internal:8082 ssl verify required ca-file /etc/ssl/ca.pem sni str(auth.internal)"},
		"envoy":   {"https://auth.internal:8082", "filename: /etc/ssl/ca.pem", `exact: "auth.internal"`},
	} {
		var has, lacks strings.Builder
		if err := Write(&has, proxy, with); err != nil {
			t.Fatal(err)
		}
		if err := Write(&lacks, proxy, without); err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(has.String(), want) || strings.Contains(lacks.String(), want) {
				t.Errorf("%s: %s: with TLS %s\nwithout %s", proxy, want, has.String(), lacks.String())
			}
		}
	}
	var lua strings.Builder
	if err := WriteLua(&lua, with); err != nil || !strings.Contains(lua.String(), `dst = "abns@authcompat-8080"`) {
		t.Errorf("%v: %s", err, lua.String())
	}
}

// TestBadValues has values that would be more than a value in a configuration.
func TestBadValues(t *testing.T) {
	for name, change := range map[string]func(*Values){
		"no host":             func(v *Values) { v.Ask = ":8082" },
		"no port":             func(v *Values) { v.Ask = "127.0.0.1" },
		"a port by its name":  func(v *Values) { v.Listen = "127.0.0.1:http" },
		"a large port":        func(v *Values) { v.Listen = "127.0.0.1:65536" },
		"a directive":         func(v *Values) { v.Application = "a; return 200;:80" },
		"a line":              func(v *Values) { v.Application = "a\nb:80" },
		"a quote":             func(v *Values) { v.Ask = `a":80` },
		"a zone":              func(v *Values) { v.Ask = "[fe80::1%e;x]:80" },
		"a path of two words": func(v *Values) { v.LuaFile = "/a b" },
		"no path":             func(v *Values) { v.LuaFile = "" },
		"a path of two lines": func(v *Values) { v.CAFile = "/a\nb" },
		"TLS by an address":   func(v *Values) { v.TLS = true },
	} {
		v := good()
		change(&v)
		var out strings.Builder
		if err := Write(&out, "nginx", v); err == nil || out.Len() > 0 {
			t.Errorf("%s: %v, %s", name, err, out.String())
		}
	}
}

// TestNameTheClient holds that each question of nginx names the client, and that none has what the client says of
// itself: the others are configured in one place.
func TestNameTheClient(t *testing.T) {
	var out strings.Builder
	if err := Write(&out, "nginx", good()); err != nil {
		t.Fatal(err)
	}
	questions := strings.Split(out.String(), "location = /")[1:]
	if len(questions) != 3 {
		t.Fatalf("%d questions: %s", len(questions), out.String())
	}
	for _, question := range questions {
		for _, want := range []string{"proxy_set_header X-Forwarded-For $remote_addr;", `proxy_set_header X-Request-Id "";`} {
			if !strings.Contains(question, want) {
				t.Errorf("%s lacks %s", question, want)
			}
		}
	}
}
