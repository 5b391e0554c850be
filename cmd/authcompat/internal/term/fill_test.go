package term

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFill(t *testing.T) {
	const text = `One paragraph of words that
goes on
and on.

Exit codes:
  0  it is done
  10  a verdict on what
     was looked at, 東京 太郎 and
      that is all
  --preformatted stays as it is, whatever it is
	a tab, too

a-word-that-is-longer-than-any-line-may-be is left whole`
	const want = `One paragraph of words
that goes on and on.

Exit codes:
  0  it is done
  10  a verdict on what
     was looked at, 東京 太郎 and
      that is all
  --preformatted stays as it is, whatever it is
	a tab, too

a-word-that-is-longer-than-any-line-may-be
is left whole`
	if diff := cmp.Diff(want, Fill(text, 24)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const item, filled = "  1  what was\n     looked at\n     has problems", "  1  what was looked\n     at has problems"
	if got := Fill(item, 20); got != filled {
		t.Errorf("%q, want %q", got, filled)
	}
	if got := Fill("東京 太郎", 8); got != "東京\n太郎" {
		t.Errorf("wide characters: %q", got)
	}
	if got := Hang("Ask a running server whether it is ready", 4, 24); got != "Ask a running server\n    whether it is ready" {
		t.Errorf("Hang: %q", got)
	}
	if got := Fill("", 24); got != "" {
		t.Errorf("nothing: %q", got)
	}
}
