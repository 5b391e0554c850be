package transfer

import (
	"context"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
)

// Inspection describes what a source contains.
type Inspection struct {
	Source string           `json:"source"`
	Users  UserInspection   `json:"users"`
	Tokens []TokenInspected `json:"tokens"`
	// Undecided says what has to be settled before an import; empty if nothing.
	Undecided string `json:"undecided,omitempty"`
	// Unsure lists sentences about decisions that may be wrong.
	Unsure   []string  `json:"unsure"`
	Problems []Problem `json:"problems"`
	// NotListed is the number of problems that are not listed.
	NotListed int `json:"problems_not_listed"`
}

// UserInspection describes the users of a source.
type UserInspection struct {
	Table   string            `json:"table"`
	Mapping tables.Mapping    `json:"-"`
	Columns map[string]string `json:"columns"`
	Extra   []string          `json:"attributes"`
	Secret  []string          `json:"columns_left_behind"`
	Number  int               `json:"number"`
	Active  int               `json:"active"`
	Formats map[string]int    `json:"password_formats"`
}

// TokenInspected describes a token table of a source.
type TokenInspected struct {
	Table   string            `json:"table"`
	Format  core.LegacyFormat `json:"generation"`
	Plain   bool              `json:"-"`
	Own     bool              `json:"own"`
	Undated bool              `json:"-"`
	Number  int               `json:"number"`
	Live    int               `json:"live"`
	Expired int               `json:"expired"`
	// Never is the number of live tokens that do not expire.
	Never int `json:"never_expire"`
	// Lost is the number of tokens that can't be imported.
	Lost   int `json:"lost"`
	Digits int `json:"-"` // length of the first key stored in clear text
	// Chosen is set if an import reads the table.
	Chosen bool `json:"taken_over"`
	// First and Last are the creation times of its oldest and newest tokens.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// LeftOver is set if all its tokens are older than the first one of another table.
	LeftOver bool `json:"looks_left_over"`
	// Unreadable is set if the role may not read the table.
	Unreadable bool `json:"unreadable,omitempty"`
	// TTL is the most frequent time to live of the tokens that expire.
	TTL  time.Duration `json:"ttl_ns"`
	ttls map[time.Duration]int
}

// meant rounds a time to live to the value that was probably configured: the expiry is
// written a moment before or after the time that it is relative to.
func meant(ttl time.Duration) time.Duration {
	for _, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
		if rounded := ttl.Round(unit); rounded > 0 && (ttl-rounded).Abs() < unit/60 && (ttl-rounded).Abs() < time.Minute {
			return rounded
		}
	}
	return ttl.Round(time.Second)
}

// Inspect reads the whole source and changes nothing. zone is that of times stored
// without one.
func Inspect(ctx context.Context, from tables.Source, zone *time.Location, now time.Time) (*Inspection, error) {
	shape := from.Shape()
	d := tables.Decoder{Mapping: shape.Mapping, Zone: zone}
	found := &Inspection{Source: from.Identity(), Problems: []Problem{}, Tokens: []TokenInspected{}, Unsure: append([]string{}, shape.Unsure...)}
	if shape.Undecided != nil {
		found.Undecided = shape.Undecided.Error()
	}
	m := shape.Mapping
	found.Users = UserInspection{
		Table: shape.Users.String(), Mapping: m, Formats: map[string]int{},
		Columns: map[string]string{
			"id": m.ID, "username": m.Username, "email": m.Email, "password": m.Password, "active": m.Active, "created": m.Created,
		},
	}
	found.Users.Extra, found.Users.Secret = m.Extra(shape.Users)
	var r Report // collects the problems
	err := from.Each(ctx, shape.Users, "", func(row tables.Row) error {
		found.user(d, row, &r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	for _, t := range shape.Found {
		inspected := TokenInspected{Table: t.Table.String(), Format: t.Format, Plain: t.Plain, Own: t.Own, Undated: t.Undated(), Unreadable: t.Unreadable, ttls: map[time.Duration]int{}}
		for _, chosen := range shape.Tokens {
			inspected.Chosen = inspected.Chosen || chosen.Table.String() == inspected.Table
		}
		if !t.Unreadable {
			if err := from.Each(ctx, t.Table, "", func(row tables.Row) error {
				inspected.row(d, t, row, now, &r)
				return nil
			}); err != nil {
				return nil, fmt.Errorf("read tokens: %w", err)
			}
		}
		found.Tokens = append(found.Tokens, inspected)
	}
	for i := range found.Tokens {
		found.Tokens[i].finish(found.Tokens)
	}
	found.Problems, found.NotListed = append(found.Problems, r.Problems...), r.NotListed
	return found, nil
}

// finish sets the fields that depend on all tokens of all tables.
func (t *TokenInspected) finish(all []TokenInspected) {
	most := 0
	for ttl, n := range t.ttls {
		if n > most || n == most && ttl > t.TTL {
			most, t.TTL = n, ttl
		}
	}
	for _, other := range all {
		if other.Table != t.Table && t.Number > 0 && other.Number > 0 && !t.Last.IsZero() && t.Last.Before(other.First) {
			t.LeftOver = true
		}
	}
}

// user adds a user to the inspection.
func (f *Inspection) user(d tables.Decoder, row tables.Row, r *Report) {
	f.Users.Number++
	user, err := d.User(row)
	account := user.Account
	if err == nil {
		if merged := transfer.MergeUser(user, transfer.UserState{}); merged.Result.Outcome == transfer.ImportRefused {
			r.problem(row.Where, merged.Result.Reason)
		}
	} else {
		r.problem(row.Where, err.Error())
	}
	if account.Active {
		f.Users.Active++
	}
	password := reportPassword(account.PasswordHash)
	f.Users.Formats[password.format]++
	if password.problem != "" {
		r.problem(row.Where, password.problem)
	}
}

// row adds a token to the inspection.
func (t *TokenInspected) row(d tables.Decoder, table tables.TokenTable, row tables.Row, now time.Time, r *Report) {
	t.Number++
	token, err := d.Token(table, row)
	if err != nil {
		t.Lost++
		r.problem(row.Where, err.Error())
		return
	}
	if made := token.CreatedAt; !made.IsZero() {
		if t.First.IsZero() || made.Before(t.First) {
			t.First = made
		}
		if made.After(t.Last) {
			t.Last = made
		}
	}
	if t.Digits == 0 {
		t.Digits = len(token.Text)
	}
	switch {
	case token.Expires.IsZero():
		t.Never++
		t.Live++
	case (core.Token{ExpiresAt: token.Expires}).Expired(now):
		t.Expired++
	default:
		t.Live++
	}
	if ttl := token.Expires.Sub(token.CreatedAt); !token.Expires.IsZero() && ttl > 0 {
		t.ttls[meant(ttl)]++
	}
}
