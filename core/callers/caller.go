package callers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
)

// Max is how many callers are kept of a day, and in the memory of a server. Those beyond it
// are counted together ([Caller.AsOther]).
const Max = 10_000

// maxAnonymous is how many of them nobody was logged in as: whoever has no token can't take the room
// of those who have one.
const maxAnonymous = Max / 2

// Caller is who called an endpoint, as far as it is kept: no secret, and no name that is not an
// account's.
type Caller struct {
	Profile string
	// Endpoint is the name of an endpoint of the API; behind it, in an application, the path of
	// the rule that decided, or "other".
	Endpoint string
	User     string // the account whose token or password was good; empty: nobody's was
	Client   string // [clients.Client.Network]; empty: unknown
	Agent    string // the User-Agent
	// Other marks the callers beyond Max together. They have no User, Client and Agent.
	Other bool
}

// AsOther returns what the caller is counted as where there is no room for it.
func (c Caller) AsOther() Caller {
	return Caller{Profile: c.Profile, Endpoint: c.Endpoint, Other: true}
}

// idSize is how many bytes of a digest tell callers apart.
const idSize = 16

// ID returns a text that is the same for the same caller alone: 32 hex digits.
func (c Caller) ID() string {
	var text []byte
	for _, part := range []string{c.Profile, c.Endpoint, c.User, c.Client, c.Agent} {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	if c.Other {
		text = append(text, 1)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:idSize])
}

// Calls are the requests of a caller that were answered.
type Calls struct {
	Caller
	Day         Day
	Requests    int64
	Refused     int64 // those of Requests that the API refused with 4xx
	First, Last time.Time
}

// Add adds the numbers and the times of other calls.
func (c *Calls) Add(more Calls) {
	if c.Requests == 0 || more.First.Before(c.First) {
		c.First = more.First
	}
	if more.Last.After(c.Last) {
		c.Last = more.Last
	}
	c.Requests += more.Requests
	c.Refused += more.Refused
}

// Day is a day in UTC: how many have passed since 1970.
type Day int64

// DayOf returns the day of a time.
func DayOf(t time.Time) Day {
	const seconds = 24 * 60 * 60
	at := t.Unix()
	if at < 0 {
		at -= seconds - 1
	}
	return Day(at / seconds)
}

// Room is the room for callers of which so many are kept.
type Room struct{ Kept, Anonymous int }

// Take reports whether there is room for one more, and takes it. There always is for others.
func (r *Room) Take(c Caller) bool {
	switch {
	case c.Other:
		return true
	case r.Kept >= Max, c.User == "" && r.Anonymous >= maxAnonymous:
		return false
	}
	r.Kept++
	if c.User == "" {
		r.Anonymous++
	}
	return true
}

// Store keeps who called which API, by day. Errors are those of core.Store.
type Store interface {
	// AddCalls adds calls to those that are kept, in one step. Callers that are kept go on being
	// counted; for new ones there is a [Room] a day. batch is a short random word: a batch
	// that was added before, and whose error said nothing of it, is not added again.
	AddCalls(ctx context.Context, batch string, calls []Calls) error

	// SumCalls returns the calls that match, added up by callers of which only what the
	// dimension says is set. The order is that of Compare, and Day is 0.
	SumCalls(ctx context.Context, f Filter, by Dimension) ([]Calls, error)

	// PurgeCalls removes calls of days before one, of at most limit callers, and returns their
	// number.
	PurgeCalls(ctx context.Context, before Day, limit int) (int, error)
}

// Filter selects calls.
type Filter struct {
	Since   Day    // calls of this day and later ones
	Profile string // empty: of all
	Limit   int    // so many callers at most, those with the most requests; 0: all
}

// Compare orders calls: those with the most requests first.
func Compare(a, b Calls) int {
	return cmp.Or(cmp.Compare(b.Requests, a.Requests), strings.Compare(a.Profile, b.Profile), strings.Compare(a.Endpoint, b.Endpoint),
		strings.Compare(a.User, b.User), strings.Compare(a.Client, b.Client), strings.Compare(a.Agent, b.Agent))
}

// Dimension says by what calls are added up, beside their profile.
type Dimension string

// The dimensions.
const (
	ByEndpoint Dimension = "endpoint"
	ByUser     Dimension = "user"
	ByClient   Dimension = "client"
	ByAgent    Dimension = "agent"
	ByAll      Dimension = "all" // of these
)

// Dimensions returns all dimensions.
func Dimensions() []Dimension {
	return []Dimension{ByEndpoint, ByUser, ByClient, ByAgent, ByAll}
}
