package conformance

import (
	"context"
	"fmt"
	"time"
)

// A Launcher provides the servers that exchanges are replayed at. Target is one for servers that are
// running already; a program that starts its own implements another.
type Launcher interface {
	// Launch returns a server that speaks the profile. Run calls it before each exchange, and closes
	// the server before it calls it again. After an error the rest of the profile's exchanges are
	// not tried.
	Launch(ctx context.Context, profile string) (*Server, error)
}

// A Server is a server under test, for the length of one exchange.
type Server struct {
	// URL is its address, http or https, with the path under which the API's own paths begin.
	URL string
	// Isolated says that the server's state is empty and belongs to this exchange alone: users then
	// have the names that the document gives them. Otherwise Run makes names unique.
	Isolated bool
	// State does what the API cannot; nil if only the API can be reached.
	State State
	// Close is called after the exchange; nil if there is nothing to do.
	Close func() error
}

// State is access to a server's state other than through its API.
type State interface {
	// CreateUser makes a user that does not exist yet.
	CreateUser(ctx context.Context, u User) error
	// Link returns what is in the link of a mail to the user, about a new password: the key of the
	// user, and a token that is good for the user now.
	Link(ctx context.Context, username string) (uid, token string, err error)
	// EmailKey returns what is in the link of a mail to the user with which the address is verified.
	EmailKey(ctx context.Context, username string) (key string, err error)
	// Now returns the server's clock.
	Now() time.Time
	// Advance moves the server's clock forward.
	Advance(d time.Duration)
}

// A User is a user that an exchange needs, with the password in plain text.
type User struct {
	Username   string
	Password   string
	Email      string // may be empty
	Inactive   bool
	Attributes map[string]string // what a profile shows of a user besides name and address; may be nil
}

// A Target is a Launcher of running servers: the URL at which each profile is spoken.
type Target map[string]string

// Launch returns the profile's server, which can be reached through its API only.
func (t Target) Launch(_ context.Context, profile string) (*Server, error) {
	url, ok := t[profile]
	if !ok {
		return nil, fmt.Errorf("no target is given for profile %s", profile)
	}
	return &Server{URL: url}, nil
}
