package frontconfig

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/profiles/smallfile"
)

// loadApplication checks what the three keys of an application say, and returns it. Without a
// URL it has been refused.
func (f Server) loadApplication(ctx context.Context, at, caFile, serverName section.Option, found *section.Problems) (a Application) {
	var err error
	if a.URL, err = parseApplication(at.Value); err != nil {
		found.Add(at.At, "%v", err)
		return a
	}
	a.ServerName = serverName.Value
	f.checkLoop(at, a.URL, found)
	a.readTLS(ctx, at, caFile, serverName, found)
	return a
}

// readTLS reads the certificates that the application's is checked by.
func (a *Application) readTLS(ctx context.Context, at, caFile, serverName section.Option, found *section.Problems) {
	for _, o := range []section.Option{caFile, serverName} {
		if o.Value != "" && a.URL.Scheme != "https" {
			found.Add(o.At, "needs an application at https://, not %s", at.Value)
			return
		}
	}
	if caFile.Value == "" {
		return
	}
	data, err := smallfile.Read(ctx, caFile.Value)
	if err != nil {
		found.Add(caFile.At, "%v", err)
		return
	}
	a.Roots = x509.NewCertPool()
	if !a.Roots.AppendCertsFromPEM(data) {
		found.Add(caFile.At, "%s has no certificates (PEM)", caFile.Value)
	}
}

// sameApplication reports whether two URLs lead to the same server.
func sameApplication(a, b *url.URL) bool {
	address := func(u *url.URL) string {
		host, port := u.Hostname(), u.Port()
		if port == "" {
			port = u.Scheme
		}
		host, number := flagvalue.Endpoint(net.JoinHostPort(host, port))
		return net.JoinHostPort(host, strconv.Itoa(number))
	}
	return address(a) == address(b)
}

// parseApplication reads the URL of an application: a scheme, a host, and maybe a port.
func parseApplication(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	// Errors of url.Parse, and the URL itself, may have a password in them.
	switch {
	case err != nil:
		return nil, errors.New("the URL of the application can't be read: want for instance http://127.0.0.1:9000")
	case hasUser(u):
		return nil, errors.New("the URL of the application has a name or a password, which nobody is sent")
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return nil, fmt.Errorf("%q: want http://HOST:PORT or https://HOST:PORT", text)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("%q: want a host alone: paths are passed on as they are", text)
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > math.MaxUint16 {
			return nil, fmt.Errorf("%q: a port is 1 to 65535", text)
		}
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

// hasUser reports whether a URL has a name or a password, also one that has no scheme: ann:secret@host.
func hasUser(u *url.URL) bool {
	return u.User != nil || u.Host == "" && strings.Contains(u.Opaque+u.Path, "@")
}

// checkLoop refuses an application that is one of the listeners.
func (f Server) checkLoop(at section.Option, application *url.URL, found *section.Problems) {
	port := application.Port()
	if port == "" {
		port = application.Scheme
	}
	target := net.JoinHostPort(application.Hostname(), port)
	for _, spot := range f.Listeners {
		host, listened := flagvalue.Endpoint(spot.Address)
		wanted, number := flagvalue.Endpoint(target)
		if listened == number && (host == wanted || host == "" && ofThisMachine(wanted)) {
			found.Add(at.At, "%s is the listener %s itself (%s): requests would go round for ever", at.Value, spot.Address, spot.At)
			return
		}
	}
}

// ofThisMachine reports whether a host of an endpoint is an address of this machine. What a
// name stands for is known once it is connected to (front.Options.Own).
func ofThisMachine(host string) bool {
	if host == "" || flagvalue.IsLoopback(host) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	own, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(own, func(a net.Addr) bool {
		network, ok := a.(*net.IPNet)
		return ok && network.IP.String() == ip.String()
	})
}
