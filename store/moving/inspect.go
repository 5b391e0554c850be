package moving

import (
	"context"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django"
)

// Inspection is what there is in a source.
type Inspection struct {
	Source   string           `json:"source"`
	Users    UserInspection   `json:"users"`
	Tokens   []TokenInspected `json:"tokens"`
	Problems []Problem        `json:"problems"`
	// NotListed is how many problems are not in the list.
	NotListed int `json:"problems_not_listed"`
}

// UserInspection is what there is about users.
type UserInspection struct {
	Table   string            `json:"table"`
	Mapping django.Mapping    `json:"-"`
	Columns map[string]string `json:"columns"`
	Extra   []string          `json:"attributes"`
	Number  int               `json:"number"`
	Active  int               `json:"active"`
	Formats map[string]int    `json:"password_formats"`
}

// TokenInspected is what there is in a table of tokens.
type TokenInspected struct {
	Table      string          `json:"table"`
	Generation core.Generation `json:"generation"`
	Plain      bool            `json:"-"`
	Number     int             `json:"number"`
	Live       int             `json:"live"`
	Expired    int             `json:"expired"`
	// Never are those of the live ones that have no end.
	Never int `json:"never_expire"`
	// Lost are those that can't be taken over.
	Lost   int `json:"lost"`
	Digits int `json:"-"` // length of the first key that is kept readable
	// TTL is how long the first token with an end lives.
	TTL time.Duration `json:"-"`
}

// Inspect reads the whole source and changes nothing.
func Inspect(ctx context.Context, from django.Source, d django.Decoder, now time.Time) (*Inspection, error) {
	shape := from.Shape()
	mapping, err := d.Mapping.On(shape.Users)
	if err != nil {
		return nil, err
	}
	d.Mapping = mapping
	found := &Inspection{Source: from.Identity(), Problems: []Problem{}, Tokens: []TokenInspected{}}
	found.Users = UserInspection{
		Table: shape.Users.Name, Mapping: mapping, Extra: mapping.Extra(shape.Users), Formats: map[string]int{},
		Columns: map[string]string{
			"id": mapping.ID, "username": mapping.Username, "email": mapping.Email,
			"password": mapping.Password, "active": mapping.Active, "created": mapping.Created,
		},
	}
	var r Report // lists the problems
	err = from.Each(ctx, shape.Users, "", func(row django.Row) error {
		found.user(d, row, &r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	for _, t := range shape.Tokens {
		inspected := TokenInspected{Table: t.Name, Generation: t.Generation, Plain: t.Plain}
		if err := from.Each(ctx, t.Table, "", func(row django.Row) error {
			inspected.row(d, t, row, now, &r)
			return nil
		}); err != nil {
			return nil, fmt.Errorf("read tokens: %w", err)
		}
		found.Tokens = append(found.Tokens, inspected)
	}
	found.Problems, found.NotListed = append(found.Problems, r.Problems...), r.NotListed
	return found, nil
}

// user counts one user.
func (f *Inspection) user(d django.Decoder, row django.Row, r *Report) {
	f.Users.Number++
	account, err := d.Account(row)
	if err == nil {
		if merged := core.MergeUser(account, core.UserFacts{}); merged.Result.Outcome == core.ImportRefused {
			r.problem(row.Where, merged.Result.Reason)
		}
	} else {
		r.problem(row.Where, err.Error())
	}
	if account.Active {
		f.Users.Active++
	}
	format, problem := passwordFormat(account.PasswordHash)
	f.Users.Formats[format]++
	if problem != "" {
		r.problem(row.Where, problem)
	}
}

// row counts one token.
func (t *TokenInspected) row(d django.Decoder, table django.TokenTable, row django.Row, now time.Time, r *Report) {
	t.Number++
	token, err := d.Token(table, row)
	if err != nil {
		t.Lost++
		r.problem(row.Where, err.Error())
		return
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
	if ttl := token.Expires.Sub(token.CreatedAt); t.TTL == 0 && !token.Expires.IsZero() && ttl > 0 {
		t.TTL = ttl.Round(time.Minute)
	}
}
