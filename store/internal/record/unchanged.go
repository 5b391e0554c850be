package record

import (
	"strconv"

	"github.com/authcompat/authcompat/core/transfer"
)

// Ascend reports whether all users of a batch have their keys as IDs, each a higher one than the user before.
// No decision about one of them concerns the row or the link of another then.
func Ascend(users []transfer.ImportedUser) bool {
	for i, u := range users {
		if u.ID <= 0 || i > 0 && u.ID <= users[i-1].ID || !isID(u.Key, u.ID) {
			return false
		}
	}
	return len(users) > 0
}

// isID reports whether a key is the decimal form of an ID.
func isID(key string, id int64) bool {
	var text [20]byte
	return string(strconv.AppendInt(text[:0], id, 10)) == key
}

// Remains reports whether a user who is here, with a link, exactly as the source has it, remains as it is.
func Remains(source int64, u transfer.ImportedUser) bool {
	here, link := u.Account, transfer.UserLink{UserID: u.ID, Source: source, Key: u.Key, Fingerprint: u.Fingerprint}
	m := transfer.MergeUser(u, transfer.UserState{Existing: &here, NameOwner: &here, Link: &link})
	return m.Result == transfer.ImportResult{Outcome: transfer.ImportUnchanged}
}

// Others returns the users of a batch who are not noted as unchanged; n are.
func Others(users []transfer.ImportedUser, unchanged []bool, n int) []transfer.ImportedUser {
	if n == 0 {
		return users
	}
	others := make([]transfer.ImportedUser, 0, len(users)-n)
	for i, u := range users {
		if !unchanged[i] {
			others = append(others, u)
		}
	}
	return others
}
