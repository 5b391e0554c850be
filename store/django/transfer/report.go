package transfer

import (
	"time"

	"github.com/authcompat/authcompat/core/transfer"
)

// maxProblems is the number of problems that a report lists; the rest are only counted.
const maxProblems = 10_000

// Counts has the number of a table's rows by outcome.
type Counts struct {
	Read      int `json:"read"`
	Added     int `json:"added"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	// Kept counts rows of which the version here is newer, or that were revoked or
	// deleted here.
	Kept    int `json:"kept"`
	Expired int `json:"expired,omitempty"`
	Refused int `json:"refused"`
}

// Problem is a row that was not imported, or not unchanged.
type Problem struct {
	Row    string `json:"row"`
	Reason string `json:"reason"`
}

// Report is the result of an import.
type Report struct {
	Source   string    `json:"source"`
	DryRun   bool      `json:"dry_run"`
	Resumed  bool      `json:"resumed"` // it resumed an interrupted run
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Users    Counts    `json:"users"`
	// Resumable is the number of users after which the next run goes on if this one is cut
	// off: what was read after them is not written.
	Resumable int `json:"-"`
	// Renumbered is the number of added users who have another ID here, because theirs
	// is taken by another user, or no positive number up to [transfer.MaxUserID].
	Renumbered int               `json:"users_with_another_id"`
	Formats    map[string]int    `json:"password_formats"`
	Tokens     map[string]Counts `json:"tokens"` // by table
	// Addresses is the number of addresses that were read, as users verify them with django-allauth.
	Addresses int `json:"addresses,omitempty"`
	// Ended is the number of tokens of earlier runs that are missing in the source by
	// now, and were revoked.
	Ended int `json:"tokens_ended_at_source"`
	// Notes lists sentences about decisions that may be wrong.
	Notes     []string  `json:"notes"`
	Problems  []Problem `json:"problems"`
	NotListed int       `json:"problems_not_listed"`
	Unsealed  int       `json:"tokens_not_sealed"` // tokens that a login can't return again, nor an export write
}

// Refused returns the number of refused rows.
func (r *Report) Refused() int {
	n := r.Users.Refused
	for _, c := range r.Tokens {
		n += c.Refused
	}
	return n
}

// problem adds a row and the reason to the problems.
func (r *Report) problem(row, reason string) {
	if len(r.Problems) == maxProblems {
		r.NotListed++
		return
	}
	r.Problems = append(r.Problems, Problem{Row: row, Reason: reason})
}

// count adds a row's outcome to the counts.
func (r *Report) count(c *Counts, row string, result transfer.ImportResult) {
	switch result.Outcome {
	case transfer.ImportAdded:
		c.Added++
	case transfer.ImportUpdated:
		c.Updated++
	case transfer.ImportUnchanged:
		c.Unchanged++
	case transfer.ImportKept:
		c.Kept++
	case transfer.ImportExpired:
		c.Expired++
	case transfer.ImportRefused:
		c.Refused++
	}
	if result.Reason != "" {
		r.problem(row, result.Reason)
	}
}
