package conformance

import (
	"context"
	"fmt"
	"time"
)

// A Host gives servers to replay exchanges at. Target is one for servers that run somewhere; a
// program that can start a server of its own implements another.
type Host interface {
	// Open gives a server that speaks the profile. The runner calls it before each exchange and
	// closes what it got after it, one exchange at a time. An error means that the exchange, and
	// the rest of the profile's, could not run.
	Open(ctx context.Context, profile string) (*Server, error)
}

// A Server is one server under test, as a Host gives it for the length of an exchange.
type Server struct {
	// URL is its address, http or https, with the path under which the API's own paths begin.
	URL string
	// Fresh says that nothing any exchange has done is there: users then have the names that the
	// document gives them. Otherwise names are made unique.
	Fresh bool
	// State does what HTTP cannot; nil if the server is only an address.
	State State
	// Close gives the server back; nil if there is nothing to do.
	Close func() error
}

// State reaches behind a server's HTTP.
type State interface {
	// CreateUser makes a user that does not exist yet.
	CreateUser(ctx context.Context, u User) error
	// Now returns the server's clock.
	Now() time.Time
	// Advance moves the server's clock forward.
	Advance(d time.Duration)
}

// A User is a user whom an exchange needs. The password is plain text.
type User struct {
	Username   string
	Password   string
	Email      string // may be empty
	Inactive   bool
	Attributes map[string]string // what a profile shows of a user besides name and address; may be nil
}

// A Target is a Host of running servers: the address of each profile. One server speaks one
// profile at an address.
type Target map[string]string

// Open returns the profile's address.
func (t Target) Open(_ context.Context, profile string) (*Server, error) {
	url, ok := t[profile]
	if !ok {
		return nil, fmt.Errorf("no target is given for profile %s", profile)
	}
	return &Server{URL: url}, nil
}
