package pgconn

import (
	"errors"
	"fmt"
	"testing"

	"github.com/authcompat/authcompat/core"
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

// TestExplainEndedSessions has the server end a session, for whatever reason, while a statement is under way: the store can't
// be used now, and the statement is not to blame.
func TestExplainEndedSessions(t *testing.T) {
	for _, code := range []pqerror.Code{
		pqerror.AdminShutdown, pqerror.CrashShutdown, pqerror.IdleInTransactionSessionTimeout, pqerror.IdleSessionTimeout, pqerror.TransactionTimeout, pqerror.DatabaseDropped,
	} {
		err := fmt.Errorf("select token: %w", &pq.Error{Severity: pqerror.SeverityFatal, Code: code})
		if got := classify(err); got != lost {
			t.Errorf("%s: kind %d, want %d", code, got, lost)
		}
		if got := Explain(t.Context(), err); !errors.Is(got, core.ErrUnavailable) {
			t.Errorf("%s: %v", code, got)
		}
	}
}
