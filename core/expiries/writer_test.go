package expiries

import (
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

func TestMovesHaveABound(t *testing.T) {
	m := NewWriter(nil, nil, nil, nil)
	later := func(i int) bool { return m.Enqueue(core.Presented(fmt.Sprint(i)).SHA256(), time.Unix(1, 0)) }
	for i := range maxWaitingUpdates {
		if !later(i) {
			t.Fatalf("no room for move %d", i)
		}
	}
	if later(maxWaitingUpdates) {
		t.Error("there is room for more than the bound")
	}
	if !later(0) {
		t.Error("no room for a move that waits already")
	}
	if len(m.begun) != 1 || len(m.full) != 1 {
		t.Error("nobody is told that moves wait")
	}
}

func TestMovesKeepTheLatestEnd(t *testing.T) {
	m := NewWriter(nil, nil, nil, nil)
	d := core.Presented("key").SHA256()
	for _, second := range []int64{2, 3, 1} {
		m.Enqueue(d, time.Unix(second, 0))
	}
	if got := m.waiting[string(d)]; len(m.waiting) != 1 || !got.Equal(time.Unix(3, 0)) {
		t.Errorf("waiting: %v", m.waiting)
	}
}
