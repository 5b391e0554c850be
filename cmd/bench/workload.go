//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
)

// A workload says which token each request of a client presents.

// tokenOffset is where the token stands in a request, and nameOffset where the
// digits of the user's name do.
type offsets struct{ token, digits int }

// template is a request with room for a token and its user, and where these are.
func template(address string) ([]byte, offsets) {
	name := fmt.Sprintf(usernameFormat, 0)
	request := get(address, accountPath+name+"/", string(appendToken(nil, 0)))
	return request, offsets{
		token:  len(request) - len("\r\n\r\n") - 40,
		digits: len("GET "+accountPath+name) - 8,
	}
}

// fillIn writes a token and the digits of its user's name into a request.
func fillIn(request []byte, o offsets, number int64) {
	appendToken(request[o.token:o.token], number)
	user := number/perUser + 1
	for i := o.digits + 7; i >= o.digits; i-- {
		request[i] = byte('0' + user%10)
		user /= 10
	}
}

// inUse is the tokens that clients use where they use the same ones again: as
// many as that, spread over all that the store has.
const inUse = 1000

// fixed presents the same tokens again and again.
func fixed(address string, tokens int64) func(int) []byte {
	requests := make([][]byte, min(inUse, tokens))
	for i := range requests {
		request, o := template(address)
		fillIn(request, o, int64(i)*tokens/int64(len(requests)))
		requests[i] = request
	}
	next := make([]struct {
		at int
		_  [56]byte // counters of connections lie on cache lines of their own
	}, maxConnections)
	return func(connection int) []byte {
		at := &next[connection].at
		*at++
		return requests[(*at*maxConnections+connection)%len(requests)]
	}
}

// inTurn presents each of the store's tokens once, and then again, so that neither tokens nor users follow their
// neighbours. Their number is a power of ten.
func inTurn(address string, tokens int64) func(int) []byte {
	const stride = 618_033 // which has no factor of ten
	_, o := template(address)
	all := make([][]byte, maxConnections)
	for i := range all {
		all[i], _ = template(address)
	}
	var next atomic.Int64
	return func(connection int) []byte {
		fillIn(all[connection], o, next.Add(1)*stride%tokens)
		return all[connection]
	}
}

// maxConnections is how many connections a client may have.
const maxConnections = 1024

// uniform presents any of the store's tokens, each as likely.
func uniform(address string, tokens int64) func(int) []byte {
	type own struct {
		request []byte
		random  *rand.Rand
	}
	_, o := template(address)
	all := make([]own, maxConnections)
	for i := range all {
		all[i].request, _ = template(address)
		all[i].random = rand.New(rand.NewPCG(uint64(i), uint64(tokens)))
	}
	return func(connection int) []byte {
		c := &all[connection]
		fillIn(c.request, o, c.random.Int64N(tokens))
		return c.request
	}
}
