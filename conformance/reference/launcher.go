package reference

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/authcompat/authcompat/conformance"
)

// A Launcher is a conformance.Launcher of running reference servers, by profile. It empties the
// database of a server before each exchange.
type Launcher map[string]*Server

// Launch implements conformance.Launcher.
func (l Launcher) Launch(ctx context.Context, profile string) (*conformance.Server, error) {
	server, ok := l[profile]
	if !ok {
		return nil, fmt.Errorf("there is no reference server for profile %s", profile)
	}
	if err := server.control(ctx, "reset", nil); err != nil {
		return nil, err
	}
	s := &state{ctx: ctx, server: server}
	return &conformance.Server{URL: server.URL, Isolated: true, State: s, Close: func() error { return s.failed }}, nil
}

// state does to a reference server what its API cannot, for the length of an exchange.
type state struct {
	ctx    context.Context // conformance.State's methods that move the clock take none
	server *Server
	ahead  time.Duration
	failed error
}

// CreateUser implements conformance.State.
func (s *state) CreateUser(ctx context.Context, u conformance.User) error {
	return s.server.CreateUser(ctx, u)
}

// Now implements conformance.State: the server runs on this machine's clock.
func (s *state) Now() time.Time { return time.Now().Add(s.ahead) }

// Advance implements conformance.State.
func (s *state) Advance(d time.Duration) {
	s.ahead += d
	s.failed = errors.Join(s.failed, s.server.control(s.ctx, "advance", map[string]any{"seconds": d.Seconds()}))
}

// CreateUser makes a user with Django's own create_user. A user of Django has no attributes but is_staff.
func (s *Server) CreateUser(ctx context.Context, u conformance.User) error {
	for name := range u.Attributes {
		if name != isStaff {
			return fmt.Errorf("a user of Django has no attribute %s", name)
		}
	}
	return s.control(ctx, "user", map[string]any{
		"username": u.Username, "password": u.Password, "email": u.Email, "active": !u.Inactive, "staff": u.Attributes[isStaff] == "true",
	})
}

// isStaff is the column of Django's users that says who is staff.
const isStaff = "is_staff"

// Link implements conformance.State.
func (s *state) Link(ctx context.Context, username string) (uid, token string, err error) {
	var link struct{ UID, Token string }
	err = s.server.ask(ctx, "link", map[string]any{"username": username}, &link)
	return link.UID, link.Token, err
}

// EmailKey implements conformance.State.
func (s *state) EmailKey(ctx context.Context, username string) (key string, err error) {
	err = s.server.ask(ctx, "email_key", map[string]any{"username": username}, &key)
	return key, err
}

// control calls a function of project/control.py. The error does not contain the arguments, one of
// which may be a password.
func (s *Server) control(ctx context.Context, function string, arguments map[string]any) error {
	return s.ask(ctx, function, arguments, nil)
}

// ask is control for a function that returns something, which is read into result unless that is nil.
func (s *Server) ask(ctx context.Context, function string, arguments map[string]any, result any) error {
	body, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/-reference-/"+function, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("reference server: %s: %w", function, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("reference server: %s: status %d", function, response.StatusCode)
	}
	if result == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(result); err != nil {
		return fmt.Errorf("reference server: %s: %w", function, err)
	}
	return nil
}
