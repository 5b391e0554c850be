package record

import (
	"database/sql"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
)

// Note is a row of exporting: a user, or with a NULL UserID a token, that an export is about to write.
type Note struct {
	UserID sql.NullInt64 `db:"user_id"`
	Name   string
	Mark   []byte
}

// Noted returns the rows of what an export is about to write.
func Noted(n transfer.NotedExport) []Note {
	var notes []Note
	for _, l := range n.Users {
		notes = append(notes, Note{UserID: sql.NullInt64{Int64: l.UserID, Valid: true}, Name: l.Key, Mark: l.Fingerprint})
	}
	for table, digests := range n.Tokens {
		for _, d := range digests {
			notes = append(notes, Note{Name: table, Mark: d})
		}
	}
	return notes
}

// NotedExport converts the rows of a source to the engine's type.
func NotedExport(source int64, notes []Note) transfer.NotedExport {
	n := transfer.NotedExport{Tokens: map[string][]core.Digest{}}
	for _, note := range notes {
		if note.UserID.Valid {
			n.Users = append(n.Users, transfer.UserLink{UserID: note.UserID.Int64, Source: source, Key: note.Name, Fingerprint: note.Mark})
		} else {
			n.Tokens[note.Name] = append(n.Tokens[note.Name], note.Mark)
		}
	}
	return n
}

// Fingerprint returns the fingerprint that an exported user is recorded with.
func Fingerprint(u transfer.ImportedUser) []byte {
	if u.Fingerprint != nil {
		return u.Fingerprint
	}
	return transfer.UserFingerprint(u.Account)
}
