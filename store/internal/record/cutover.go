package record

import (
	"encoding/json"
	"fmt"

	"github.com/authcompat/authcompat/core/cutover"
)

// Cutover is the row of cutover.
type Cutover struct {
	Version   int64  `db:"version"`
	ChangedAt int64  `db:"changed_at"`
	Key       []byte `db:"key"`
	Rules     string `db:"rules"` // a JSON list
}

// OfCutover returns the row of a state. It fails for one whose users would have positions
// that anybody can compute.
func OfCutover(s cutover.State) (Cutover, error) {
	if len(s.Key) < cutover.KeySize {
		return Cutover{}, fmt.Errorf("the key of a cutover has %d bytes, want %d", len(s.Key), cutover.KeySize)
	}
	rules, err := json.Marshal(s.Rules)
	if err != nil {
		return Cutover{}, fmt.Errorf("encode rules of the cutover: %w", err)
	}
	return Cutover{Version: s.Version, ChangedAt: s.ChangedAt.UnixMicro(), Key: s.Key, Rules: string(rules)}, nil
}

// Core returns the state of a row.
func (c Cutover) Core() (cutover.State, error) {
	s := cutover.State{Version: c.Version, ChangedAt: Time(c.ChangedAt), Key: c.Key}
	if err := json.Unmarshal([]byte(c.Rules), &s.Rules); err != nil {
		return cutover.State{}, fmt.Errorf("decode rules of the cutover: %w", err)
	}
	return s, nil
}
