package mailer

import (
	"testing"

	"github.com/authcompat/authcompat/core/spelling"
)

// TestMailbox holds that spellings of an address that are sent to one mailbox are counted as one, and others are not.
func TestMailbox(t *testing.T) {
	mailbox := Mailbox()
	for name, same := range map[string][]string{
		"ann": {
			"ann@example.org", "ANN@Example.org", `"ann"@example.org`, `"a\nn"@example.org`, "ann@exam\u00adple.org", "ann@e\u200bx\u200bample.org",
			"ann@example\u3002org", "ann@\uff45xample.org", "Ann <ann@example.org>", "ann@example.org (x)", "\"ann\"@ex\u2060ample\uff61org",
		},
		"bücher":       {"ann@b\u00fccher.example", "ann@xn--bcher-kva.example", "ann@XN--BCHER-KVA.example", "ann@BU\u0308CHER.example", "ann@b\u00adu\u0308cher\u3002example"},
		"another":      {"ann+x@example.org"},
		"a space":      {`"an n"@example.org`},
		"no ASCII":     {"\u00e4nn@example.org", "a\u0308nn@example.org"},
		"none":         {"ann"},
		"none at all":  {""},
		"too long for": {"ann@b\u00fccher..example"},
	} {
		first := spelling.Fold(mailbox(same[0]))
		for _, address := range same {
			if got := spelling.Fold(mailbox(address)); got != first {
				t.Errorf("%s: %q is %q, %q is %q", name, same[0], first, address, got)
			}
			e, err := Server{From: "a@example.org"}.pack(Message{To: address, Subject: "s", Text: "t"}, "1", noon())
			of, errOf := Server{From: "a@example.org"}.pack(Message{To: same[0], Subject: "s", Text: "t"}, "1", noon())
			if (err == nil) != (errOf == nil) || spelling.Fold(e.to) != spelling.Fold(of.to) {
				t.Errorf("%s: %q goes to %q (%v), %q to %q (%v)", name, same[0], of.to, errOf, address, e.to, err)
			}
		}
	}
	for plain, want := range map[string]bool{"ann@example.org": true, "ann@b\u00fccher.example": true, "ann@xn--bcher-kva.example": false, `"ann"@example.org`: false, "ann@exam\u00adple.org": false, "ann@example\u3002org": false} {
		if got := spelling.Fold(mailbox(plain)) == spelling.LowerASCII(plain); got != want {
			t.Errorf("%q is plain: %t", plain, got)
		}
	}
}
