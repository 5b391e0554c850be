package core

// UserBatch decides about a batch of users, for a store that has read what it
// knows of them.
type UserBatch struct {
	byID   map[int64]*Account
	byName map[string]*Account
	marks  map[int64][]byte
}

// NewUserBatch makes a batch of the users who are here under an id or a name of
// the batch, and of the marks by user.
func NewUserBatch(here []Account, marks map[int64][]byte) UserBatch {
	b := UserBatch{byID: map[int64]*Account{}, byName: map[string]*Account{}, marks: marks}
	for i := range here {
		b.byID[here[i].ID], b.byName[here[i].Username] = &here[i], &here[i]
	}
	return b
}

// Merge decides about one user, with [MergeUser].
func (b UserBatch) Merge(in Account) UserMerge {
	holder := b.byName[in.Username]
	if in.ID == 0 && holder != nil {
		in.ID = holder.ID
	}
	return MergeUser(in, UserFacts{Here: b.byID[in.ID], Holder: holder, Mark: b.marks[in.ID]})
}

// Add lets later users of the batch see one who is being written, with an id.
func (b UserBatch) Add(m UserMerge) {
	if !m.Write {
		return
	}
	if old := b.byID[m.ID]; old != nil {
		delete(b.byName, old.Username)
	}
	b.byID[m.ID], b.byName[m.Username], b.marks[m.ID] = &m.Account, &m.Account, m.Mark
}

// TokenBatch decides about a batch of tokens, for a store that has read what it
// knows of them.
type TokenBatch struct {
	place ImportPlace
	came  map[int64]bool
	seen  map[string]bool
	here  map[string]*Token
	taken map[slot]bool
}

// slot is what holds at most one reusable token.
type slot struct {
	user          int64
	realm, issuer string
}

// NewTokenBatch makes a batch for a run that is at place.
func NewTokenBatch(place ImportPlace) TokenBatch {
	return TokenBatch{place: place, came: map[int64]bool{}, seen: map[string]bool{}, here: map[string]*Token{}, taken: map[slot]bool{}}
}

// Came says that the user was taken over from this source and is still here.
func (b TokenBatch) Came(userID int64) { b.came[userID] = true }

// Seen says that a run has taken the token over.
func (b TokenBatch) Seen(d Digest) { b.seen[string(d)] = true }

// Here says that the token is kept, with its Legacy: one that has a digest of
// the batch, also as its twin, or a reusable one of a user of the batch.
func (b TokenBatch) Here(t Token) {
	b.here[string(t.Digest)] = &t
	if len(t.Legacy.Twin) > 0 {
		b.here[string(t.Legacy.Twin)] = &t
	}
	if t.Reusable {
		b.taken[slot{t.UserID, t.Realm, t.Issuer}] = true
	}
}

// Merge decides about one token, with [MergeToken]; later ones of the batch see
// it if it is to be added. In a dry run nothing is to be written.
func (b TokenBatch) Merge(in Token) TokenMerge {
	m := MergeToken(in, TokenFacts{
		UserCame: b.came[in.UserID] || b.place.Dry,
		Seen:     b.seen[string(in.Digest)],
		Here:     b.here[string(in.Digest)],
		Taken:    b.taken[slot{in.UserID, in.Realm, in.Issuer}],
		Now:      b.place.Now,
	})
	if m.Insert {
		b.Here(m.Token)
	}
	m.Insert, m.Move = m.Insert && !b.place.Dry, m.Move && !b.place.Dry
	return m
}
