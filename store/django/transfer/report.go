package transfer

import (
	"time"

	"github.com/authcompat/authcompat/core/transfer"
)

// maxProblems is how many problems a report lists; the rest are counted.
const maxProblems = 10_000

// Counts are what became of the rows of a table.
type Counts struct {
	Read      int `json:"read"`
	Added     int `json:"added"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	// Kept are rows of which ours is newer, or that were ended here.
	Kept    int `json:"kept"`
	Expired int `json:"expired,omitempty"`
	Refused int `json:"refused"`
}

// Problem is a row that did not come over, or not as it is at the source.
type Problem struct {
	Row    string `json:"row"`
	Reason string `json:"reason"`
}

// Report is what an import did.
type Report struct {
	Source   string    `json:"source"`
	DryRun   bool      `json:"dry_run"`
	Resumed  bool      `json:"resumed"` // it went on where an earlier one was cut off
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Users    Counts    `json:"users"`
	// Renumbered is how many of the added users have another id here, since theirs is
	// no number above zero, or somebody else's.
	Renumbered int               `json:"users_with_another_id"`
	Formats    map[string]int    `json:"password_formats"`
	Tokens     map[string]Counts `json:"tokens"` // by table
	// Ended is how many tokens of earlier runs were ended at the source since.
	Ended int `json:"tokens_ended_at_source"`
	// Notes are sentences about what was decided and may be wrong.
	Notes     []string  `json:"notes"`
	Problems  []Problem `json:"problems"`
	NotListed int       `json:"problems_not_listed"`
	Unsealed  int       `json:"tokens_not_sealed"` // they can't be shown, nor exported, again
}

// Refused is how many rows were refused.
func (r *Report) Refused() int {
	n := r.Users.Refused
	for _, c := range r.Tokens {
		n += c.Refused
	}
	return n
}

// problem lists a row with its reason.
func (r *Report) problem(row, reason string) {
	if len(r.Problems) == maxProblems {
		r.NotListed++
		return
	}
	r.Problems = append(r.Problems, Problem{Row: row, Reason: reason})
}

// count adds what became of a row.
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
