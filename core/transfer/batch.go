package transfer

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/authcompat/authcompat/core"
)

// NaturalKey returns the key of a user who has no primary key at the source, and is known
// by username only (dumpdata --natural-primary).
func NaturalKey(username string) string { return naturalKey + username }

const naturalKey = "natural:"

// formerKey is the prefix of the key in the link of a user whose key at the source
// somebody else has now; the user's id follows.
const formerKey = "former:"

// Former reports whether somebody else has the user's key at the source now.
func (l UserLink) Former() bool { return strings.HasPrefix(l.Key, formerKey) }

// Replaced reports whether the user who has the link's key at the source is somebody else
// than the linked user, since a database may give the key of a deleted user to the next
// one. A new username alone does not make somebody else: the date of joining must have
// changed too or, if the source has none, the password. If the username is the key, the
// date of joining decides.
func (l UserLink) Replaced(there, here core.Account) bool {
	byName := l.Key == there.Username || strings.HasPrefix(l.Key, naturalKey)
	if there.Username == here.Username && !byName {
		return false
	}
	if joined(there) && joined(here) {
		return there.CreatedAt.Sub(here.CreatedAt).Abs() >= time.Second
	}
	const half = fingerprintSize / 2
	mark := UserFingerprint(there)
	return !byName && string(mark[:half]) != string(l.Fingerprint[:half]) && string(mark[half:]) != string(l.Fingerprint[half:])
}

// joined reports whether it is known when a user joined. A source without such a column
// has the beginning of 1970 for all users, and others have placeholders, such as the
// year 1 or 9999 (PostgreSQL's -infinity and infinity): that two users share one does
// not make them the same person.
func joined(a core.Account) bool {
	return a.CreatedAt.Unix() > 24*60*60 && a.CreatedAt.Year() < 9000
}

// linked identifies a user of a source.
type linked struct {
	source int64
	key    string
}

// UserBatch decides about a batch of users, for a store that has read the facts about
// them.
type UserBatch struct {
	source int64
	byID   map[int64]*core.Account
	byName map[string]*core.Account
	links  map[int64]*UserLink
	keys   map[linked]int64
	// deleted are ids of users who were deleted here.
	deleted map[int64]bool
	export  bool
}

// NewUserBatch makes a batch of users of a source.
func NewUserBatch(source int64, facts ImportFacts) UserBatch {
	users, links := len(facts.Users), len(facts.UserLinks)
	b := UserBatch{
		source: source, byID: make(map[int64]*core.Account, users), byName: make(map[string]*core.Account, users),
		links: make(map[int64]*UserLink, links), keys: make(map[linked]int64, links), deleted: make(map[int64]bool, len(facts.Deleted)),
	}
	for _, id := range facts.Deleted {
		b.deleted[id] = true
	}
	for i, u := range facts.Users {
		b.byID[u.ID], b.byName[u.Username] = &facts.Users[i], &facts.Users[i]
	}
	for i, l := range facts.UserLinks {
		b.links[l.UserID], b.keys[linked{l.Source, l.Key}] = &facts.UserLinks[i], l.UserID
	}
	return b
}

// Export returns the batch for an export: the facts are about the source, and the users are those here.
func (b UserBatch) Export() UserBatch {
	b.export = true
	return b
}

// Merge decides about one user, with [MergeUser]. The user here is found by the link of
// the key; without one, by id; without that, by username, if all data are the same.
func (b UserBatch) Merge(in ImportedUser) UserMerge {
	holder := b.byName[in.Username]
	if id, ok := b.keys[linked{b.source, in.Key}]; ok {
		if here := b.byID[id]; here != nil && b.links[id].Replaced(in.Account, *here) {
			return b.replace(in, id)
		}
		in.ID = id
		return MergeUser(in, UserState{Existing: b.byID[id], NameOwner: holder, Link: b.links[id], Export: b.export})
	}
	if in.ID == 0 && holder != nil {
		in.ID = holder.ID
	}
	link := b.links[in.ID]
	byName := strings.HasPrefix(in.Key, naturalKey) && (link == nil || !link.Former())
	switch {
	case link == nil || link.Source != b.source:
		link = nil
	case !byName && holder != nil && holder.ID == in.ID:
		// He came from this source under another key.
		return UserMerge{Result: refused("another user of this source has its name in the target")}
	case !byName:
		link = nil
	}
	return MergeUser(in, UserState{Existing: b.byID[in.ID], NameOwner: holder, Link: link, Deleted: b.deleted[in.ID], Export: b.export})
}

// replace decides about a user whose key belonged to another user before, who has the id
// former here.
func (b UserBatch) replace(in ImportedUser, former int64) UserMerge {
	link := *b.links[former]
	link.Key = formerKey + strconv.FormatInt(former, 10)
	delete(b.keys, linked{b.source, in.Key})
	b.links[former], b.keys[linked{b.source, link.Key}] = &link, former
	m := b.Merge(in)
	m.Former = &link
	if m.Result.Reason == "" {
		m.Result.Reason = fmt.Sprintf("its key was that of user %d of the target before, who joined at another time or has another password: it is taken for somebody else", former)
	}
	return m
}

// Recorded reports whether the link of a user is already as m wants it.
func (b UserBatch) Recorded(m UserMerge) bool {
	l := b.links[m.ID]
	return l != nil && l.Source == b.source && l.Key == m.Key && string(l.Fingerprint) == string(m.Fingerprint)
}

// Username returns the username that a user has here, as decided so far; empty if nobody
// has the id.
func (b UserBatch) Username(id int64) string {
	if u := b.byID[id]; u != nil {
		return u.Username
	}
	return ""
}

