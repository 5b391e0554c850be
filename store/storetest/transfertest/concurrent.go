package transfertest

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

// someImported has run 1 import a user's tokens, and returns the user and the tokens.
func (m transferPair) someImported(t *testing.T) (core.Account, []core.Token) {
	t.Helper()
	ann := account(1, "ann")
	tokens := []core.Token{suite.TokenOf(ann.User, "first"), suite.TokenOf(ann.User, "second")}
	place := m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, tokens...)
	m.finish(t, place)
	return ann, tokens
}

// wantOvertaken checks that a run goes no further, and ends none of the tokens.
func (m transferPair) wantOvertaken(t *testing.T, place transfer.Checkpoint, ann core.Account, tokens []core.Token) {
	t.Helper()
	place.Stage = "tokens"
	_, err := m.from.ImportTokens(t.Context(), place, []transfer.ImportedToken{{Owner: "1", Token: tokens[1]}})
	suite.WantError(t, "tokens", err, transfer.ErrOvertaken)
	_, err = m.from.ImportUsers(t.Context(), place, imported(ann))
	suite.WantError(t, "users", err, transfer.ErrOvertaken)
	for _, tables := range [][]string{{"tokens"}, nil} {
		ended, err := m.from.FinishImport(t.Context(), place, tables)
		suite.WantError(t, "finish", err, transfer.ErrOvertaken)
		suite.WantSame(t, "ended", 0, ended)
	}
	suite.WantFound(t, m.B, "first", tokens[0], ann.User)
	suite.WantFound(t, m.B, "second", tokens[1], ann.User)
}

// overtakenByAnother has a run with other options, such as one of recent rows alone, begin and end beside one of all.
func overtakenByAnother(t *testing.T, m transferPair) {
	ann, tokens := m.someImported(t)
	place := m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, tokens[0])
	other, err := m.to.BeginImport(t.Context(), source, "other options")
	if err != nil {
		t.Fatal(err)
	}
	other.Stage = "users"
	if _, err := m.to.ImportUsers(t.Context(), other, imported(ann)); err != nil {
		t.Fatal(err)
	}
	m.wantOvertaken(t, place, ann, tokens)
	if _, err := m.to.FinishImport(t.Context(), other, nil); err != nil {
		t.Fatal(err)
	}
	m.wantOvertaken(t, place, ann, tokens)
	m.wantOvertaken(t, other, ann, tokens)
	suite.WantSame(t, "next run", other.Run+1, m.begin(t).Run)
}

// endedByAnother has two processes at one run, one of which is ahead of the other.
func endedByAnother(t *testing.T, m transferPair) {
	ann, tokens := m.someImported(t)
	place, ahead := m.begin(t), m.begin(t)
	m.users(t, ahead, ann)
	m.users(t, place, ann)
	m.tokens(t, place, tokens[0])
	m.tokens(t, ahead, tokens...)
	suite.WantSame(t, "ended", 0, m.finish(t, ahead))
	m.wantOvertaken(t, place, ann, tokens)
}

// exportedDuringRun has a token exported once a run has read the table that it goes to.
func exportedDuringRun(t *testing.T, m transferPair) {
	ann, tokens := m.someImported(t)
	place := m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, tokens[0])
	m.wantExportedStays(t, place, ann, 1)
	suite.WantGone(t, m.B, "second")
	// The next run does not find it there any more.
	place = m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, tokens[0])
	suite.WantSame(t, "ended by the next run", 2, m.finish(t, place))
}

// exportedDuringFirst has a token exported while the first run is under way, which notes nothing of what it sees.
func exportedDuringFirst(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	came := suite.TokenOf(ann.User, "came")
	m.tokens(t, place, came)
	m.wantExportedStays(t, place, ann, 0)
	suite.WantFound(t, m.B, "came", came, ann.User)
}

// wantExportedStays exports two tokens, one by its older digest, and finishes a run, which ends some others.
func (m transferPair) wantExportedStays(t *testing.T, place transfer.Checkpoint, ann core.Account, ended int) {
	t.Helper()
	native, older := suite.TokenOf(ann.User, "native"), olderOf(t, ann.User, core.Knox42, hexToken(1))
	older.Legacy.Digest, older.Digest = older.Digest, suite.TokenOf(ann.User, hexToken(1)).Digest
	m.Issue(t, native)
	m.Issue(t, older)
	if err := m.to.MarkExported(t.Context(), place, nil, map[string][]core.Digest{"tokens": {native.Digest, older.Legacy.Digest}}); err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "ended", ended, m.finish(t, place))
	suite.WantFound(t, m.B, "native", native, ann.User)
	suite.WantFound(t, m.B, hexToken(1), bare(older), ann.User)
}

