package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/authcompat/authcompat/core/cutover"
)

// CutoverStore keeps the state of a cutover, which all nodes on the database share. Errors
// are those of [Store].
type CutoverStore interface {
	// CutoverState returns the state; its Version is 0 if none was ever set. It is one read,
	// because each node calls it four times a second.
	CutoverState(ctx context.Context) (cutover.State, error)

	// SetCutover sets the ChangedAt and the Rules of the state, and its Version to one above
	// previous, if it still is previous; else it fails with ErrConflict. The Key is that of
	// the first state, for good. The audit entry is appended as in Store.
	SetCutover(ctx context.Context, previous int64, s cutover.State, audit *AuditEntry) error
}

// ErrNoCutover is a store that can't keep the state of a cutover.
var ErrNoCutover = errors.New("the store keeps no state of a cutover")

// cutoverTries limits how often a change is made anew because of others.
const cutoverTries = 100

// DeclareEndpoints adds endpoints to the state of the cutover, for all that have none of
// these yet, with nobody on the new side. If all are there, it only reads. It fails with
// ErrNoCutover, KindUnavailable, or an error that says which name can't be kept.
func (s *Service) DeclareEndpoints(ctx context.Context, names ...string) error {
	e := s.newEntry(ctx, ActionCutover, "")
	e.Actor = Server
	_, _, err := s.changeCutover(ctx, e, "declared ", func(state *cutover.State) error {
		for _, name := range names {
			if nobody := (cutover.Rule{Endpoint: name}); state.Rule(name).Equal(nobody) { // or it is missing
				state.Set(nobody)
			}
		}
		return nil
	})
	return err
}

// ChangeCutover lets change alter the rules of the cutover, for an operator, and returns the
// state before and after it. Where another change comes first, change is called again, with
// the state after that. If it alters nothing, nothing is written. It fails with ErrNoCutover,
// KindUnavailable, the error of change, or one that says what can't be kept.
func (s *Service) ChangeCutover(ctx context.Context, change func(*cutover.State) error) (was, is cutover.State, err error) {
	return s.changeCutover(ctx, s.newOperatorEntry(ctx, ActionCutover, User{}), "", change)
}

// RollBackCutover sends everybody to the old side at all endpoints, for an operator. Results
// and errors are those of ChangeCutover.
func (s *Service) RollBackCutover(ctx context.Context) (was, is cutover.State, err error) {
	return s.changeCutover(ctx, s.newOperatorEntry(ctx, ActionRollback, User{}), "", func(state *cutover.State) error {
		state.Rollback()
		return nil
	})
}

func (s *Service) changeCutover(ctx context.Context, e AuditEntry, did string, change func(*cutover.State) error) (was, is cutover.State, err error) {
	if s.cutover == nil {
		return was, is, ErrNoCutover
	}
	for range cutoverTries {
		if was, err = s.cutover.CutoverState(ctx); err != nil {
			return was, was, wrapStoreError("read cutover", err)
		}
		is = was
		if err := change(&is); err != nil {
			return was, was, err
		}
		changed := is.Changed(was)
		if len(changed) == 0 {
			return was, was, nil
		}
		if err := is.Check(); err != nil {
			return was, was, err
		}
		if was.Version == 0 {
			is.Key = make([]byte, cutover.KeySize)
			if _, err := io.ReadFull(s.random, is.Key); err != nil {
				return was, was, &Error{Kind: KindInternal, Err: fmt.Errorf("draw key: %w", err)}
			}
		}
		is.Version, is.ChangedAt = was.Version+1, s.now()
		e.At, e.Detail = is.ChangedAt, did+describeRules(changed)
		switch err := s.cutover.SetCutover(ctx, was.Version, is, s.audited(&e)); {
		case err == nil:
			return was, is, nil
		case !errors.Is(err, ErrConflict):
			return was, was, wrapStoreError("set cutover", err)
		}
	}
	return was, was, &Error{Kind: KindUnavailable, Err: fmt.Errorf("set cutover: %w", ErrConflict)}
}

// maxDetail is how long the Detail of an entry can become, in bytes, apart from a last word on
// what is left out.
const maxDetail = 300

// describeRules describes rules for the audit log: how many users and headers they have, not
// which.
func describeRules(rules []cutover.Rule) string {
	var b strings.Builder
	for i, r := range rules {
		text := r.Endpoint + "=" + r.Share.String()
		if n := len(r.Users); n > 0 {
			text += fmt.Sprintf(" users=%d", n)
		}
		if n := len(r.Headers); n > 0 {
			text += fmt.Sprintf(" headers=%d", n)
		}
		if b.Len()+len(text) > maxDetail {
			fmt.Fprintf(&b, "and %d more", len(rules)-i)
			break
		}
		b.WriteString(text)
		if i < len(rules)-1 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}
