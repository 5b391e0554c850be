package flagvalue_test

import (
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
)

// TestLoopback tells which hosts and addresses are of this machine alone.
func TestLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.8.9.10": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "0.0.0.0": false, "::": false, "192.0.2.7": false, "localhost.example.org": false, "127.0.0.1.example.org": false, "[::1]": false,
	} {
		if got := flagvalue.IsLoopback(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
	for address, want := range map[string]bool{
		"127.0.0.1:8081": true, "[::1]:8081": true, "localhost:0": true,
		":8081": false, "0.0.0.0:8081": false, "[::]:8081": false, "example.org:80": false, "127.0.0.1": false, "": false,
	} {
		if got := flagvalue.OnLoopback(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}