// Linked reports whether a user had a link, to any source, before the batch.
func (b UserBatch) Linked(id int64) bool { return b.links[id] != nil }

// Add makes a decision visible to later users of the batch. The user has an id by then.
func (b UserBatch) Add(m UserMerge) {
	if m.Fingerprint == nil || !m.Write && b.Recorded(m) {
		return
	}
	if m.Write {
		if old := b.byID[m.ID]; old != nil {
			delete(b.byName, old.Username)
		}
		account := m.Account
		b.byID[m.ID], b.byName[m.Username] = &account, &account
	}
	link := &UserLink{UserID: m.ID, Source: b.source, Key: m.Key, Fingerprint: m.Fingerprint}
	if old := b.links[m.ID]; old != nil {
		if old.Key != m.Key {
			delete(b.keys, linked{old.Source, old.Key})
		}
		if string(old.Fingerprint[:fingerprintSize/2]) == string(m.Fingerprint[:fingerprintSize/2]) {
			link.Rehashed = old.Rehashed
		}
	}
	b.links[m.ID], b.keys[linked{b.source, m.Key}] = link, m.ID
}

// TokenBatch decides about a batch of tokens, for a store that has read the facts about
// them.
type TokenBatch struct {
	place Checkpoint
	came  map[int64]string // keys of users who came from the source and are here
	known map[string]*tokenFacts
	slots *takenSlots
}

// tokenFacts are what is known of a digest.
type tokenFacts struct {
	here *core.Token // whose digest, or twin, it is; nil: it is not here
	// link is that of the token here or, where it is not here, of the one that was.
	link   TokenLink
	linked bool
}

// slot is what holds at most one reusable token.
type slot struct {
	user          int64
	realm, issuer string
}

// takenSlots knows which slots are taken. Most batches never ask.
type takenSlots struct {
	unread []*core.Token
	slots  map[slot]bool
}

func (s *takenSlots) add(t *core.Token) {
	if t.Reusable {
		s.unread = append(s.unread, t)
	}
}

func (s *takenSlots) taken(in core.Token) bool {
	for _, t := range s.unread {
		s.slots[slot{t.UserID, t.Realm, t.Issuer}] = true
	}
	s.unread = s.unread[:0]
	return s.slots[slot{in.UserID, in.Realm, in.Issuer}]
}

// NewTokenBatch makes a batch for the run of place.
func NewTokenBatch(place Checkpoint, facts ImportFacts) TokenBatch {
	b := TokenBatch{
		place: place, came: make(map[int64]string, len(facts.UserLinks)),
		known: make(map[string]*tokenFacts, len(facts.Tokens)), slots: &takenSlots{slots: map[slot]bool{}},
	}
	b.Add(facts)
	return b
}

// Add adds facts.
func (b TokenBatch) Add(facts ImportFacts) {
	for _, l := range facts.UserLinks {
		if l.Source == b.place.Source {
			b.came[l.UserID] = l.Key
		}
	}
	all := make([]tokenFacts, len(facts.Tokens))
	for i := range facts.Tokens {
		all[i].here = &facts.Tokens[i]
		b.keep(&all[i])
	}
	for _, l := range facts.TokenLinks {
		known := b.known[string(l.Digest)]
		if known == nil {
			known = &tokenFacts{}
			b.known[string(l.Digest)] = known
		}
		if known.here == nil || string(known.here.Digest) == string(l.Digest) {
			known.link, known.linked = l, true
		}
	}
}

// keep adds a token that is in the store.
func (b TokenBatch) keep(known *tokenFacts) {
	t := known.here
	b.known[string(t.Digest)] = known
	if len(t.Legacy.Digest) > 0 {
		b.known[string(t.Legacy.Digest)] = known
	}
	b.slots.add(t)
}

// Merge decides about one token, with [MergeToken]. If it is to be added, later tokens of
// the batch see it.
func (b TokenBatch) Merge(in ImportedToken) TokenMerge {
	known := b.known[string(in.Digest)]
	if known == nil {
		known = &tokenFacts{}
	}
	key, came := b.came[in.UserID]
	facts := TokenState{
		UserImported: came && key == in.Owner,
		Existing:     known.here, Linked: known.here != nil && known.link.Source == b.place.Source,
		Now: b.place.Now,
	}
	if known.here == nil {
		facts.Seen, facts.Absent = known.linked, known.link.Absent
		facts.SlotTaken = in.Reusable && b.slots.taken(in.Token)
	}
	m := MergeToken(in, facts)
	switch {
	case m.Insert:
		m.Seen, m.Returned = m.Digest, known.linked
		added := m.Token // a copy: most tokens are not added, and stay off the heap
		b.keep(&tokenFacts{here: &added, link: TokenLink{Digest: m.Digest, Source: b.place.Source, Table: b.place.Stage}})
	case known.here != nil && m.Result.Outcome != ImportRefused:
		m.Seen, m.Link = known.here.Digest, known.link.Source != b.place.Source || known.link.Table != b.place.Stage
	}
	return m
}

// Unlinked returns the users of tokens that may have to be written, and of whom it has to
// be known whether they were imported from the source.
func (b TokenBatch) Unlinked(tokens []ImportedToken) []int64 {
	users := make([]int64, 0, len(tokens))
	for _, in := range tokens {
		known := b.known[string(in.Digest)]
		if known == nil || known.here == nil || !(TokenState{Existing: known.here, Linked: known.link.Source == b.place.Source}).unchanged(in) {
			users = append(users, in.UserID)
		}
	}
	return users
}
