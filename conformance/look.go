package conformance

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/authcompat/authcompat/conformance/internal/template"
	"github.com/authcompat/authcompat/conformance/wire"
)

// An UnfitKind is why exchanges cannot be replayed at a server.
type UnfitKind int

const (
	// NoAnswer: nothing can be connected to at the URL.
	NoAnswer UnfitKind = iota + 1
	// TooSlow: there is no complete response in time.
	TooSlow
	// NoHTTP: what answers does not speak HTTP, or not over TLS.
	NoHTTP
	// NotTrusted: the server's certificate is not trusted.
	NotTrusted
	// OtherAPI: what answers does not speak the API of the exchange file.
	OtherAPI
	// NoLogin: it speaks the API, but the given user cannot log in.
	NoLogin
	// NoRegistration: it speaks the API, but does not register the users that exchanges need.
	NoRegistration
)

// An Unfit is the error of a server at which exchanges cannot be replayed.
type Unfit struct {
	Kind    UnfitKind
	Problem string // one line, without secrets
	User    string // of NoLogin: who cannot log in, by the name in Options.Users; empty if it is Options.User
}

// Error returns the problem.
func (u *Unfit) Error() string { return u.Problem }

// Advice says what to do about it, in a line without a capital and a full stop.
func (u *Unfit) Advice() string {
	switch u.Kind {
	case NoAnswer:
		return "start the server, or correct the address: its port, and whether it is http:// or https://"
	case TooSlow:
		return "look at the server, or give it more time"
	case NoHTTP:
		return "correct the address: its port, and whether it is http:// or https://"
	case NotTrusted:
		return "correct the host's name, or name the certificate of its authority: SSL_CERT_FILE=FILE"
	case OtherAPI:
		return "give the address under which the API's own paths begin, and the profile that is spoken there"
	case NoLogin:
		return "correct the user or the password; a server may have locked the user out, or this address, after wrong passwords"
	}
	return "the exchanges register users of their own: let the server register them while they are replayed"
}

// Look finds out whether exchanges can be replayed at a running server, before each of them fails for
// the same reason: whether it answers, speaks the file's API, and registers users or lets the given one
// log in, each of them. A server that answers otherwise than documented is fit: to tell how is the exchanges' work. It
// sends a few requests of the file: one that registers a user, or some that need none and one that logs
// in; if that gets another response than documented, one with a wrong password too. The error is an
// *Unfit, or that of the context.
func Look(ctx context.Context, f *File, server string, options Options) error {
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	client, err := options.connect(server)
	if err != nil {
		return &Unfit{Kind: NoAnswer, Problem: "the server's URL: " + err.Error()}
	}
	l := &look{file: f, client: client, options: options}
	found := l.probe
	if f.createUser != nil {
		found = l.register
	}
	if err := found(ctx); err != nil {
		return err
	}
	return l.login(ctx)
}

// A look is one call of Look.
type look struct {
	file    *File
	client  Client
	options Options
}

// send sends the request of a step. The error is that of Look.
func (l *look) send(ctx context.Context, s step, scope *template.Scope) (*wire.Response, error) {
	got, err := l.client.Do(ctx, s.request.encode(scope))
	var failed *wire.Error
	switch {
	case err == nil:
		return got, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return nil, &Unfit{Kind: NotTrusted, Problem: "its certificate is not trusted: " + err.Error()}
	case errors.As(err, new(tls.RecordHeaderError)):
		return nil, &Unfit{Kind: NoHTTP, Problem: "what answers there speaks no TLS: " + err.Error()}
	case errors.As(err, &failed) && failed.Kind == wire.Unreachable && errors.Is(err, context.DeadlineExceeded):
		return nil, &Unfit{Kind: NoAnswer, Problem: fmt.Sprintf("nothing answers there within %v", l.options.Timeout)} // nor to a TLS handshake
	case errors.As(err, &failed) && failed.Kind == wire.Unreachable:
		return nil, &Unfit{Kind: NoAnswer, Problem: "nothing answers there: " + err.Error()}
	case errors.As(err, &failed) && failed.Kind == wire.TimedOut:
		return nil, &Unfit{Kind: TooSlow, Problem: fmt.Sprintf("no complete response within %v", l.options.Timeout)}
	}
	return nil, &Unfit{Kind: NoHTTP, Problem: "what answers there speaks no HTTP: " + err.Error()}
}

