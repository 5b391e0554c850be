package template

import "time"

// A Scope holds what templates refer to while one exchange is replayed.
type Scope struct {
	Users    map[string]User   // by the names that references use
	Captures map[string]string // by the names that placeholders capture under
	Before   time.Time         // the server's clock before the last request
	After    time.Time         // the server's clock after the response to it
	Samples  bool              // placeholders are replaced by what they could match
}

// A User is what references can name of a user.
type User struct {
	Username string
	Password string
	Email    string
}
