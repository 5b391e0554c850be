package pgconn

import (
	"errors"
	"fmt"
	"testing"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// TestExplainEncoding has errors whose text shows bytes that a client sent.
func TestExplainEncoding(t *testing.T) {
	for _, code := range []pqerror.Code{pqerror.UntranslatableCharacter, pqerror.CharacterNotInRepertoire} {
		err := Explain(t.Context(), fmt.Errorf("select user: %w", &pq.Error{Code: code, Message: "byte sequence 0xd0 0x96"}))
		if !errors.Is(err, ErrEncoding) || err.Error() != ErrEncoding.Error() {
			t.Errorf("%s: %v", code, err)
		}
	}
}
