// Package snippet prints configuration for reverse proxies that ask authcompat before they
// pass a request on to an application.
package snippet

import (
	"embed"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"text/template"

	"github.com/authcompat/authcompat/dialects/identity"
)

//go:embed *.tmpl
var files embed.FS

// Proxies returns the names of the proxies.
func Proxies() []string { return []string{"nginx", "traefik", "caddy", "haproxy", "envoy"} }

// Values are what stands in a configuration. Addresses are HOST:PORT.
type Values struct {
	Profile     string // its name
	Ask         Address
	Application Address
	Listen      Address // of the proxy
	LuaFile     string  // where HAProxy finds what Lua prints
	TLS         bool    // whether the proxy asks over TLS
	CAFile      string  // where it finds the certificates that the server's is checked by, in PEM
	Identity    bool    // whether answers tell whose a token is
}

// Scheme is that of the URLs that are asked at.
func (v Values) Scheme() string {
	if v.TLS {
		return "https"
	}
	return "http"
}

// Reserved matches the names, in lower case, of headers that no client may send.
func (Values) Reserved() string { return identity.ReservedPattern() }

// Spelled are those of them that most servers take for the header of an identity or of a user:
// for proxies that remove headers by their whole names.
func (Values) Spelled() []string {
	return []string{"X-Authcompat-Identity", "X-Authcompat", "Remote-User", "RemoteUser"}
}

// Address is HOST:PORT, with a host.
type Address string

// Host returns the host, an IPv6 address without brackets.
func (a Address) Host() string {
	host, _, _ := net.SplitHostPort(string(a)) // Check has tried it
	return host
}

// Port returns the port.
func (a Address) Port() string {
	_, port, _ := net.SplitHostPort(string(a)) // Check has tried it
	return port
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// check fails for what no configuration can have.
func (a Address) check(what string) error {
	host, port, err := net.SplitHostPort(string(a))
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	ip, notIP := netip.ParseAddr(host)
	if err != nil || host == "" || ip.Zone() != "" || notIP != nil && strings.Trim(host, letters) != "" {
		return fmt.Errorf("%s: %q is no address: want HOST:PORT, for instance 127.0.0.1:8082", what, string(a))
	}
	return nil
}

// Write writes the configuration of a proxy.
func Write(w io.Writer, proxy string, v Values) error { return v.write(w, proxy) }

// WriteLua writes the Lua file of HAProxy.
func WriteLua(w io.Writer, v Values) error { return v.write(w, "haproxy-lua") }

func (v Values) write(w io.Writer, name string) error {
	for _, a := range []struct {
		what    string
		address Address
	}{{"--ask", v.Ask}, {"--application", v.Application}, {"--proxy-address", v.Listen}} {
		if err := a.address.check(a.what); err != nil {
			return err
		}
	}
	if _, err := netip.ParseAddr(v.Ask.Host()); v.TLS && err == nil {
		return fmt.Errorf("--ask: %q: over TLS, want the name that is in the certificate: nginx and HAProxy compare no addresses with it", string(v.Ask))
	}
	for _, f := range []struct{ what, path string }{{"--lua-file", v.LuaFile}, {"--ask-ca-file", v.CAFile}} {
		if f.path == "" || strings.Trim(f.path, letters+"/") != "" {
			return fmt.Errorf("%s: %q: want a path of letters, digits and . _ - /", f.what, f.path)
		}
	}
	t, err := template.New(name+".tmpl").Funcs(template.FuncMap{"lower": strings.ToLower}).ParseFS(files, name+".tmpl")
	if err != nil {
		return err
	}
	return t.Execute(w, v)
}