// endedMeanwhile exports a token in a form that is new here, and ends it later, and exports one that has ended by the time that it is marked: both
// have ended, and a run brings neither back.
func endedMeanwhile(t *testing.T, m transferPair) {
	ann := account(1, "ann")
	place := m.begin(t)
	m.users(t, place, ann)
	m.finish(t, place)
	formed, gone := suite.TokenOf(ann.User, hexToken(1)), suite.TokenOf(ann.User, "gone")
	m.Issue(t, formed)
	m.Issue(t, gone)
	// As an import took it over that did not know the form.
	second := olderOf(t, ann.User, core.Knox42, hexToken(1))
	m.Issue(t, second)
	var err error
	if formed.Legacy, err = core.NewLegacy(core.Knox42, zeros{}, hexToken(1)); err != nil {
		t.Fatal(err)
	}
	if err := m.to.KeepForms(t.Context(), []core.Token{formed, suite.TokenOf(ann.User, "never here")}); err != nil {
		t.Fatal(err)
	}
	page, err := m.from.ExportTokens(t.Context(), suite.Realm, core.Token{}, 9)
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "exported", []core.Legacy{formed.Legacy}, legacies(page))
	suite.WantFound(t, m.B, hexToken(1), bare(formed), ann.User)
	remove := func(token core.Token) {
		t.Helper()
		if err := m.A.DeleteToken(t.Context(), token.Digest, nil); err != nil {
			t.Fatal(err)
		}
	}
	unlinked := func() []core.Digest {
		t.Helper()
		found, err := m.to.UnlinkedTokens(t.Context(), place.Source, []string{"tokens"}, []core.Digest{formed.Digest, gone.Digest})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	suite.WantSame(t, "not there", 2, len(unlinked()))
	remove(gone)
	suite.WantSame(t, "not there, and not ended", []core.Digest{formed.Digest}, unlinked())
	handed := []core.Digest{formed.Legacy.Digest, gone.Digest}
	for range 2 { // as an export that is run again does
		if err := m.to.MarkExported(t.Context(), place, nil, map[string][]core.Digest{"tokens": handed}); err != nil {
			t.Fatal(err)
		}
	}
	suite.WantSame(t, "not there after the export", 0, len(unlinked()))
	remove(formed)
	ended, err := m.to.RevokedAmong(t.Context(), handed, suite.Noon())
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "ended", 2, len(ended))
	place = m.begin(t)
	m.users(t, place, ann)
	m.tokens(t, place, second, gone)
	m.finish(t, place)
	suite.WantGone(t, m.B, hexToken(1))
	suite.WantGone(t, m.B, "gone")
}

// legacies returns the forms of those tokens that have one.
func legacies(tokens []core.Token) (forms []core.Legacy) {
	for _, t := range tokens {
		if t.Legacy.Format != "" {
			forms = append(forms, t.Legacy)
		}
	}
	return forms
}

// notedExport has an export cut off before it marks what it has written: what it noted is there until something is marked,
// or noted in its place, and only for its source.
func notedExport(t *testing.T, m transferPair) {
	ann, tokens := m.someImported(t)
	place := m.begin(t)
	want := func(what string, source int64, want transfer.NotedExport) {
		t.Helper()
		noted, err := m.from.NotedExport(t.Context(), source)
		if err != nil {
			t.Fatal(err)
		}
		if noted.Empty() != want.Empty() {
			t.Errorf("%s: empty is %t", what, noted.Empty())
		}
		if !want.Empty() {
			suite.WantSame(t, what, want, noted)
		}
	}
	note := func(noted transfer.NotedExport) {
		t.Helper()
		if err := m.to.NoteExported(t.Context(), place.Source, noted); err != nil {
			t.Fatal(err)
		}
	}
	print := transfer.UserFingerprint(ann)
	users := transfer.NotedExport{Users: []transfer.UserLink{{UserID: ann.ID, Source: place.Source, Key: "key there", Fingerprint: print}}, Tokens: map[string][]core.Digest{}}
	theirs := transfer.NotedExport{Tokens: map[string][]core.Digest{"tokens": {tokens[0].Digest}}}
	want("nothing noted", place.Source, transfer.NotedExport{})
	note(users)
	want("users", place.Source, users)
	m.wantOvertaken(t, place, ann, tokens)
	place = m.begin(t)
	m.users(t, place, ann)
	note(users)
	m.wantOvertaken(t, place, ann, tokens)
	place = m.begin(t)
	note(theirs)
	m.users(t, place, ann)
	want("tokens in their place", place.Source, theirs)
	want("another source", place.Source+1, transfer.NotedExport{})
	halved := append(make([]byte, len(print)/2), print[len(print)/2:]...)
	if err := m.to.MarkExported(t.Context(), place, []transfer.ImportedUser{{Key: "key there", Fingerprint: halved, Account: ann}}, nil); err != nil {
		t.Fatal(err)
	}
	want("marked", place.Source, transfer.NotedExport{})
	links, err := m.from.LinkedFingerprints(t.Context(), place.Source, []int64{ann.ID})
	if err != nil || len(links) != 1 {
		t.Fatalf("%v, %v", links, err)
	}
	suite.WantSame(t, "fingerprint", halved, links[0].Fingerprint)
}
