package config

import "github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"

// collide reports whether two valid addresses can't both be listened on: they have the same
// port, and the same host or one that stands for all hosts. Port 0 never collides: the
// system picks a free one.
func collide(a, b string) bool {
	hostA, portA := flagvalue.Endpoint(a)
	hostB, portB := flagvalue.Endpoint(b)
	return portA == portB && portA != 0 && (hostA == hostB || hostA == "" || hostB == "")
}