// register looks by the request that registers users.
func (l *look) register(ctx context.Context) error {
	made := User{Username: (&naming{run: runName()}).username(user{username: "look"}), Password: rand.Text(), Email: anyAddress}
	scope := scopeOf("user", made)
	s := *l.file.createUser
	got, err := l.send(ctx, s, scope)
	if err != nil {
		return err
	}
	if got.Status/100 == 2 && s.response.resembles(got, scope) {
		return nil
	}
	if err := l.probe(ctx); err != nil || got.Status/100 == 2 {
		return err
	}
	return &Unfit{Kind: NoRegistration, Problem: "it does not register users: " + s.gotInstead(got)}
}

// probe looks by requests that need no user: one that gets a response like the documented one is
// enough.
func (l *look) probe(ctx context.Context) error {
	first := ""
	for _, s := range l.file.probes() {
		scope := scopeOf("", User{})
		got, err := l.send(ctx, s, scope)
		switch {
		case err != nil:
			return err
		case got.Status == s.response.status && s.response.resembles(got, scope):
			return nil
		case first == "":
			first = s.gotInstead(got)
		}
	}
	if first == "" {
		return nil // the file has no such request
	}
	return &Unfit{Kind: OtherAPI, Problem: "it does not speak " + l.file.Profile + ": " + first}
}

// login looks whether the given users can log in.
func (l *look) login(ctx context.Context) error {
	name, s, ok := l.file.sharedLogin()
	if ok && l.options.User != "" && l.file.createUser == nil { // else its place is taken by registered ones
		if err := l.logIn(ctx, s, name, User{Username: l.options.User, Password: l.options.Password}, ""); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.options.Users)) {
		if s, ok := l.file.loginOf(name); ok {
			if err := l.logIn(ctx, s, name, l.options.Users[name], name); err != nil {
				return err
			}
		}
	}
	return nil
}

// logIn looks whether a given user can log in by the step, which has the user under a name; who is
// Unfit.User.
func (l *look) logIn(ctx context.Context, s step, name string, given User, who string) error {
	scope := scopeOf(name, given)
	got, err := l.send(ctx, s, scope)
	if err != nil || got.Status == s.response.status && s.response.body.match(got, scope) == nil {
		return err
	}
	// It may be a difference that the exchanges are to find, unless a wrong password gets the same.
	given.Password = rand.Text()
	refused, err := l.send(ctx, s, scopeOf(name, given))
	if err != nil || refused.Status != got.Status || string(refused.Body) != string(got.Body) {
		return err
	}
	subject := "the given user"
	if who != "" {
		subject += " " + who
	}
	return &Unfit{Kind: NoLogin, Problem: subject + " cannot log in: it gets what a wrong password gets: " + s.gotInstead(got), User: who}
}

func scopeOf(name string, u User) *template.Scope {
	return &template.Scope{Users: map[string]template.User{name: u.inTemplates()}, Captures: map[string]string{}}
}

// gotInstead says in one line how a response differs from what is documented. Nothing of its body is
// in it, nor what references stand for.
func (s step) gotInstead(got *wire.Response) string {
	kind, _ := got.Value("Content-Type")
	if kind == "" {
		kind = "no Content-Type"
	}
	text := fmt.Sprintf("%s %s is answered with status %d (%s), documented is %d", s.request.method, s.request.path.Source, got.Status, kind, s.response.status)
	if got.Status == s.response.status {
		text += " with another body"
	}
	if location, ok := got.Value("Location"); ok && got.Status/100 == 3 {
		if u, err := url.Parse(location); err == nil && u.User == nil {
			u.RawQuery, u.Fragment = "", ""
			text += "; it sends on to " + u.String()
		}
	}
	return text
}
