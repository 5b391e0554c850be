package originals

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

// Hosts are originals by the profile that they speak, as a host of exchanges: each exchange starts
// with a database without users and tokens, and has users that no API makes and a clock that moves.
type Hosts map[string]*Original

// Open implements conformance.Host.
func (h Hosts) Open(ctx context.Context, profile string) (*conformance.Server, error) {
	o, ok := h[profile]
	if !ok {
		return nil, fmt.Errorf("there is no original for profile %s", profile)
	}
	if err := o.control(ctx, "reset", nil); err != nil {
		return nil, err
	}
	s := &state{ctx: ctx, original: o}
	return &conformance.Server{URL: o.URL, Fresh: true, State: s, Close: func() error { return s.failed }}, nil
}

// state reaches behind the HTTP of an original for the length of an exchange.
type state struct {
	ctx      context.Context // conformance.State's methods that move the clock have none
	original *Original
	ahead    time.Duration
	failed   error
}

// CreateUser implements conformance.State.
func (s *state) CreateUser(ctx context.Context, u conformance.User) error {
	return s.original.CreateUser(ctx, u)
}

// Now implements conformance.State: the original runs on this machine's clock.
func (s *state) Now() time.Time { return time.Now().Add(s.ahead) }

// Advance implements conformance.State.
func (s *state) Advance(d time.Duration) {
	s.ahead += d
	s.failed = errors.Join(s.failed, s.original.control(s.ctx, "advance", map[string]any{"seconds": d.Seconds()}))
}

// CreateUser makes a user with Django's own create_user. A user of Django has no attributes.
func (o *Original) CreateUser(ctx context.Context, u conformance.User) error {
	if len(u.Attributes) > 0 {
		return errors.New("a user of Django has no attributes")
	}
	return o.control(ctx, "user", map[string]any{
		"username": u.Username, "password": u.Password, "email": u.Email, "active": !u.Inactive,
	})
}

// control calls a function of project/control.py. The error does not repeat the arguments.
func (o *Original) control(ctx context.Context, function string, arguments map[string]any) error {
	body, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, o.URL+"/-original-/"+function, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("original: %s: %w", function, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("original: %s: status %d", function, response.StatusCode)
	}
	return nil
}
