package shadowing

import (
	"testing"
	"time"
)

// TestPaces lets clients wait unless the old server hashes a password for long.
func TestPaces(t *testing.T) {
	p := newPaces(0)
	p.add("login", true)
	p.add("logout", false)
	for range 50 {
		p.observe("logout", time.Second)
	}
	if p.hashes("login") || p.hashes("logout") || p.hashes("unknown") {
		t.Error("nothing is known, or no password is hashed")
	}
	p.observe("login", 49*time.Millisecond)
	if p.hashes("login") {
		t.Error("too fast")
	}
	for range 50 {
		p.observe("login", 51*time.Millisecond)
	}
	if !p.hashes("login") {
		t.Error("slow enough")
	}
	for range 50 {
		p.observe("login", time.Millisecond)
	}
	if p.hashes("login") {
		t.Error("fast again")
	}
}
